//! Lists as streams of items or pages, which are fetched when they are needed.
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
//! Guide: `docs/guides/lists.md`. It includes a CSV export and concurrent calls.
//!
//! # The end of a list
//!
//! A list ends at the total that the server states or, without a total, at a page that is not full. If the answers contradict
//! each other, no items are skipped silently:
//!
//! * If a page is not full although the total says that more items follow, the server may allow only smaller pages than
//!   were requested. The next page is requested after its last item. If that page is empty, the list has ended.
//! * An empty page before the total is skipped. Ten empty pages in a row are an error.
//! * If there are more items than the total says, the total is ignored and the list ends at a page that is not full.
//! * A repeated page, or a page with another offset than was requested, is an error, so that no list is endless.
//!
//! These errors have the kind [`ErrorKind::Paging`](crate::ErrorKind::Paging). Every error of a stream contains the index of the
//! first item that was not read ([`Error::position`](crate::Error::position)), for [`Paginator::resume_at`].
//!
//! A total that is too low cannot be detected if it is reached exactly at the end of a page.
//!
//! # Lists that change while they are read
//!
//! Offsets are counted from the start of the list. If items are added or removed there while the list is read, later items move,
//! and an item may be returned twice or not at all.

mod items;
mod page_stream;
mod paginate;
mod paginator;
mod progress;

pub use items::Items;
pub use page_stream::Pages;
pub use paginate::PaginateExt;
pub use paginator::Paginator;
