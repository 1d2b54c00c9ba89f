//! Builders of structs. Values are converted when they are set, and errors are reported together at the end.

use std::fmt;

use serde::Serialize;

use crate::values::invalid_body::InvalidBody;
use crate::values::or_empty::OrEmpty;

/// A type that has a builder.
pub trait Buildable: Clone + Serialize {
    /// The builder of the type. Its default has no fields set.
    type Builder: Clone + fmt::Debug + Default;

    /// A builder that starts from this value.
    fn into_builder(self) -> Self::Builder;

    /// Checks the fields and builds the value.
    #[allow(clippy::missing_errors_doc, reason = "generated code implements it")]
    fn build(builder: Self::Builder) -> Result<Self, InvalidBody>;
}

/// The builder sets the fields of the value. An empty one is set as a whole.
impl<T: Buildable> Buildable for OrEmpty<T> {
    type Builder = T::Builder;

    fn into_builder(self) -> T::Builder {
        match self {
            Self::Value(value) => value.into_builder(),
            Self::EmptyObject | Self::EmptyList => T::Builder::default(),
        }
    }

    fn build(builder: T::Builder) -> Result<Self, InvalidBody> {
        T::build(builder).map(Self::Value)
    }
}

/// A field that must be set.
pub mod required {
    use crate::calls::argument::Slot;

    /// The value, or its problem.
    #[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
    pub fn value<T>(slot: Slot<T>, name: &str) -> Result<T, String> {
        slot.unwrap_or_else(|| Err(format!("`{name}` is required")))
    }

    /// The slot of the field in a builder that starts from a value.
    pub fn slot<T>(value: T) -> Slot<T> {
        Some(Ok(value))
    }
}

/// A field that may be set.
pub mod optional {
    use crate::calls::argument::Slot;

    /// The value if there is one, or its problem.
    #[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
    pub fn value<T>(slot: Slot<T>, _name: &str) -> Result<Option<T>, String> {
        slot.transpose()
    }

    /// The slot of the field in a builder that starts from a value.
    pub fn slot<T>(value: Option<T>) -> Slot<T> {
        value.map(Ok)
    }
}

/// The map of the properties that the description does not name.
pub mod extra {
    use crate::calls::argument::Slot;

    /// The properties, or their problem.
    #[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
    pub fn value<T: Default>(slot: Slot<T>, _name: &str) -> Result<T, String> {
        slot.unwrap_or_else(|| Ok(T::default()))
    }

    /// The slot of the field in a builder that starts from a value.
    pub fn slot<T>(value: T) -> Slot<T> {
        Some(Ok(value))
    }
}

/// The value, or `None` with its problem in `problems`.
pub fn checked<T>(value: Result<T, String>, problems: &mut Vec<String>) -> Option<T> {
    value.map_err(|problem| problems.push(problem)).ok()
}

/// Declares the setter of one field. That of an optional one accepts an `Option` too, and `None` leaves the field out.
#[doc(hidden)]
#[macro_export]
macro_rules! body_setter {
    ($(#[$meta:meta])* optional $privacy:ident $field:ident $type:ty) => {
        $(#[$meta])*
        #[must_use]
        pub fn $field<M>(mut self, value: impl $crate::Argument<$type, M>) -> Self {
            self.$field = $crate::generated_code::$privacy(stringify!($field), value);
            self
        }
    };
    ($(#[$meta:meta])* $need:ident $privacy:ident $field:ident $type:ty) => {
        $(#[$meta])*
        #[must_use]
        pub fn $field(mut self, value: impl TryInto<$type, Error: std::fmt::Display>) -> Self {
            self.$field = $crate::generated_code::$privacy(stringify!($field), value);
            self
        }
    };
}

/// Converts the builders of the alternatives of one union into the union. Used by the generated `bodies` module.
#[doc(hidden)]
#[macro_export]
macro_rules! union_builders {
    ($name:ident { $($variant:ident($builder:ident),)+ }) => {
        $(impl TryFrom<$builder> for super::types::$name {
            type Error = $crate::InvalidBody;

            // `Self::Error` can be an alternative of the union.
            fn try_from(builder: $builder) -> Result<Self, $crate::InvalidBody> {
                builder.build().map(Self::$variant)
            }
        })+
    };
}

/// Declares the builder of one type. Used by the generated `bodies` module.
///
/// A `required` field must be set, an `optional` one may be. The errors of a `hidden` field do not contain the value,
/// those of a `shown` field do.
#[doc(hidden)]
#[macro_export]
macro_rules! body_builder {
    ($(#[$meta:meta])* $name:ident $builder:ident { $($(#[$field_meta:meta])* $need:ident $privacy:ident $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Default)]
        pub struct $builder {
            $($field: $crate::generated_code::Slot<$type>,)*
        }

        impl $builder {
            $($crate::body_setter! { $(#[$field_meta])* $need $privacy $field $type })*

            /// Checks the fields and builds the value.
            ///
            /// # Errors
            ///
            /// Lists every missing required field and every invalid value.
            pub fn build(self) -> Result<super::types::$name, $crate::InvalidBody> {
                let mut problems = Vec::new();
                $(
                    let $field = $crate::generated_code::$need::value(self.$field, stringify!($field));
                    let $field = $crate::generated_code::checked($field, &mut problems);
                )*
                let body = || Some(super::types::$name { $($field: $field?,)* });
                body().ok_or_else(|| $crate::InvalidBody::new(stringify!($name), problems))
            }
        }

        impl TryFrom<$builder> for super::types::$name {
            type Error = $crate::InvalidBody;

            fn try_from(builder: $builder) -> Result<Self, $crate::InvalidBody> {
                builder.build()
            }
        }

        impl From<super::types::$name> for $builder {
            fn from(body: super::types::$name) -> Self {
                Self { $($field: $crate::generated_code::$need::slot(body.$field),)* }
            }
        }

        impl std::fmt::Debug for $builder {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut set = f.debug_set();
                $(if self.$field.is_some() {
                    set.entry(&format_args!(stringify!($field)));
                })*
                set.finish()
            }
        }

        impl super::types::$name {
            /// A builder without any field set.
            pub fn builder() -> $builder {
                $builder::default()
            }
        }

        impl $crate::Buildable for super::types::$name {
            type Builder = $builder;

            fn into_builder(self) -> $builder {
                self.into()
            }

            fn build(builder: $builder) -> Result<Self, $crate::InvalidBody> {
                builder.build()
            }
        }
    };
}
