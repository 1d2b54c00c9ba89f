//! Lists as streams: every item of a list, or its pages, fetched as they are asked for.
//!
//! ```no_run
//! use futures_util::TryStreamExt;
//! use upvest_ext::PaginateExt;
//! use upvest_ext::api::types::OrderStatus;
//!
//! # async fn read(upvest: upvest_ext::Upvest) -> Result<(), upvest_ext::Error> {
//! let mut orders = upvest.list_orders().status(OrderStatus::Filled).items();
//! while let Some(order) = orders.try_next().await? {
//!     println!("{}", order.id);
//! }
//! # Ok(()) }
//! ```
//!
//! Guide: `docs/guides/lists.md`, with a CSV export and many calls at a time.
//!
//! # Where a list ends
//!
//! At the total that the server states, or, where it states none, at a page that is not full. An answer may contradict
//! itself, and then nothing is left out without a word:
//!
//! * A page that is not full, while the total says that more follow, may come from a server that allows smaller pages than
//!   were asked for: the list goes on after its last item. If nothing follows there either, it has ended.
//! * An empty page before the total is reached is passed over. Ten of them in a row are an error.
//! * More items than the total says: the total is wrong, and the list ends at a page that is not full.
//! * A page that came before, or one from another place than was asked for, is an error, so that no list is endless.
//!
//! These errors are of the kind [`ErrorKind::Paging`](crate::ErrorKind::Paging). Every error of a stream tells the number of the
//! first item that was not read: [`Error::position`](crate::Error::position), for [`Paginator::resume_at`].
//!
//! A total that is too low and ends exactly with a page cannot be told from a right one, and is believed.
//!
//! # Items that move
//!
//! Pages are counted from the start of the list. If items are added or removed there while the list is read, the rest moves,
//! and an item may come twice or not at all. [`Paginator::unique_by`] drops the repeated ones.

mod items;
mod page_stream;
mod paginate;
mod paginator;
mod progress;

pub use items::Items;
pub use page_stream::Pages;
pub use paginate::{ListExt, PaginateExt};
pub use paginator::Paginator;
