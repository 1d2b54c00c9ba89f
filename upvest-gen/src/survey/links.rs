//! The places through which a value of the description is reached.

/// Places, each with the place that leads to it.
#[derive(Debug, Default)]
pub(crate) struct Links(Vec<Link>);

#[derive(Debug)]
struct Link {
    places: Vec<String>,
    from: Option<usize>,
    is_schema: bool,
}

impl Links {
    /// Adds the places of an operation, a parameter or a body.
    pub(crate) fn part(&mut self, places: Vec<String>, from: Option<usize>) -> usize {
        self.add(places, from, false)
    }

    /// Adds the places of the schemas of a value.
    pub(crate) fn schema(&mut self, places: Vec<String>, from: Option<usize>) -> usize {
        self.add(places, from, true)
    }

    fn add(&mut self, places: Vec<String>, from: Option<usize>, is_schema: bool) -> usize {
        self.0.push(Link {
            places,
            from,
            is_schema,
        });
        self.0.len() - 1
    }

    /// Whether a note at `pointer` is about the value of `link`, about a value around it, or about the parameter, body or response
    /// in which it is.
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

    /// A link and all that lead to it, the link itself first.
    fn way(&self, link: usize) -> impl Iterator<Item = &Link> {
        let first = self.0.get(link);
        std::iter::successors(first, |link| self.0.get(link.from?))
    }
}

/// Whether a note at `pointer` is about the value at `place` itself: a keyword of it, but nothing that it contains.
fn is_about(pointer: &str, place: &str) -> bool {
    let inner = ["/properties/", "/items", "/additionalProperties"];
    let rest = pointer.strip_prefix(place).unwrap_or_default();
    is_within(pointer, place) && !inner.iter().any(|step| rest.contains(step))
}

/// Whether `inner` is `outer` or a place in it. Nothing is within the whole document, as that says nothing about the place.
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
