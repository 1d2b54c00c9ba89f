//! Resources with final statuses, so that generic code can wait for them.

/// A resource with an id and a status that has final values. An order, for example, is final once it is filled,
/// cancelled or rejected.
///
/// Implemented for every type whose final statuses the description specifies.
pub trait Settles: Send + Sync + 'static {
    /// The type of its id.
    type Id: Copy + PartialEq + std::fmt::Display + Into<uuid::Uuid> + Send + Sync + 'static;

    /// The id of the resource.
    fn id(&self) -> Self::Id;

    /// Whether its status is final, so that it does not change again. A status that this version does not know is not
    /// final.
    fn is_final(&self) -> bool;
}
