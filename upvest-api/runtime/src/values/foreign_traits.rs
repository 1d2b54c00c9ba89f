//! Implementations of the traits of other libraries for the types of fields.
//!
//! The features of this crate decide which traits are implemented. A macro that depends on one is therefore defined
//! twice: an exported macro with `cfg(feature)` in its body would ask for the features of the crate that uses it.

/// How a value is stored in a column of a database.
#[cfg(feature = "sqlx")]
pub trait Column<DB: sqlx::Database>: Sized {
    /// The type of the column.
    type Stored;

    /// The value to store.
    fn to_stored(&self) -> Self::Stored;

    /// Reads a stored value.
    #[allow(clippy::missing_errors_doc, reason = "only macros call it")]
    fn from_stored(stored: Self::Stored) -> Result<Self, sqlx::error::BoxDynError>;
}

/// Stores a type in a column of texts.
#[doc(hidden)]
#[cfg(feature = "sqlx")]
#[macro_export]
macro_rules! text_column {
    ($name:ident) => {
        #[cfg_attr(docsrs, doc(cfg(feature = "sqlx")))]
        impl<DB: $crate::generated_code::sqlx::Database> $crate::generated_code::Column<DB>
            for $name
        {
            type Stored = String;

            fn to_stored(&self) -> String {
                self.to_string()
            }

            fn from_stored(
                text: String,
            ) -> Result<Self, $crate::generated_code::sqlx::error::BoxDynError> {
                use $crate::generated_code::serde::{Deserialize, de::value};
                let deserializer = value::StringDeserializer::<value::Error>::new(text);
                Ok(<$name as Deserialize>::deserialize(deserializer)?)
            }
        }

        $crate::sqlx_traits!($name);
    };
}

/// Stores a type in a column of UUIDs.
#[doc(hidden)]
#[cfg(feature = "sqlx")]
#[macro_export]
macro_rules! uuid_column {
    ($name:ident) => {
        #[cfg_attr(docsrs, doc(cfg(feature = "sqlx")))]
        impl<DB: $crate::generated_code::sqlx::Database> $crate::generated_code::Column<DB>
            for $name
        {
            type Stored = $crate::uuid::Uuid;

            fn to_stored(&self) -> $crate::uuid::Uuid {
                self.0
            }

            fn from_stored(
                uuid: $crate::uuid::Uuid,
            ) -> Result<Self, $crate::generated_code::sqlx::error::BoxDynError> {
                Ok(Self(uuid))
            }
        }

        $crate::sqlx_traits!($name);
    };
}

/// Implements the traits of sqlx for a type with [`Column`].
#[doc(hidden)]
#[cfg(feature = "sqlx")]
#[macro_export]
macro_rules! sqlx_traits {
    ($name:ident) => {
        $crate::postgres_array!($name);

        #[cfg_attr(docsrs, doc(cfg(feature = "sqlx")))]
        impl<DB: $crate::generated_code::sqlx::Database> $crate::generated_code::sqlx::Type<DB>
            for $name
        where
            $name:
                $crate::generated_code::Column<DB, Stored: $crate::generated_code::sqlx::Type<DB>>,
        {
            fn type_info() -> DB::TypeInfo {
                <$name as $crate::generated_code::Column<DB>>::Stored::type_info()
            }

            fn compatible(kind: &DB::TypeInfo) -> bool {
                <$name as $crate::generated_code::Column<DB>>::Stored::compatible(kind)
            }
        }

        #[cfg_attr(docsrs, doc(cfg(feature = "sqlx")))]
        impl<'q, DB: $crate::generated_code::sqlx::Database>
            $crate::generated_code::sqlx::Encode<'q, DB> for $name
        where
            $name: $crate::generated_code::Column<
                    DB,
                    Stored: $crate::generated_code::sqlx::Encode<'q, DB>,
                >,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut DB::ArgumentBuffer,
            ) -> Result<
                $crate::generated_code::sqlx::encode::IsNull,
                $crate::generated_code::sqlx::error::BoxDynError,
            > {
                $crate::generated_code::Column::<DB>::to_stored(self).encode(buffer)
            }
        }

        #[cfg_attr(docsrs, doc(cfg(feature = "sqlx")))]
        impl<'r, DB: $crate::generated_code::sqlx::Database>
            $crate::generated_code::sqlx::Decode<'r, DB> for $name
        where
            $name: $crate::generated_code::Column<
                    DB,
                    Stored: $crate::generated_code::sqlx::Decode<'r, DB>,
                >,
        {
            fn decode(
                value: DB::ValueRef<'r>,
            ) -> Result<Self, $crate::generated_code::sqlx::error::BoxDynError> {
                let stored = $crate::generated_code::sqlx::Decode::<DB>::decode(value)?;
                $crate::generated_code::Column::<DB>::from_stored(stored)
            }
        }
    };
}

/// Lets a slice of values be an array in Postgres, as in `where id = any($1)`.
#[doc(hidden)]
#[cfg(feature = "sqlx-postgres")]
#[macro_export]
macro_rules! postgres_array {
    ($name:ident) => {
        #[cfg_attr(docsrs, doc(cfg(feature = "sqlx-postgres")))]
        impl $crate::generated_code::sqlx::postgres::PgHasArrayType for $name {
            fn array_type_info() -> $crate::generated_code::sqlx::postgres::PgTypeInfo {
                use $crate::generated_code::Column;
                use $crate::generated_code::sqlx::{Postgres, postgres::PgHasArrayType};
                <<$name as Column<Postgres>>::Stored as PgHasArrayType>::array_type_info()
            }
        }
    };
}

/// Without the feature, no type is in an array of Postgres.
#[doc(hidden)]
#[cfg(all(feature = "sqlx", not(feature = "sqlx-postgres")))]
#[macro_export]
macro_rules! postgres_array {
    ($name:ident) => {};
}

/// Without the feature, no type has a column.
#[doc(hidden)]
#[cfg(not(feature = "sqlx"))]
#[macro_export]
macro_rules! text_column {
    ($name:ident) => {};
}

/// Without the feature, no type has a column.
#[doc(hidden)]
#[cfg(not(feature = "sqlx"))]
#[macro_export]
macro_rules! uuid_column {
    ($name:ident) => {};
}

/// Describes a type in a JSON schema.
#[doc(hidden)]
#[cfg(feature = "schemars")]
#[macro_export]
macro_rules! json_schema {
    ($name:ident, $format:expr, $about:expr) => {
        #[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
        impl $crate::generated_code::schemars_1::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(
                _: &mut $crate::generated_code::schemars_1::SchemaGenerator,
            ) -> $crate::generated_code::schemars_1::Schema {
                let mut schema = $crate::generated_code::schemars_1::json_schema!({
                    "type": "string",
                    "description": $about
                });
                if let Some(format) = $format {
                    schema.insert("format".to_owned(), format.into());
                }
                schema
            }
        }
    };
}

/// Without the feature, no type has a JSON schema.
#[doc(hidden)]
#[cfg(not(feature = "schemars"))]
#[macro_export]
macro_rules! json_schema {
    ($($schema:tt)*) => {};
}

/// Describes a type in an OpenAPI description.
#[doc(hidden)]
#[cfg(feature = "utoipa")]
#[macro_export]
macro_rules! open_api_schema {
    ($name:ident, $format:expr, $about:expr) => {
        #[cfg_attr(docsrs, doc(cfg(feature = "utoipa")))]
        impl $crate::generated_code::utoipa::ToSchema for $name {}

        #[cfg_attr(docsrs, doc(cfg(feature = "utoipa")))]
        impl $crate::generated_code::utoipa::PartialSchema for $name {
            fn schema() -> $crate::generated_code::utoipa::openapi::RefOr<
                $crate::generated_code::utoipa::openapi::Schema,
            > {
                use $crate::generated_code::utoipa::openapi::{ObjectBuilder, SchemaFormat, Type};
                let format = $format.map(|format| SchemaFormat::Custom(format.to_owned()));
                let object = ObjectBuilder::new().schema_type(Type::String);
                object.format(format).description(Some($about)).into()
            }
        }
    };
}

/// Without the feature, no type has a schema in an OpenAPI description.
#[doc(hidden)]
#[cfg(not(feature = "utoipa"))]
#[macro_export]
macro_rules! open_api_schema {
    ($($schema:tt)*) => {};
}
