//! Finds the path template that matches the path of a request.
//!
//! Unlike a router for the paths of a program, it takes the paths of any description: several names for one place,
//! parameters within a segment, and templates that match the same paths. The template with more fixed text wins.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;

/// Path templates with their values.
#[derive(Debug)]
pub(crate) struct Paths<T> {
    /// By their number of segments.
    templates: HashMap<usize, Vec<Template<T>>>,
}

#[derive(Debug)]
struct Template<T> {
    path: String,
    segments: Vec<Segment>,
    value: T,
}

/// A segment of a template.
#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Fixed(String),
    /// Fixed texts with parameters between them: `{file}.{type}` has the texts "", "." and "".
    Parameters {
        texts: Vec<String>,
        names: Vec<String>,
    },
}

/// The parameters of a path, by name. `None` if one is not valid UTF-8.
pub(crate) type Parameters = Option<Vec<(String, String)>>;

impl<T> Paths<T> {
    pub(crate) fn new(values: impl IntoIterator<Item = (String, T)>) -> Self {
        let mut templates: HashMap<usize, Vec<Template<T>>> = HashMap::new();
        for (path, value) in values {
            let segments: Vec<_> = segments(&path).map(Segment::read).collect();
            let same_length = templates.entry(segments.len()).or_default();
            same_length.push(Template {
                path,
                segments,
                value,
            });
        }
        for same_length in templates.values_mut() {
            same_length.sort_by_cached_key(Template::rank);
        }
        Self { templates }
    }

    /// The value of the template that matches `path`, and the parameters in the path.
    pub(crate) fn find(&self, path: &str) -> Option<(&T, Parameters)> {
        let segments: Vec<_> = segments(path).collect();
        let templates = self.templates.get(&segments.len())?;
        templates.iter().find_map(|template| {
            let parameters = template.read(&segments)?;
            Some((&template.value, parameters))
        })
    }
}

impl<T> Template<T> {
    /// The order of templates: those with a fixed segment further left come first.
    fn rank(&self) -> (Vec<u8>, String) {
        let ranks = self.segments.iter().map(Segment::rank);
        (ranks.collect(), self.path.clone())
    }

    /// The parameters, if the path matches.
    fn read(&self, path: &[&str]) -> Option<Parameters> {
        let mut found = Vec::new();
        for (segment, text) in self.segments.iter().zip(path) {
            match segment {
                Segment::Fixed(fixed) if fixed == text => {}
                Segment::Fixed(_) => return None,
                Segment::Parameters { texts, names } => found.extend(split(texts, names, text)?),
            }
        }
        let decoded = found.into_iter().map(|(name, text)| {
            let text = percent_decode_str(text).decode_utf8().ok()?;
            Some((name.to_owned(), text.into_owned()))
        });
        Some(decoded.collect())
    }
}

impl Segment {
    fn rank(&self) -> u8 {
        match self {
            Self::Fixed(_) => 0,
            Self::Parameters { texts, .. } if texts.iter().any(|text| !text.is_empty()) => 1,
            Self::Parameters { .. } => 2,
        }
    }

    fn read(segment: &str) -> Self {
        let mut texts = Vec::new();
        let mut names = Vec::new();
        let mut rest = segment;
        while let Some((text, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                break;
            };
            texts.push(text.to_owned());
            names.push(name.to_owned());
            rest = after;
        }
        if names.is_empty() {
            return Self::Fixed(segment.to_owned());
        }
        texts.push(rest.to_owned());
        Self::Parameters { texts, names }
    }
}

/// The values of the parameters in a segment. Each has at least one character.
fn split<'a>(
    texts: &[String],
    names: &'a [String],
    segment: &'a str,
) -> Option<Vec<(&'a str, &'a str)>> {
    let (first, later) = texts.split_first()?;
    let mut rest = segment.strip_prefix(first.as_str())?;
    let mut found = Vec::new();
    for (at, (text, name)) in later.iter().zip(names).enumerate() {
        let is_last = at + 1 == later.len();
        let value = if is_last {
            rest.strip_suffix(text.as_str())?
        } else {
            let (value, after) = rest.split_once(text.as_str())?;
            rest = after;
            value
        };
        if value.is_empty() {
            return None;
        }
        found.push((name.as_str(), value));
    }
    Some(found)
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> Option<(&'static str, Vec<(String, String)>)> {
        let templates = [
            "/orders/{order_id}",
            "/orders/latest",
            "/orders/{id}/executions",
            "/files/{name}.{type}",
            "/orders/{order}:cancel",
            "/",
        ];
        let paths = Paths::new(templates.map(|path| (path.to_owned(), path)));
        let (template, parameters) = paths.find(path)?;
        Some((*template, parameters?))
    }

    #[test]
    fn a_path_finds_the_template_with_more_fixed_text() {
        let parameter = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert_eq!(found("/orders/latest"), Some(("/orders/latest", vec![])));
        assert_eq!(
            found("/orders/a%20b"),
            Some(("/orders/{order_id}", parameter("order_id", "a b")))
        );
        assert_eq!(
            found("/orders/1/executions"),
            Some(("/orders/{id}/executions", parameter("id", "1")))
        );
        assert_eq!(
            found("/orders/1:cancel").map(|(template, _)| template),
            Some("/orders/{order}:cancel")
        );
        let file = found("/files/a.b.pdf").map(|(_, parameters)| parameters);
        let file = file.expect("the path matches");
        assert_eq!(file[0].1.as_str(), "a");
        assert_eq!(file[1].1.as_str(), "b.pdf");
        assert_eq!(found("/"), Some(("/", vec![])));
        assert_eq!(found("/orders/"), None);
        assert_eq!(found("/orders/%ff"), None);
    }
}
