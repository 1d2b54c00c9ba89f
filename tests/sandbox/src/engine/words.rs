//! The words by which the engine recognizes the parts of a description. Nothing else in it depends on names.

/// Fields with the status of a resource.
pub(super) const STATUS: [&str; 2] = ["status", "state"];
/// Statuses of a resource that was just created, if the description has no default. Otherwise it gets the first status.
pub(super) const FIRST: [&str; 5] = [
    "NEW",
    "CREATED",
    "PENDING",
    "PENDING_APPROVAL",
    "PROCESSING",
];
/// Statuses of a resource that is being ended, and of one that has ended.
pub(super) const ENDING: [&str; 3] = ["CLOSING", "OFFBOARDING", "CANCELLING"];
pub(super) const ENDED: [&str; 10] = [
    "CANCELLED",
    "CANCELED",
    "CLOSED",
    "OFFBOARDED",
    "DELETED",
    "REVOKED",
    "DEACTIVATED",
    "INACTIVE",
    "REMOVED",
    "ARCHIVED",
];
/// Fields with the time of creation and of the last change, without separators.
pub(super) const CREATED_AT: [&str; 4] = ["createdat", "created", "creationtime", "createtime"];
pub(super) const UPDATED_AT: [&str; 4] = ["updatedat", "updated", "modifiedat", "updatetime"];
/// Parameters and fields of pages, without separators.
pub(super) const LIMIT: [&str; 7] = [
    "limit",
    "pagesize",
    "perpage",
    "size",
    "maxresults",
    "first",
    "top",
];
pub(super) const OFFSET: [&str; 4] = ["offset", "skip", "start", "startindex"];
pub(super) const PAGE: [&str; 3] = ["page", "pagenumber", "pageindex"];
pub(super) const CURSOR: [&str; 7] = [
    "cursor",
    "pagetoken",
    "after",
    "startingafter",
    "nexttoken",
    "continuationtoken",
    "marker",
];
pub(super) const NEXT: [&str; 7] = [
    "next",
    "nextcursor",
    "nextpagetoken",
    "nexttoken",
    "endcursor",
    "continuationtoken",
    "nextpage",
];
pub(super) const COUNT: [&str; 3] = ["count", "returned", "numberofelements"];
pub(super) const TOTAL: [&str; 6] = [
    "total",
    "totalcount",
    "totalelements",
    "totalitems",
    "totalresults",
    "xtotalcount",
];
pub(super) const PAGES: [&str; 3] = ["pages", "totalpages", "pagecount"];
pub(super) const MORE: [&str; 3] = ["hasmore", "hasnext", "hasnextpage"];
/// Parameters for sorting.
pub(super) const SORT: [&str; 4] = ["sort", "sortby", "orderby", "sortfield"];
pub(super) const ORDER: [&str; 4] = ["order", "sortorder", "direction", "sortdirection"];
/// Fields with the items of a list, or with the only item of a response.
pub(super) const ITEMS: [&str; 5] = ["data", "items", "results", "records", "values"];
pub(super) const ITEM: [&str; 5] = ["data", "item", "result", "record", "resource"];
/// Collections of webhook subscriptions.
pub(super) const WEBHOOKS: [&str; 3] = ["webhook", "hook", "subscription"];
/// Fields of a subscription: its URL, its event types, and whether it is enabled.
pub(super) const URL: [&str; 6] = [
    "url",
    "callbackurl",
    "targeturl",
    "endpoint",
    "endpointurl",
    "uri",
];
pub(super) const EVENTS: [&str; 8] = [
    "type",
    "types",
    "events",
    "eventtypes",
    "enabledevents",
    "eventcategories",
    "topics",
    "event",
];
pub(super) const ENABLED: [&str; 3] = ["enabled", "active", "isactive"];
/// Fields of an event: its type, and its resource.
pub(super) const EVENT_TYPE: [&str; 4] = ["type", "eventtype", "event", "topic"];
pub(super) const EVENT_OBJECT: [&str; 4] = ["object", "data", "resource", "payload"];

/// Returns a name without separators and capitals, so that `X-Total-Count` and `total_count` are equal.
pub(crate) fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether a name is one of `words`.
pub(super) fn is_one_of(name: &str, words: &[&str]) -> bool {
    words.contains(&plain(name).as_str())
}

/// Returns the singular of an English plural: `tax_residencies` becomes `tax_residency`.
pub(super) fn singular(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let without = |count: usize| name[..name.len() - count].to_owned();
    if !name.is_ascii() {
        name.to_owned()
    } else if lower.ends_with("ies") && lower.len() > 4 {
        without(3) + "y"
    } else if ["sses", "xes", "ches", "shes"]
        .iter()
        .any(|end| lower.ends_with(end))
    {
        without(2)
    } else if lower.ends_with('s') && !lower.ends_with("ss") && !lower.ends_with("us") {
        without(1)
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn singulars_are_english() {
        for (plural, one) in [
            ("orders", "order"),
            ("tax_residencies", "tax_residency"),
            ("businesses", "business"),
            ("addresses", "address"),
            ("boxes", "box"),
            ("status", "status"),
            ("prices", "price"),
            ("savings_plans", "savings_plan"),
        ] {
            assert_eq!(singular(plural), one);
        }
    }
}
