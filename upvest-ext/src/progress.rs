//! The rules that decide whether a list continues after a page, without I/O.

use std::collections::HashSet;

/// How the server violated the rules of paging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BrokenRule {
    #[error(
        "the server returned the page at offset {answered} instead of the requested offset {asked}"
    )]
    OffsetIgnored { asked: u64, answered: u64 },
    #[error("the server returned the same page twice")]
    Repeated,
    #[error("the server returned {MOST_EMPTY_PAGES} empty pages in a row")]
    TooManyEmptyPages,
}

/// After this many empty pages in a row, reading fails.
const MOST_EMPTY_PAGES: u32 = 10;

/// A page, as the rules need it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReceivedPage {
    pub(crate) items: u64,
    pub(crate) total: Option<u64>,
    /// The offset according to the answer.
    pub(crate) offset: Option<u64>,
    /// The page size according to the answer.
    pub(crate) limit: Option<u64>,
    /// A hash that identifies the page.
    pub(crate) fingerprint: u64,
}

/// How far a list has been read.
#[derive(Debug)]
pub(crate) struct Progress {
    /// The size of a full page: the requested size, or the server's own limit if that is smaller.
    limit: u64,
    next: u64,
    total: Option<u64>,
    seen: HashSet<u64>,
    empty: u32,
    last_was_short: bool,
}

impl Progress {
    pub(crate) fn new(offset: u64, limit: u32) -> Self {
        let limit = u64::from(limit.max(1));
        Self {
            limit,
            next: offset,
            total: None,
            seen: HashSet::new(),
            empty: 0,
            last_was_short: false,
        }
    }

    /// The offset of the next page.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The size of a full page.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// The total of the latest page.
    pub(crate) fn total(&self) -> Option<u64> {
        self.total
    }

    /// Whether the latest page was shorter than expected, so that the position of the next items is uncertain.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.last_was_short
    }

    /// Records the page at [`Progress::next`], and returns whether the list continues after it.
    pub(crate) fn advance(&mut self, page: ReceivedPage) -> Result<bool, BrokenRule> {
        self.check(page)?;
        let end = self.next.saturating_add(page.items);
        self.total = page.total;
        let capped = page
            .limit
            .filter(|limit| *limit > 0 && *limit >= page.items);
        self.limit = capped.map_or(self.limit, |limit| limit.min(self.limit));
        self.empty = if page.items == 0 { self.empty + 1 } else { 0 };
        let is_short = page.items < self.limit;
        let goes_on = match page.total {
            Some(total) if end == total => false,
            // An empty page after a short one means that the total is wrong.
            Some(total) if end < total => page.items > 0 || !self.last_was_short,
            // There is no total, or it is too low.
            _ => !is_short,
        };
        self.next = if page.items == 0 {
            self.next.saturating_add(self.limit)
        } else {
            end
        };
        self.last_was_short = is_short && page.items > 0;
        let is_past_total = page.items == 0 && page.total.is_some_and(|total| self.next >= total);
        if !goes_on || is_past_total {
            return Ok(false);
        }
        if self.empty >= MOST_EMPTY_PAGES {
            Err(BrokenRule::TooManyEmptyPages)
        } else {
            Ok(true)
        }
    }

    fn check(&mut self, page: ReceivedPage) -> Result<(), BrokenRule> {
        if page.items == 0 {
            return Ok(());
        }
        if let Some(answered) = page.offset
            && answered != self.next
        {
            return Err(BrokenRule::OffsetIgnored {
                asked: self.next,
                answered,
            });
        }
        if self.seen.insert(page.fingerprint) {
            Ok(())
        } else {
            Err(BrokenRule::Repeated)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(items: u64, total: Option<u64>) -> ReceivedPage {
        ReceivedPage {
            items,
            total,
            offset: None,
            limit: None,
            fingerprint: rand::random(),
        }
    }

    /// Whether the list goes on after each of `pages`, which are of at most 10 items.
    fn run(pages: &[(u64, Option<u64>)]) -> Vec<Result<bool, BrokenRule>> {
        let mut progress = Progress::new(0, 10);
        pages
            .iter()
            .map(|(items, total)| progress.advance(page(*items, *total)))
            .collect()
    }

    #[test]
    fn a_list_ends_at_its_total_and_without_one_at_a_short_page() {
        assert_eq!(
            run(&[(10, Some(20)), (10, Some(20))]),
            [Ok(true), Ok(false)]
        );
        assert_eq!(
            run(&[(10, None), (10, None), (0, None)]),
            [Ok(true), Ok(true), Ok(false)]
        );
        assert_eq!(run(&[(9, None)]), [Ok(false)]);
        assert_eq!(run(&[(0, Some(0))]), [Ok(false)]);
    }

    #[test]
    fn a_page_size_that_the_server_caps_ends_a_list_correctly() {
        let capped = |items, limit| ReceivedPage {
            limit: Some(limit),
            ..page(items, None)
        };
        let mut progress = Progress::new(0, 50);
        let pages = [20, 20, 10].map(|items| progress.advance(capped(items, 20)));
        assert_eq!(
            (pages, progress.next()),
            ([Ok(true), Ok(true), Ok(false)], 50)
        );
        // No limit at all, one below what was sent, and one above what was asked for, say nothing.
        for limit in [0, 1, 1000] {
            let mut progress = Progress::new(0, 50);
            assert_eq!(
                [50, 20].map(|items| progress.advance(capped(items, limit))),
                [Ok(true), Ok(false)]
            );
        }
    }

    #[test]
    fn a_total_that_is_too_high_costs_one_request_and_one_that_is_too_low_none() {
        assert_eq!(
            run(&[(7, Some(1000)), (0, Some(1000))]),
            [Ok(true), Ok(false)]
        );
        assert_eq!(
            run(&[(10, Some(5)), (10, Some(5)), (3, Some(5))]),
            [Ok(true), Ok(true), Ok(false)]
        );
    }

    #[test]
    fn an_empty_page_in_the_middle_is_passed_over_and_ten_are_an_error() {
        assert_eq!(
            run(&[(10, Some(30)), (0, Some(30)), (10, Some(30))]),
            [Ok(true), Ok(true), Ok(false)]
        );
        let mut hollow = vec![(10, Some(u64::MAX))];
        hollow.extend([(0, Some(u64::MAX)); 10]);
        assert_eq!(
            run(&hollow).last(),
            Some(&Err(BrokenRule::TooManyEmptyPages))
        );
    }
}
