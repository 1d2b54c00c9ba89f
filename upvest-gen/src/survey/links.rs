//! Remembers through which places of the description each value was reached.

/// All links. A link is known by its index.
#[derive(Debug, Default)]
pub(crate) struct Links(Vec<Link>);

#[derive(Debug)]
struct Link {
    /// JSON pointers. There are several if schemas are merged.
    places: Vec<String>,
    /// The index of the enclosing value's link.
    parent: Option<usize>,
    /// Whether the places are schemas. Otherwise they are an operation, a parameter, a body, a response or an event.
    is_schema: bool,
    /// The type that the crate has at this place, in words. `None` inside an untyped value.
    held: Option<&'static str>,
}

impl Links {
    /// Adds a link for an operation, a parameter, a body, a response or an event at these JSON pointers. `parent` is
    /// the index of the enclosing value's link. Returns the index of the new link.
    pub(crate) fn add_part(&mut self, places: Vec<String>, parent: Option<usize>) -> usize {
        self.add(Link {
            places,
            parent,
            is_schema: false,
            held: None,
        })
    }

    /// Adds a link for the schemas at these JSON pointers. `parent` is the index of the enclosing value's link. `held`
    /// says in words which type the crate has at this place, and is `None` inside an untyped value. Returns the index
    /// of the new link.
    pub(crate) fn add_schemas(
        &mut self,
        places: Vec<String>,
        parent: Option<usize>,
        held: Option<&'static str>,
    ) -> usize {
        self.add(Link {
            places,
            parent,
            is_schema: true,
            held,
        })
    }

    fn add(&mut self, link: Link) -> usize {
        self.0.push(link);
        self.0.len() - 1
    }

    /// The first place of a link.
    pub(crate) fn place(&self, link: usize) -> Option<&str> {
        self.0.get(link)?.places.first().map(String::as_str)
    }

    /// Says in words which type the crate has at the places of a link. `None` inside an untyped value.
    pub(crate) fn held(&self, link: usize) -> Option<&str> {
        self.0.get(link)?.held
    }

    /// The nearest link, from `link` upwards, at which the crate has a type.
    pub(crate) fn nearest_typed(&self, link: usize) -> usize {
        self.nearest(link, |link| link.held.is_some() || !link.is_schema)
    }

    /// The nearest link, from `link` upwards, of a parameter, a body, a response or an event.
    pub(crate) fn nearest_part(&self, link: usize) -> usize {
        self.nearest(link, |link| !link.is_schema)
    }

    /// The first link from `link` upwards that `is_wanted` accepts, or else the root.
    fn nearest(&self, mut link: usize, is_wanted: impl Fn(&Link) -> bool) -> usize {
        while let Some(found) = self.0.get(link)
            && let Some(parent) = found.parent
            && !is_wanted(found)
        {
            link = parent;
        }
        link
    }

    /// Whether a note at `pointer` is about the schema of `link`, or about that of one of its ancestors, up to the
    /// parameter, body, response or event.
    pub(crate) fn is_noted_at(&self, link: usize, pointer: &str) -> bool {
        for link in self.ancestors(link) {
            if link.places.iter().any(|place| is_about(pointer, place)) {
                return true;
            }
            if !link.is_schema {
                break;
            }
        }
        false
    }

    /// Whether a problem at `pointer` leaves out the operation that contains `link`.
    pub(crate) fn is_left_out_at(&self, link: usize, pointer: &str) -> bool {
        let parts = self.ancestors(link).filter(|link| !link.is_schema);
        let mut places = parts.flat_map(|link| &link.places);
        places.any(|place| is_within(pointer, place) || is_within(place, pointer))
    }

    /// The link, then its parent, and so on up to the root.
    fn ancestors(&self, link: usize) -> impl Iterator<Item = &Link> {
        let first = self.0.get(link);
        std::iter::successors(first, |link| self.0.get(link.parent?))
    }
}

/// Whether a note at `pointer` is about the schema at `place` or one of its keywords. A note about a property or an
/// item of the schema is not.
fn is_about(pointer: &str, place: &str) -> bool {
    let inner = [
        "/properties/",
        "/items",
        "/additionalProperties",
        "/unevaluatedProperties",
    ];
    let rest = pointer.strip_prefix(place).unwrap_or_default();
    is_within(pointer, place) && !inner.iter().any(|step| rest.contains(step))
}

/// Whether the place `inner` is `outer` or inside `outer`. False if `outer` is the whole document, because that
/// contains every place.
fn is_within(inner: &str, outer: &str) -> bool {
    let rest = inner.strip_prefix(outer).filter(|_| !outer.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::is_about;

    #[test]
    fn a_note_is_about_a_value_and_its_keywords_but_not_its_parts() {
        assert!(is_about("/a", "/a"));
        assert!(is_about("/a/oneOf/1", "/a"));
        assert!(!is_about("/a/properties/b", "/a"));
        assert!(!is_about("/ab", "/a"));
        assert!(!is_about("", "/a"));
    }
}
