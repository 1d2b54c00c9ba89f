//! Judges the effect of a change on callers in Rust.

use serde::Serialize;

/// The effect of a change on code that calls the generated client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// Code that uses the changed part no longer compiles.
    Build,
    /// All code compiles, but calls fail or mean something else until the code is changed.
    Calls,
    /// All code compiles, and calls succeed as before.
    None,
}

/// The kind of change of a part or a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is a new part.
    Added,
    /// There is a new required part. Requests without it are invalid.
    Required,
    /// The part is gone.
    Removed,
    /// The subject has another name.
    Renamed,
    /// The fact has a value for the first time.
    Gained,
    /// The fact has no value any more.
    Lost,
    /// The fact has another value.
    Changed,
}

impl Step {
    fn action(self) -> &'static str {
        match self {
            Self::Added | Self::Required => "added",
            Self::Removed => "removed",
            Self::Renamed => "renamed",
            Self::Gained | Self::Lost | Self::Changed => "changed",
        }
    }
}

/// A changed fact or part.
pub(super) struct Subject<'a> {
    /// `operation`, `parameter`, `type`, `field` and so on.
    pub(super) kind: &'a str,
    /// The name of the fact. Empty for the whole subject.
    pub(super) fact: &'a str,
    pub(super) step: Step,
    pub(super) before: Option<&'a str>,
    pub(super) after: Option<&'a str>,
    /// Whether the value occurs in requests.
    pub(super) is_sent: bool,
}

impl Subject<'_> {
    pub(super) fn action(&self) -> &'static str {
        match (self.is_about_value(), self.removes_value()) {
            (true, true) => "removed",
            (true, false) => "added",
            _ => self.step.action(),
        }
    }

    /// Whether the fact is one accepted value, such as `value SELL`.
    pub(super) fn is_about_value(&self) -> bool {
        keyword(self.fact).starts_with("value ")
    }

    /// Whether the fact is a value that is not accepted any more. A value of a named enum has a fact only while it is
    /// `not listed`, and any other value only while it is `listed`.
    fn removes_value(&self) -> bool {
        self.after == Some("not listed") || self.before == Some("listed")
    }
}

type Verdict = (Impact, &'static str);

/// Returns the effect of a change, and the reason.
pub(super) fn verdict(subject: &Subject<'_>) -> Verdict {
    let found = match subject.kind {
        // These have no constraints that a caller has to meet.
        "description" => Some(of_whole_description(subject)),
        "place" => Some((Impact::None, "no code depends on it")),
        "page" => Some((Impact::None, "the code that reads pages does not change")),
        "error" | "errors" => Some((
            Impact::None,
            "an error is read as a `Problem`, which keeps its whole body",
        )),
        "header" => Some((Impact::None, "the client sets this header by itself")),
        "operation" => Some(of_operation(subject)),
        "webhook" => Some((Impact::None, "other lines say which types of events change")),
        "envelope" => Some(of_envelope(subject)),
        "parameter" => of_parameter(subject),
        "type" => of_type(subject),
        "field" => of_field(subject),
        "enum" => of_enum(subject),
        "body" | "answer" => of_body(subject),
        "id" | "variant" | "event" | "object" => of_names(subject),
        _ => None,
    };
    found
        .or_else(|| of_constraint(subject))
        // A false alarm is better than none.
        .unwrap_or((Impact::Build, "callers may depend on it"))
}

fn of_whole_description(subject: &Subject<'_>) -> Verdict {
    match subject.fact {
        "servers" => (
            Impact::Calls,
            "the client keeps its configured base URL; check whether you must change it",
        ),
        _ => (Impact::None, "no code depends on it"),
    }
}

fn of_operation(subject: &Subject<'_>) -> Verdict {
    use Impact::{Build, Calls, None};
    match (subject.fact, subject.step) {
        ("", Step::Removed) => (Build, "the method of the client and its builder are gone"),
        ("", _) => (None, "nobody uses it yet"),
        ("operationId", _) => (
            Build,
            "the method of the client and its builder have other names",
        ),
        ("method name", _) => (Build, "the method of the client has another name"),
        ("builder", _) => (Build, "the builder has another name"),
        ("method", _) => (None, "the same call goes out with the new method"),
        ("path", _) => (None, "the same call goes to the new place"),
        ("scopes", _) => (
            None,
            "tokens are requested for the new scopes, which your client must be granted",
        ),
        ("optional scopes", _) => (
            Calls,
            "a client without scopes of its own requests others, of which one may be missing or not granted",
        ),
        ("scope sets", _) => (None, "a token with the scopes of one set suffices"),
        ("idempotency key", Step::Gained) => (None, "the client can repeat the call safely"),
        ("idempotency key", _) => (
            None,
            "the client does not repeat the call any more, as that might do it twice",
        ),
        ("paging", Step::Lost) => (Build, "its builder cannot be paged: it is not `Paginated`"),
        ("paging", _) => (None, "its builder can be paged"),
        ("page size max", _) if is_lower(subject) => {
            (Calls, "a call that asks for more items is rejected")
        }
        ("page size min", _) if is_higher(subject) => {
            (Calls, "a call that asks for fewer items is rejected")
        }
        ("page size default", _) => (None, "only the number of requests for a list changes"),
        ("page size max" | "page size min", _) => (None, "each page size of before is accepted"),
        ("body", Step::Gained) => (Calls, "a call without a body may be rejected"),
        ("body", Step::Lost) => (Build, "the setter of the body is gone"),
        ("body", _) => (Build, "the setter of the body takes another type"),
        ("content", _) => (Build, "`send` returns another type"),
        ("download", Step::Gained) => (None, "its builder has a method `download`"),
        ("download", Step::Lost) => (Build, "its builder has no method `download`"),
        ("statuses", _) => (
            None,
            "every 2xx is a success, every other status an `Error`",
        ),
        ("servers", _) => (
            Calls,
            "the client keeps its configured base URL; check whether that server has this operation",
        ),
        ("deprecated", Step::Gained) => (None, "it still works, but will be removed one day"),
        ("deprecated", _) => (None, "it is not going to be removed"),
        ("callbacks", _) => (None, "the crate does not read callbacks"),
        _ => (None, "callers use the operation as before"),
    }
}

fn of_parameter(subject: &Subject<'_>) -> Option<Verdict> {
    use Impact::{Build, Calls, None};
    Some(match (subject.fact, subject.step) {
        ("", Step::Required) => (
            Calls,
            "a call that does not set it is rejected before it is sent",
        ),
        ("", Step::Added) => (None, "callers may set it"),
        ("", _) => (Build, "its setter is gone"),
        ("required", Step::Gained) => (
            Build,
            "its setter takes no `Option`, and a call that does not set it is rejected",
        ),
        ("required", _) => (None, "callers may leave it out"),
        ("type", _) => (Build, "its setter takes another type"),
        ("setter", _) => (Build, "its setter has another name"),
        ("place" | "joined" | "style" | "explode" | "allowReserved" | "media types", _) => {
            (None, "calls write it in the new way")
        }
        _ => return Option::None,
    })
}

fn of_type(subject: &Subject<'_>) -> Option<Verdict> {
    use Impact::{Build, Calls, None};
    Some(match (subject.fact, subject.step) {
        ("", Step::Removed) => (Build, "the type is gone"),
        ("", _) => (None, "nobody uses it yet"),
        ("sent", Step::Gained) => (None, "it has a builder"),
        ("sent", _) => (
            Build,
            "its builder is there for tests alone, behind the feature `test-util`",
        ),
        ("discriminator", _) => (Calls, "another field may tell the alternatives apart"),
        _ => return Option::None,
    })
}

fn of_field(subject: &Subject<'_>) -> Option<Verdict> {
    use Impact::{Build, Calls, None};
    Some(match (subject.fact, subject.step) {
        ("", Step::Required) => (Calls, "a body without it is rejected before it is sent"),
        ("", Step::Added) => (None, "a struct may get new fields"),
        ("", _) => (Build, "the field is gone"),
        ("type", _) => (Build, "the field has another type"),
        ("in Rust", _) => (
            Build,
            "what may be missing is an `Option`, what may be `null` in a request is `Nullable`",
        ),
        ("rust", _) => (Build, "the field has another name"),
        ("required" | "nullable", _) => (
            None,
            "where the type of the field changes, another line says so",
        ),
        ("sensitive" | "blank" | "recursive", _) => (None, "the field has the same type"),
        _ => return Option::None,
    })
}

fn of_enum(subject: &Subject<'_>) -> Option<Verdict> {
    use Impact::{Build, None};
    Some(match (subject.fact, subject.step) {
        ("", Step::Removed) => (Build, "the type is gone"),
        ("", _) => (None, "nobody uses it yet"),
        ("finals", Step::Lost) => (Build, "things with this status cannot be waited for"),
        ("finals", _) => (None, "the wait methods return at these values"),
        _ => return Option::None,
    })
}

fn of_body(subject: &Subject<'_>) -> Option<Verdict> {
    use Impact::{Calls, None};
    Some(match (subject.fact, subject.step) {
        ("", _) => (None, "another line says what changes for callers"),
        ("required", Step::Gained) => (Calls, "a call without a body is rejected"),
        ("required", _) => (None, "the body may be left out"),
        (fact, _) if fact == "media types" || fact.contains(": ") => {
            (None, "where the type changes, another line says so")
        }
        _ => return Option::None,
    })
}

/// Judges a change of an event's field that is not its object.
fn of_envelope(subject: &Subject<'_>) -> Verdict {
    match (subject.fact, subject.step) {
        ("", Step::Removed) => (Impact::Calls, "an event without it may not be readable"),
        ("type", _) => (
            Impact::Calls,
            "an event with another value may not be readable",
        ),
        _ => (Impact::None, "events are read as before"),
    }
}

fn of_names(subject: &Subject<'_>) -> Option<Verdict> {
    use Impact::{Build, Calls, None};
    Some(match (subject.kind, subject.fact, subject.step) {
        ("variant", "", Step::Removed) => (Build, "the variant is gone"),
        ("variant", "", _) => (None, "an enum may get new variants"),
        ("id", "", Step::Removed) => (Build, "the type is gone"),
        ("id", "", _) => (None, "nobody uses it yet"),
        ("event", "", Step::Removed) => (Build, "the variant of `EventObject` is gone"),
        ("object", "", Step::Removed) => {
            (Calls, "events of this type arrive without a typed object")
        }
        ("event" | "object", "", _) => (None, "events of this type carry a typed object"),
        ("event", "retrieved by", Step::Lost) => (
            Calls,
            "events that only name such an object are not fetched any more",
        ),
        ("event", "retrieved by", _) => (
            None,
            "events that only name such an object are fetched by this operation",
        ),
        _ => return Option::None,
    })
}

/// Returns the keyword of a fact such as `items.maximum`, or `value 1.5`.
fn keyword(fact: &str) -> &str {
    let is_value = |(at, _): &(usize, &str)| *at == 0 || fact[..*at].ends_with('.');
    match fact.match_indices("value ").find(is_value) {
        Some((at, _)) => &fact[at..],
        None => fact.rsplit('.').next().unwrap_or_default(),
    }
}

/// The change of the set of accepted values.
enum Turn {
    Narrower,
    Wider,
    Unknown,
}

/// Judges a change of a keyword that restricts or explains a value.
fn of_constraint(subject: &Subject<'_>) -> Option<Verdict> {
    use Impact::{Calls, None};
    let keyword = keyword(subject.fact);
    let is_json = matches!(subject.kind, "JSON") || keyword == "is described";
    Some(match keyword {
        "deprecated" => match subject.step {
            Step::Gained => (None, "it still works, but will be removed one day"),
            _ => (None, "it is not going to be removed"),
        },
        "default" if subject.is_sent => (Calls, "a request without it means the new value"),
        "default" => (None, "the response says which value it is"),
        _ if keyword.starts_with("x-") => (None, "no code depends on it"),
        "type" | "required" | "nullable" | "is described" if is_json || subject.fact != keyword => {
            (
                Calls,
                "code that reads or writes this JSON by itself may fail",
            )
        }
        _ if !subject.is_sent && !is_json => (None, "every value is read as before"),
        _ => match turn(keyword, subject) {
            Turn::Narrower => (Calls, "a request with another value is rejected"),
            Turn::Wider => (
                None,
                "each value that was accepted before is still accepted",
            ),
            Turn::Unknown if subject.kind == "event" => return Option::None,
            Turn::Unknown => (
                Calls,
                "some values that were accepted before may be rejected",
            ),
        },
    })
}

fn turn(keyword: &str, subject: &Subject<'_>) -> Turn {
    let is_narrower = match keyword {
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => {
            subject.step == Step::Gained || is_lower(subject)
        }
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" => {
            subject.step == Step::Gained || is_higher(subject)
        }
        "pattern" | "format" | "multipleOf" | "uniqueItems" | "not" => {
            if subject.step == Step::Changed {
                return Turn::Unknown;
            }
            subject.step == Step::Gained
        }
        _ if subject.is_about_value() => subject.removes_value(),
        _ => return Turn::Unknown,
    };
    if is_narrower {
        Turn::Narrower
    } else {
        Turn::Wider
    }
}

fn is_lower(subject: &Subject<'_>) -> bool {
    let (Some(before), Some(after)) = (number(subject.before), number(subject.after)) else {
        return subject.step == Step::Changed;
    };
    after < before
}

fn is_higher(subject: &Subject<'_>) -> bool {
    let (Some(before), Some(after)) = (number(subject.before), number(subject.after)) else {
        return subject.step == Step::Changed;
    };
    after > before
}

fn number(text: Option<&str>) -> Option<f64> {
    text?.parse().ok()
}
