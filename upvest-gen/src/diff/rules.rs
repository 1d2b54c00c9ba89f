//! What a change means for callers in Rust, and why.

use super::{Impact, Kind, Parts};

/// The thing that has changed, as it was and as it is.
pub(super) struct Context<'a> {
    pub(super) kind: Kind,
    pub(super) before: Option<&'a Parts>,
    pub(super) after: Option<&'a Parts>,
}

impl Context<'_> {
    /// Judges the change of a fact, of a whole part where `fact` is empty, or of the whole thing where `part` is empty as well.
    pub(super) fn judge(
        &self,
        part: &str,
        fact: &str,
        before: Option<&String>,
        after: Option<&String>,
    ) -> (Impact, String) {
        let (sort, name) = part.split_once(' ').unwrap_or((part, ""));
        let (impact, reason) = match (self.kind, fact, before, after) {
            (Kind::Place, ..) => (Impact::Compatible, "no code is generated from it"),
            (_, "", Some(_), None) => self.removed(sort),
            (_, "", ..) => self.added(sort, part),
            (Kind::Operation, ..) => self.operation(sort, fact, before, after),
            _ => self.type_(sort, part, fact, before, after),
        };
        (impact, reason.replace("{}", name))
    }

    fn removed(&self, sort: &str) -> (Impact, &'static str) {
        match (self.kind, sort) {
            (Kind::Operation, "") => (Impact::BreaksBuild, "the method of the client and its builder are gone"),
            (Kind::Event, "type") => (Impact::BreaksCalls, "events of this type arrive without a typed object"),
            (_, "") => (Impact::BreaksBuild, "the type is gone"),
            (_, "parameter") => (Impact::BreaksBuild, "its setter is gone"),
            (_, "field") => (Impact::BreaksBuild, "the field is gone"),
            _ => (Impact::BreaksBuild, "the variant is gone"),
        }
    }

    fn added(&self, sort: &str, part: &str) -> (Impact, &'static str) {
        let is_required = fact(self.after, part, "presence") == "required";
        match sort {
            "parameter" if is_required => {
                (Impact::BreaksCalls, "a call that does not set it is refused before it is sent")
            }
            "field" if is_required && self.was("sent") && self.is("sent") => {
                (Impact::BreaksCalls, "a body without it is refused before it is sent")
            }
            "parameter" => (Impact::Compatible, "callers may set it"),
            "field" => (Impact::Compatible, "a struct may get new fields"),
            "value" | "variant" => (Impact::Compatible, "an enum may get new variants"),
            _ => (Impact::Compatible, "nobody uses it yet"),
        }
    }

    fn operation(
        &self,
        sort: &str,
        fact: &str,
        before: Option<&String>,
        after: Option<&String>,
    ) -> (Impact, &'static str) {
        let (before, after) = (text(before), text(after));
        let (had, has) = (before != "none", after != "none");
        let body = |text: &str| text.split_once(" as ").map_or(text.to_owned(), |(kind, _)| kind.to_owned());
        match (sort, fact) {
            ("parameter", "type") => (Impact::BreaksBuild, "its setter takes another type"),
            ("parameter", "setter") => (Impact::BreaksBuild, "its setter has another name"),
            ("parameter", "presence") if after == "required" => {
                (Impact::BreaksBuild, "its setter takes no `Option`, and a call that does not set it is refused")
            }
            ("parameter", "presence") => (Impact::Compatible, "callers may leave it out"),
            ("parameter", _) => (Impact::Compatible, "calls write it in the new way"),
            (_, "method of the client" | "builder") => (Impact::BreaksBuild, "it has another name"),
            (_, "answer") => (Impact::BreaksBuild, "`send` returns another type"),
            (_, "body") if !had => (Impact::BreaksCalls, "a call without a body may be refused"),
            (_, "body") if !has => (Impact::BreaksBuild, "the setter of the body is gone"),
            (_, "body") if body(before) != body(after) => (Impact::BreaksBuild, "the setter of the body takes another type"),
            (_, "paging") if !has => (Impact::BreaksBuild, "its builder cannot be paged (`Paginated` is gone)"),
            (_, "paging") if !had => (Impact::Compatible, "its builder can be paged"),
            (_, "download") if !has => (Impact::BreaksBuild, "the method `download` is gone"),
            (_, "download") if !had => (Impact::Compatible, "its builder has a method `download`"),
            (_, "idempotency") if !has => {
                (Impact::Compatible, "the client does not repeat the call any more, as that might do it twice")
            }
            (_, "idempotency") => (Impact::Compatible, "the client can repeat the call safely"),
            (_, "scopes") => (Impact::Compatible, "tokens are requested for the new scopes, which your client must be granted"),
            (_, "statuses") => (Impact::Compatible, "every 2xx is a success, every other status an `Error`"),
            (_, "path" | "HTTP method") => (Impact::Compatible, "the same call goes to the new place"),
            _ => (Impact::Compatible, "the new value is sent"),
        }
    }

    fn type_(
        &self,
        sort: &str,
        part: &str,
        name: &str,
        before: Option<&String>,
        after: Option<&String>,
    ) -> (Impact, &'static str) {
        match (sort, name) {
            ("field", "presence") if self.written(self.before, part) != self.written(self.after, part) => {
                (Impact::BreaksBuild, "the field has another type: an `Option` for what may be missing")
            }
            ("field", "presence") => (Impact::Compatible, "the field has the same type"),
            ("field", "in `Debug`") => (Impact::Compatible, "only `Debug` differs"),
            ("field" | "variant", "type") => (Impact::BreaksBuild, "the value has another type"),
            ("", "direction") if self.is("received") => {
                (Impact::BreaksBuild, "its builder is there for tests only, behind the feature `test-util`")
            }
            ("", "direction") if self.has_nullable() => {
                (Impact::BreaksBuild, "fields that may be `null` are `Nullable`, as requests tell absent from `null`")
            }
            ("", "direction") => (Impact::Compatible, "it has a builder"),
            ("", "final values") if text(after).is_empty() => {
                (Impact::BreaksBuild, "things with this status cannot be waited for (`Settles` is gone)")
            }
            ("", "final values") if text(before).is_empty() => {
                (Impact::Compatible, "things with this status can be waited for")
            }
            ("", "final values") => (Impact::Compatible, "waiting ends at these values"),
            ("", _) => (Impact::BreaksBuild, "a struct and an enum are used differently"),
            _ => (Impact::BreaksBuild, "callers name it by its new name"),
        }
    }

    fn was(&self, direction: &str) -> bool {
        fact(self.before, "", "direction") == direction
    }

    fn is(&self, direction: &str) -> bool {
        fact(self.after, "", "direction") == direction
    }

    /// Whether a field is `Nullable` where the type is sent.
    fn has_nullable(&self) -> bool {
        let parts = self.before.into_iter().flatten();
        parts.into_iter().any(|(part, _)| fact(self.before, part, "presence").starts_with("optional, nullable"))
    }

    /// How a field wraps its type.
    fn written(&self, parts: Option<&Parts>, part: &str) -> &'static str {
        let sent = fact(parts, "", "direction") == "sent";
        match fact(parts, part, "presence") {
            "required" => "plain",
            "blank" if sent => "plain",
            presence if sent && presence.starts_with("optional, nullable") => "Option<Nullable>",
            _ => "Option",
        }
    }
}

fn text(value: Option<&String>) -> &str {
    value.map_or("", String::as_str)
}

fn fact<'a>(parts: Option<&'a Parts>, part: &str, name: &str) -> &'a str {
    parts.and_then(|parts| parts.get(part)?.get(name)).map_or("", String::as_str)
}
