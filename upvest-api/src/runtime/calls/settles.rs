//! Things with a status that ends, so that code can wait for the end of any of them.

/// A thing with an id and a status of which some values are final: an order, for example, is filled, cancelled or rejected.
///
/// Implemented for every type of the description whose status says which of its values are final.
pub trait Settles: Send + Sync + 'static {
    /// The type of its id.
    type Id: Copy + PartialEq + std::fmt::Display + Into<uuid::Uuid> + Send + Sync + 'static;

    /// Its id.
    fn id(&self) -> Self::Id;

    /// Whether its status is one that it does not leave any more. A status that this version does not know is not.
    fn is_final(&self) -> bool;
}

/// Implements [`Settles`] for a struct with the fields `id` and `status`. Used by the generated `types` module.
macro_rules! settles {
    ($name:ident, $id:ident, $how:ident $status:ident) => {
        impl $crate::runtime::Settles for $name {
            type Id = $id;

            fn id(&self) -> $id {
                self.id
            }

            fn is_final(&self) -> bool {
                settles!(@ $how self.$status)
            }
        }
    };
    (@ required $status:expr) => { $status.is_final() };
    (@ optional $status:expr) => { $status.as_ref().is_some_and(|status| status.is_final()) };
}
pub(crate) use settles;
