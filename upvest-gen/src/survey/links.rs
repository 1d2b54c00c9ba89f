//! The places through which a value of the description is reached.

/// Links: places, each with the link that leads to it.
#[derive(Debug, Default)]
pub(crate) struct Links(Vec<Link>);

#[derive(Debug)]
struct Link {
    places: Vec<String>,
    from: Option<usize>,
    is_schema: bool,
    /// The crate's counterpart of the value, in words. `None` for a part of an untyped value.
    held: Option<&'static str>,
}

impl Links {
    /// Adds the places of an operation, a parameter or a body.
    pub(crate) fn part(&mut self, places: Vec<String>, from: Option<usize>) -> usize {
        self.add(Link {
            places,
            from,
            is_schema: false,
            held: None,
        })
    }

    /// Adds the schemas of a value, by their places. `held` names the crate's counterpart, and `from` is the index of
    /// the value around it. Returns the index of the new link.
    pub(crate) fn schema(
        &mut self,
        places: Vec<String>,
        from: Option<usize>,
        held: Option<&'static str>,
    ) -> usize {
        self.add(Link {
            places,
            from,
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

    /// Returns the crate's counterpart of the value of a link, in words.
    pub(crate) fn held(&self, link: usize) -> Option<&str> {
        self.0.get(link)?.held
    }

    /// The innermost value around `link`, or `link` itself, that has a type in the crate.
    pub(crate) fn end_of_types(&self, link: usize) -> usize {
        self.first(link, |link| link.held.is_some() || !link.is_schema)
    }

    /// The parameter, body, response or event around `link`, or `link` itself.
    pub(crate) fn part_around(&self, link: usize) -> usize {
        self.first(link, |link| !link.is_schema)
    }

    fn first(&self, mut link: usize, is_wanted: impl Fn(&Link) -> bool) -> usize {
        while let Some(found) = self.0.get(link)
            && let Some(from) = found.from
            && !is_wanted(found)
        {
            link = from;
        }
        link
    }

    /// Whether a note at `pointer` is about the value of `link`, a value around it, or the parameter, body or response
    /// that contains it.
    pub(crate) fn are_noted_at(&self, link: usize, pointer: &str) -> bool {
        for link in self.way(link) {
            if link.places.iter().any(|place| is_about(pointer, place)) {
                return true;
            }
            if !link.is_schema {
                break;
            }
        }
        false
    }

    /// Whether a problem at `pointer` leaves out the operation in which `link` is.
    pub(crate) fn are_left_out_at(&self, link: usize, pointer: &str) -> bool {
        let parts = self.way(link).filter(|link| !link.is_schema);
        let mut places = parts.flat_map(|link| &link.places);
        places.any(|place| is_within(pointer, place) || is_within(place, pointer))
    }

    /// Returns a link and all links that lead to it. The link itself comes first.
    fn way(&self, link: usize) -> impl Iterator<Item = &Link> {
        let first = self.0.get(link);
        std::iter::successors(first, |link| self.0.get(link.from?))
    }
}

/// Whether a note at `pointer` is about the schema at `place` or one of its keywords, not about a property or an item.
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

/// Whether `inner` is `outer` or a place in it. False if `outer` is the whole document, because that tells nothing
/// about a place.
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
