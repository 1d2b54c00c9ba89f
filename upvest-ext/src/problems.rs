//! What is wrong with the settings of a builder.

/// A part of the settings. Setting it again removes the problems with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Environment,
    Credentials,
    SigningKey,
    Scopes,
    Headers,
}

/// The problems so far, in the order in which they were found.
#[derive(Default)]
pub(crate) struct Problems(Vec<(Setting, String)>);

impl Problems {
    pub(crate) fn add(&mut self, setting: Setting, problem: impl Into<String>) {
        self.0.push((setting, problem.into()));
    }

    pub(crate) fn extend(&mut self, problems: Self) {
        self.0.extend(problems.0);
    }

    /// Removes the problems with a setting.
    pub(crate) fn clear(&mut self, setting: Setting) {
        self.0.retain(|(other, _)| *other != setting);
    }

    pub(crate) fn concern(&self, setting: Setting) -> bool {
        self.0.iter().any(|(other, _)| *other == setting)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All problems in one line.
    pub(crate) fn text(&self) -> String {
        let texts: Vec<_> = self.0.iter().map(|(_, text)| text.as_str()).collect();
        texts.join("; ")
    }
}
