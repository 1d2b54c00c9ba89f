//! Implementations of the traits of other libraries for the types of fields.
//!
//! The features of this crate decide which traits are implemented. A macro that depends on one is therefore defined twice: an
//! exported macro with `cfg(feature)` in its body would ask for the features of the crate that uses it.

/// Stores a type in a database column, and describes it in a schema as a text with a format.
#[doc(hidden)]
#[macro_export]
macro_rules! foreign_traits {
    ($name:ident as text: $about:expr) => {
        $crate::database_column! {
            impl[DB: $crate::generated_code::sqlx::Database] $name as String, DB where [String]:
            |value| value.to_string(),
            |text| {
                use $crate::generated_code::serde::de::value::{Error, StringDeserializer};
                Ok(<$name as $crate::generated_code::serde::Deserialize>::deserialize(StringDeserializer::<Error>::new(text))?)
            }
        }
        $crate::json_schema! { $name, None::<&str>, $about }
        $crate::open_api_schema! { $name, None::<&str>, $about }
    };
    ($name:ident as uuid: $about:expr) => {
        $crate::database_column! {
            impl[DB: $crate::generated_code::sqlx::Database] $name as $crate::uuid::Uuid, DB where [$crate::uuid::Uuid]:
            |value| value.0,
            |uuid| Ok(Self(uuid))
        }
        $crate::json_schema! { $name, Some("uuid"), $about }
        $crate::open_api_schema! { $name, Some("uuid"), $about }
    };
}

/// Stores a type in a database column as `$inner`.
#[doc(hidden)]
#[cfg(feature = "sqlx")]
#[macro_export]
macro_rules! database_column {
    (impl[$($parameters:tt)*] $name:ident as $inner:ty, $database:ty where [$($bound:ty)?]: $write:expr, $read:expr) => {
        impl<$($parameters)*> $crate::generated_code::sqlx::Type<$database> for $name
        $(where $bound: $crate::generated_code::sqlx::Type<$database>)?
        {
            fn type_info() -> <$database as $crate::generated_code::sqlx::Database>::TypeInfo {
                <$inner as $crate::generated_code::sqlx::Type<$database>>::type_info()
            }

            fn compatible(kind: &<$database as $crate::generated_code::sqlx::Database>::TypeInfo) -> bool {
                <$inner as $crate::generated_code::sqlx::Type<$database>>::compatible(kind)
            }
        }

        impl<'q, $($parameters)*> $crate::generated_code::sqlx::Encode<'q, $database> for $name
        $(where $bound: $crate::generated_code::sqlx::Encode<'q, $database>)?
        {
            fn encode_by_ref(
                &self,
                buffer: &mut <$database as $crate::generated_code::sqlx::Database>::ArgumentBuffer,
            ) -> Result<$crate::generated_code::sqlx::encode::IsNull, $crate::generated_code::sqlx::error::BoxDynError> {
                let write: fn(&Self) -> $inner = $write;
                $crate::generated_code::sqlx::Encode::<$database>::encode(write(self), buffer)
            }
        }

        impl<'r, $($parameters)*> $crate::generated_code::sqlx::Decode<'r, $database> for $name
        $(where $bound: $crate::generated_code::sqlx::Decode<'r, $database>)?
        {
            fn decode(
                value: <$database as $crate::generated_code::sqlx::Database>::ValueRef<'r>,
            ) -> Result<Self, $crate::generated_code::sqlx::error::BoxDynError> {
                let read: fn($inner) -> Result<Self, $crate::generated_code::sqlx::error::BoxDynError> = $read;
                read(<$inner as $crate::generated_code::sqlx::Decode<'r, $database>>::decode(value)?)
            }
        }
    };
}

/// Without the feature, no type has a column.
#[doc(hidden)]
#[cfg(not(feature = "sqlx"))]
#[macro_export]
macro_rules! database_column {
    ($($column:tt)*) => {};
}

/// Describes a type in a JSON schema.
#[doc(hidden)]
#[cfg(feature = "schemars")]
#[macro_export]
macro_rules! json_schema {
    ($name:ident, $format:expr, $about:expr) => {
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
        impl $crate::generated_code::utoipa::ToSchema for $name {}

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
