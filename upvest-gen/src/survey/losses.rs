//! Reports missing items that no other part of the generator reports.

use std::collections::BTreeMap;

use super::items::{Item, ItemKind, Presence};
use super::links::Links;
use crate::error::Error;
use crate::model::Api;

/// The maximum number of names in a message.
const SHOWN: usize = 5;

/// Returns the losses among `items` that neither a note nor a problem of `api` explains, each with its place in `file`.
pub(crate) fn unreported(
    items: &[(Item, Presence)],
    links: &Links,
    api: &Api,
    file: &str,
) -> Vec<Error> {
    let mut losses: BTreeMap<Loss<'_>, Vec<&str>> = BTreeMap::new();
    for (item, presence) in items {
        let is_explained = explanation(links, &api.left_out, &api.notes, *presence).is_some();
        if !is_explained && let Some(loss) = loss(links, item, *presence) {
            losses.entry(loss).or_default().push(short(item));
        }
    }
    let losses = losses.iter();
    losses
        .map(|(loss, names)| {
            let held = loss.held.map(|held| format!(", which has {held} here"));
            let held = held.unwrap_or_default();
            let are = if names.len() == 1 { "is" } else { "are" };
            Error::at(
                loss.place,
                format!("{} {are} not in the crate{held}", list(names)),
                "give it a single type in the overlay, or leave it so if no caller needs it",
            )
            .in_file(file)
        })
        .collect()
}

/// Several items that are lost at the same place.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Loss<'s> {
    place: &'s str,
    /// The type that the crate has at this place, in words.
    held: Option<&'s str>,
    kind: ItemKind,
}

fn loss<'s>(links: &'s Links, item: &Item, presence: Presence) -> Option<Loss<'s>> {
    let (link, held) = match presence {
        Presence::Present => return None,
        Presence::Lost(link) => {
            let end = links.nearest_typed(link);
            (end, links.held(end))
        }
        Presence::Absent(link) => (links.nearest_part(link), None),
    };
    Some(Loss {
        place: links.place(link)?,
        held,
        kind: item.kind,
    })
}

/// Returns the problem or the note that explains why something is not in the crate.
pub(crate) fn explanation<'a>(
    links: &Links,
    left_out: &'a [Error],
    notes: &'a [Error],
    presence: Presence,
) -> Option<&'a Error> {
    let note_on = |link: usize| {
        let mut notes = notes.iter();
        notes.find(|note| links.is_noted_at(link, note.pointer()))
    };
    match presence {
        Presence::Present => None,
        Presence::Lost(link) => note_on(link),
        Presence::Absent(link) => {
            let mut problems = left_out.iter();
            let problem = problems.find(|problem| links.is_left_out_at(link, problem.pointer()));
            problem.or_else(|| note_on(link))
        }
    }
}

/// Returns the last part of a name.
fn short(item: &Item) -> &str {
    let name = match item.kind {
        ItemKind::Field => item.name.rsplit('/').next(),
        ItemKind::EnumValue => item.name.split_once(" = ").map(|(_, value)| value),
        _ => None,
    };
    name.unwrap_or(&item.name)
}

fn list(names: &[&str]) -> String {
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
