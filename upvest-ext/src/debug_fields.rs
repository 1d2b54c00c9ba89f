//! `Debug` for types with fields that must not be printed.

/// Implements `Debug` with only the given fields. The others are secret, personal, or too long.
macro_rules! debug_fields {
    ($name:ident $(<$generic:tt>)?, |$self:ident| $($field:ident = $value:expr),* $(,)?) => {
        impl$(<$generic>)? std::fmt::Debug for $name$(<$generic>)? {
            fn fmt(&$self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($field), &$value))*.finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use debug_fields;
