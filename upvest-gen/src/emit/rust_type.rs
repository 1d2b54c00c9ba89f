//! Writes the types of the model in Rust.

use proc_macro2::TokenStream;

use crate::model::{Api, Field, Schema, Type};

impl Type {
    /// The type as tokens, with `prefix` before the names of the module `types`.
    pub(super) fn tokens(&self, prefix: &str) -> TokenStream {
        let text = self.rust(prefix);
        text.parse().expect("the model has valid names")
    }

    /// The type in Rust, with `prefix` before the names of the module `types`.
    pub fn rust(&self, prefix: &str) -> String {
        let inner = |kind: &Self| kind.rust(prefix);
        match self {
            Self::Text => "String".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::I64 => "i64".to_owned(),
            Self::U32 => "u32".to_owned(),
            Self::U64 => "u64".to_owned(),
            Self::F64 => "f64".to_owned(),
            Self::Uuid => "uuid::Uuid".to_owned(),
            Self::Date => "chrono::NaiveDate".to_owned(),
            Self::DateTime => "chrono::DateTime<chrono::Utc>".to_owned(),
            Self::Json => "serde_json::Value".to_owned(),
            Self::Decimal => format!("{prefix}Decimal"),
            Self::Currency => format!("{prefix}CurrencyCode"),
            Self::Country => format!("{prefix}CountryCode"),
            Self::Isin => format!("{prefix}Isin"),
            Self::Id(name) | Self::Enum(name) | Self::Schema(name) => format!("{prefix}{name}"),
            Self::List(items) => format!("Vec<{}>", inner(items)),
            Self::Map(values) if **values == Self::Json => {
                "serde_json::Map<String, serde_json::Value>".to_owned()
            }
            Self::Map(values) => format!("std::collections::BTreeMap<String, {}>", inner(values)),
            Self::Nullable(value) => format!("Option<{}>", inner(value)),
            Self::OrEmpty(value) => format!("upvest_runtime::OrEmpty<{}>", inner(value)),
        }
    }
}

impl Type {
    /// Whether the runtime reads the type by other rules than those of its `Deserialize`. Some of them apply only to
    /// an `Option`.
    pub fn is_read_by_runtime(&self, is_option: bool) -> bool {
        match self {
            Self::DateTime | Self::I64 | Self::U32 | Self::U64 => true,
            Self::Decimal | Self::Date | Self::Uuid | Self::Id(_) => is_option,
            Self::Nullable(inner) => inner.is_read_by_runtime(true),
            Self::List(inner) | Self::Map(inner) | Self::OrEmpty(inner) => {
                inner.is_read_by_runtime(false)
            }
            _ => false,
        }
    }
}

impl Field {
    /// The type of the field.
    pub(super) fn rust_type(&self, schema: &Schema) -> String {
        let inner = self.rust_type_without_option(schema);
        if self.is_option(schema) {
            format!("Option<{inner}>")
        } else {
            inner
        }
    }

    /// The type of the field, without its `Option`.
    pub(super) fn rust_type_without_option(&self, schema: &Schema) -> String {
        let kind = self.kind.rust("");
        let kind = if self.deep {
            format!("Nested<{kind}>")
        } else if self.recursive {
            format!("Box<{kind}>")
        } else {
            kind
        };
        if self.distinguishes_null(schema) {
            format!("Nullable<{kind}>")
        } else {
            kind
        }
    }
}

impl Api {
    /// Returns the schema of an object with fields, or of one that may be empty. Such an object has a builder.
    pub(super) fn object(&self, kind: &Type) -> Option<&Schema> {
        let Type::Schema(name) = kind.present() else {
            return None;
        };
        self.schemas
            .iter()
            .find(|schema| schema.name == *name && !schema.fields().is_empty())
    }
}

impl Schema {
    /// The name of the object's builder, which no type has.
    pub(super) fn builder(&self, api: &Api) -> String {
        let mut name = format!("{}Builder", self.name.trim_end_matches('_'));
        let is_taken = |name: &String| {
            api.schemas.iter().any(|other| other.name == *name)
                || api.enums.iter().any(|other| other.name == *name)
        };
        while is_taken(&name) {
            name.push('_');
        }
        name
    }
}
