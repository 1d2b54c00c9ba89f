//! The rules that decide whether a list continues after a page, without I/O.

use std::collections::HashSet;

/// How the server violated the rules of paging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BrokenRule {
    #[error(
        "the server returned the page at offset {stated} instead of the requested offset {requested}"
    )]
    OffsetIgnored { requested: u64, stated: u64 },
    #[error("the server returned the same page twice")]
    Repeated,
    #[error("the server returned {MAX_EMPTY_PAGES} empty pages in a row")]
    TooManyEmptyPages,
}

/// After this many empty pages in a row, reading fails.
const MAX_EMPTY_PAGES: u32 = 10;

/// After this many more equal items on pages of one item, reading fails.
const MAX_EQUAL_ITEMS: u32 = 10;

/// A page, as the rules need it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReceivedPage {
    pub(crate) items: u64,
    pub(crate) total: Option<u64>,
    /// The offset according to the response.
    pub(crate) offset: Option<u64>,
    /// The page size according to the response.
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
    /// How many pages in a row were there before.
    repeated: u32,
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
            repeated: 0,
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
        self.check_offset(page)?;
        self.check_repetition(page)?;
        self.lower_limit(page);
        let goes_on = self.goes_on_after(page);
        self.total = page.total;
        self.empty = if page.items == 0 { self.empty + 1 } else { 0 };
        self.last_was_short = page.items > 0 && page.items < self.limit;
        self.next = self.end_of(page);
        if goes_on && self.empty >= MAX_EMPTY_PAGES {
            return Err(BrokenRule::TooManyEmptyPages);
        }
        Ok(goes_on)
    }

    /// Whether the list continues after `page`:
    ///
    /// | the page | without a total | before the total | at the total | past the total |
    /// | --- | --- | --- | --- | --- |
    /// | is full | yes | yes | no | yes, as the total is too low |
    /// | is short | no | yes, the server may allow only smaller pages | no | no |
    /// | is empty | no | yes, unless the page before it was short | no | no |
    fn goes_on_after(&self, page: ReceivedPage) -> bool {
        let is_full = page.items >= self.limit;
        let end = self.end_of(page);
        match page.total {
            None => is_full,
            Some(total) if end < total => page.items > 0 || !self.last_was_short,
            Some(total) if page.items > 0 && end > total => is_full,
            Some(_) => false,
        }
    }

    /// The offset after `page`. An empty page counts as a full one.
    fn end_of(&self, page: ReceivedPage) -> u64 {
        let length = match page.items {
            0 => self.limit,
            items => items,
        };
        self.next.saturating_add(length)
    }

    /// Takes over the server's limit if it is lower. A limit below the number of items on the page cannot be right.
    fn lower_limit(&mut self, page: ReceivedPage) {
        if let Some(limit) = page.limit
            && limit > 0
            && limit >= page.items
        {
            self.limit = self.limit.min(limit);
        }
    }

    fn check_offset(&self, page: ReceivedPage) -> Result<(), BrokenRule> {
        match page.offset {
            Some(stated) if page.items > 0 && stated != self.next => {
                Err(BrokenRule::OffsetIgnored {
                    requested: self.next,
                    stated,
                })
            }
            _ => Ok(()),
        }
    }

    /// Fails if the same page came before. One repetition proves nothing if the server states the offset that was
    /// requested: as many items as a page has were added at the start of the list, or items of one-item pages are
    /// equal.
    fn check_repetition(&mut self, page: ReceivedPage) -> Result<(), BrokenRule> {
        if page.items == 0 {
            return Ok(());
        }
        if self.seen.insert(page.fingerprint) {
            self.repeated = 0;
            return Ok(());
        }
        self.repeated += 1;
        let allowed = match page.offset {
            Some(_) if page.items == 1 => MAX_EQUAL_ITEMS,
            Some(_) => 1,
            None => 0,
        };
        if self.repeated > allowed {
            return Err(BrokenRule::Repeated);
        }
        Ok(())
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
        assert_eq!(pages, [Ok(true), Ok(true), Ok(false)]);
        assert_eq!(progress.next(), 50);
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

    #[test]
    fn a_page_that_comes_again_at_the_offset_that_the_server_states_is_no_error() {
        let repeated = |items, offset| ReceivedPage {
            offset,
            fingerprint: 7,
            ..page(items, Some(100))
        };
        // Ten items were added at the start of the list.
        let mut progress = Progress::new(0, 10);
        assert_eq!(progress.advance(repeated(10, Some(0))), Ok(true));
        assert_eq!(progress.advance(repeated(10, Some(10))), Ok(true));
        let again = progress.advance(repeated(10, Some(20)));
        assert_eq!(again, Err(BrokenRule::Repeated));
        // Equal items, one on each page.
        let mut progress = Progress::new(0, 1);
        for offset in 0..=10 {
            assert_eq!(progress.advance(repeated(1, Some(offset))), Ok(true));
        }
        let again = progress.advance(repeated(1, Some(11)));
        assert_eq!(again, Err(BrokenRule::Repeated));
        // Without an offset, the server may have ignored the requested one.
        let mut progress = Progress::new(0, 10);
        assert_eq!(progress.advance(repeated(10, None)), Ok(true));
        let again = progress.advance(repeated(10, None));
        assert_eq!(again, Err(BrokenRule::Repeated));
    }
    #[test]
    fn repetitions_that_are_not_in_a_row_are_no_error() {
        let mut progress = Progress::new(0, 10);
        for (offset, fingerprint) in [(0, 7), (10, 7), (20, 8), (30, 8), (40, 9), (50, 9)] {
            let page = ReceivedPage {
                offset: Some(offset),
                fingerprint,
                ..page(10, Some(100))
            };
            assert_eq!(progress.advance(page), Ok(true), "{offset}");
        }
    }
}
