//! Builders of structs. Values are converted when they are set, and errors are reported together at the end.

use std::fmt;

use serde::Serialize;

use crate::values::invalid_body::InvalidBody;

/// A type that has a builder.
pub trait Buildable: Clone + Serialize {
    /// The builder of the type. Its default has no fields set.
    type Builder: Clone + fmt::Debug + Default + From<Self> + TryInto<Self, Error = InvalidBody>;
}

/// The value of a field. Records a problem if it is invalid, or if it is required and missing.
pub fn taken<T>(
    field: Option<Result<T, String>>,
    missing: Option<&str>,
    problems: &mut Vec<String>,
) -> Option<T> {
    match field {
        Some(Ok(value)) => return Some(value),
        Some(Err(problem)) => problems.push(problem),
        None => problems.extend(missing.map(str::to_owned)),
    }
    None
}

/// Declares the builder of one type. Used by the generated `bodies` module.
///
/// A `required` field must be set, an `optional` one may be. The errors of a `secret` field do not contain the value.
#[doc(hidden)]
#[macro_export]
macro_rules! body_builder {
    ($(#[$meta:meta])* $name:ident $builder:ident { $($(#[$field_meta:meta])* $need:ident $(($secret:ident))? $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Default)]
        pub struct $builder {
            $($field: Option<Result<$type, String>>,)*
        }

        impl $builder {
            $(
                $(#[$field_meta])*
                #[must_use]
                pub fn $field(mut self, value: impl TryInto<$type, Error: std::fmt::Display>) -> Self {
                    self.$field = Some($crate::body_builder!(@convert $($secret)?)(stringify!($field), value));
                    self
                }
            )*

            /// Checks the fields and builds the value.
            ///
            /// # Errors
            ///
            /// Lists every missing required field and every invalid value.
            pub fn build(self) -> Result<super::types::$name, $crate::InvalidBody> {
                let mut problems = Vec::new();
                $(let $field = $crate::generated_code::taken(
                    self.$field,
                    $crate::body_builder!(@missing $need $field),
                    &mut problems,
                );)*
                match $crate::body_builder!(@fields $name; []; $($need $field,)*) {
                    Some(body) if problems.is_empty() => Ok(body),
                    _ => Err($crate::InvalidBody::new(stringify!($name), problems)),
                }
            }
        }

        impl TryFrom<$builder> for super::types::$name {
            type Error = $crate::InvalidBody;

            fn try_from(builder: $builder) -> Result<Self, Self::Error> {
                builder.build()
            }
        }

        impl From<super::types::$name> for $builder {
            fn from(body: super::types::$name) -> Self {
                Self { $($field: $crate::body_builder!(@slot $need body.$field),)* }
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
        }
    };
    (@convert) => { $crate::generated_code::field };
    (@convert secret) => { $crate::generated_code::sensitive_field };
    (@missing required $field:ident) => { Some(concat!("`", stringify!($field), "` is required")) };
    (@missing optional $field:ident) => { None };
    (@slot required $value:expr) => { Some(Ok($value)) };
    (@slot optional $value:expr) => { $value.map(Ok) };
    (@fields $name:ident; [$($done:tt)*]; required $field:ident, $($rest:tt)*) => {
        $field.and_then(|$field| $crate::body_builder!(@fields $name; [$($done)* $field: $field,]; $($rest)*))
    };
    (@fields $name:ident; [$($done:tt)*]; optional $field:ident, $($rest:tt)*) => {
        $crate::body_builder!(@fields $name; [$($done)* $field: $field,]; $($rest)*)
    };
    (@fields $name:ident; [$($done:tt)*];) => { Some(super::types::$name { $($done)* }) };
}
