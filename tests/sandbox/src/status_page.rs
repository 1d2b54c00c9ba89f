//! The page at `/`.

use crate::shared::Shared;

pub(crate) fn status_page(_shared: &Shared) -> String {
    String::new()
}
