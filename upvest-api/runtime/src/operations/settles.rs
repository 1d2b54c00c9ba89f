//! Resources with final statuses, so that generic code can wait for them.

/// A resource with an id and a status that has final values. An order, for example, is final once it is filled, cancelled or
/// rejected.
///
/// Implemented for every type whose final statuses the description specifies.
pub trait Settles: Send + Sync + 'static {
    /// The type of its id.
    type Id: Copy + PartialEq + std::fmt::Display + Into<uuid::Uuid> + Send + Sync + 'static;

    /// The id of the resource.
    fn id(&self) -> Self::Id;

    /// Whether its status is final, so that it does not change again. A status that this version does not know is not final.
    fn is_final(&self) -> bool;
}

/// Implements [`Settles`] for a struct with the fields `id` and `status`. Used by the generated `types` module.
#[doc(hidden)]
#[macro_export]
macro_rules! settles {
    ($name:ident, $id:ident, $how:ident $status:ident) => {
        impl $crate::Settles for $name {
            type Id = $id;

            fn id(&self) -> $id {
                self.id
            }

            fn is_final(&self) -> bool {
                $crate::settles!(@ $how self.$status)
            }
        }
    };
    (@ required $status:expr) => { $status.is_final() };
    (@ optional $status:expr) => { $status.as_ref().is_some_and(|status| status.is_final()) };
}
