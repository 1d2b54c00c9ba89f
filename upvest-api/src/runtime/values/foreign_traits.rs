//! Implementations of the traits of other libraries for the types of fields.

/// Stores a type in a database column as `$inner`, and describes it in a schema as a text with a format.
macro_rules! foreign_traits {
    ($name:ident as text: $about:expr) => {
        $crate::runtime::foreign_traits! { @column
            impl[DB: sqlx::Database] $name as String, DB where [String]:
            |value| value.to_string(),
            |text| {
                use serde::de::value::{Error, StringDeserializer};
                Ok(<$name as serde::Deserialize>::deserialize(StringDeserializer::<Error>::new(text))?)
            }
        }
        $crate::runtime::foreign_traits! { @schema $name, None::<&str>, $about }
    };
    ($name:ident as uuid: $about:expr) => {
        $crate::runtime::foreign_traits! { @column
            impl[DB: sqlx::Database] $name as uuid::Uuid, DB where [uuid::Uuid]:
            |value| value.0,
            |uuid| Ok(Self(uuid))
        }
        $crate::runtime::foreign_traits! { @schema $name, Some("uuid"), $about }
    };
    (@column impl[$($parameters:tt)*] $name:ident as $inner:ty, $database:ty where [$($bound:ty)?]: $write:expr, $read:expr) => {
        #[cfg(feature = "sqlx")]
        impl<$($parameters)*> sqlx::Type<$database> for $name
        $(where $bound: sqlx::Type<$database>)?
        {
            fn type_info() -> <$database as sqlx::Database>::TypeInfo {
                <$inner as sqlx::Type<$database>>::type_info()
            }

            fn compatible(kind: &<$database as sqlx::Database>::TypeInfo) -> bool {
                <$inner as sqlx::Type<$database>>::compatible(kind)
            }
        }

        #[cfg(feature = "sqlx")]
        impl<'q, $($parameters)*> sqlx::Encode<'q, $database> for $name
        $(where $bound: sqlx::Encode<'q, $database>)?
        {
            fn encode_by_ref(
                &self,
                buffer: &mut <$database as sqlx::Database>::ArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                let write: fn(&Self) -> $inner = $write;
                sqlx::Encode::<$database>::encode(write(self), buffer)
            }
        }

        #[cfg(feature = "sqlx")]
        impl<'r, $($parameters)*> sqlx::Decode<'r, $database> for $name
        $(where $bound: sqlx::Decode<'r, $database>)?
        {
            fn decode(value: <$database as sqlx::Database>::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                let read: fn($inner) -> Result<Self, sqlx::error::BoxDynError> = $read;
                read(<$inner as sqlx::Decode<'r, $database>>::decode(value)?)
            }
        }
    };
    (@schema $name:ident, $format:expr, $about:expr) => {
        #[cfg(feature = "schemars")]
        impl schemars_1::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars_1::SchemaGenerator) -> schemars_1::Schema {
                let mut schema = schemars_1::json_schema!({ "type": "string", "description": $about });
                if let Some(format) = $format {
                    schema.insert("format".to_owned(), format.into());
                }
                schema
            }
        }

        #[cfg(feature = "utoipa")]
        impl utoipa::ToSchema for $name {}

        #[cfg(feature = "utoipa")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let format = $format.map(|format| utoipa::openapi::SchemaFormat::Custom(format.to_owned()));
                let object = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::Type::String);
                object.format(format).description(Some($about)).into()
            }
        }
    };
}
pub(crate) use foreign_traits;
