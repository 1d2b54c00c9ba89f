//! What a call has as its body, until it is sent.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use serde::Serialize;

use super::body_builder::Buildable;

/// The body of a request: nothing (`()`), [`Json`], [`Form`], [`Binary`] or [`Text`].
pub(crate) trait Body: Default {
    /// The bytes with their media type, or what is wrong.
    fn encode(self) -> Result<Option<(&'static str, Bytes)>, String>;

    /// Shows which fields are set, and no value.
    fn describe(&self) -> Option<String>;
}

impl Body for () {
    fn encode(self) -> Result<Option<(&'static str, Bytes)>, String> {
        Ok(None)
    }

    fn describe(&self) -> Option<String> {
        None
    }
}

/// A `T`, written as JSON.
pub(crate) type Json<T> = Structured<T, AsJson>;

/// A `T`, written as `application/x-www-form-urlencoded`.
pub(crate) type Form<T> = Structured<T, AsForm>;

/// A `T`, or the builder of one, written as `F` has it.
#[derive(Clone)]
pub(crate) struct Structured<T: Buildable, F> {
    draft: Draft<T>,
    format: PhantomData<fn() -> F>,
}

#[derive(Clone)]
enum Draft<T: Buildable> {
    Fields(T::Builder),
    Whole(T),
    Refused(String),
}

pub(crate) trait Format {
    const MEDIA_TYPE: &'static str;

    fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, String>;
}

#[derive(Clone)]
pub(crate) enum AsJson {}

impl Format for AsJson {
    const MEDIA_TYPE: &'static str = "application/json";

    fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
        serde_json::to_vec(value).map_err(|error| error.to_string())
    }
}

#[derive(Clone)]
pub(crate) enum AsForm {}

impl Format for AsForm {
    const MEDIA_TYPE: &'static str = "application/x-www-form-urlencoded";

    fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
        serde_urlencoded::to_string(value).map(String::into_bytes).map_err(|error| error.to_string())
    }
}

impl<T: Buildable, F> Structured<T, F> {
    pub(crate) fn set(&mut self, value: Result<T, impl fmt::Display>) {
        self.draft = value.map_or_else(|error| Draft::Refused(error.to_string()), Draft::Whole);
    }

    pub(crate) fn change(self, change: impl FnOnce(T::Builder) -> T::Builder) -> Self {
        let draft = match self.draft {
            Draft::Fields(fields) => Draft::Fields(change(fields)),
            Draft::Whole(value) => Draft::Fields(change(value.into())),
            Draft::Refused(problem) => Draft::Refused(problem),
        };
        Self { draft, ..self }
    }
}

impl<T: Buildable, F> Default for Structured<T, F> {
    fn default() -> Self {
        Self { draft: Draft::Fields(T::Builder::default()), format: PhantomData }
    }
}

impl<T: Buildable, F: Format> Body for Structured<T, F> {
    fn encode(self) -> Result<Option<(&'static str, Bytes)>, String> {
        let value = match self.draft {
            Draft::Whole(value) => value,
            Draft::Fields(fields) => fields.try_into().map_err(|error| error.to_string())?,
            Draft::Refused(problem) => return Err(problem),
        };
        F::write(&value).map(|bytes| Some((F::MEDIA_TYPE, bytes.into())))
    }

    fn describe(&self) -> Option<String> {
        Some(match &self.draft {
            Draft::Fields(fields) => format!("{fields:?}"),
            Draft::Whole(_) => "set".to_owned(),
            Draft::Refused(_) => "refused".to_owned(),
        })
    }
}

/// Bytes as they are.
#[derive(Clone, Default)]
pub(crate) struct Binary(pub(crate) Option<Bytes>);

impl Body for Binary {
    fn encode(self) -> Result<Option<(&'static str, Bytes)>, String> {
        self.0.map(|bytes| Some(("application/octet-stream", bytes))).ok_or_else(|| MISSING.to_owned())
    }

    fn describe(&self) -> Option<String> {
        self.0.as_ref().map(|bytes| format!("{} bytes", bytes.len()))
    }
}

/// Text in UTF-8.
#[derive(Clone, Default)]
pub(crate) struct Text(pub(crate) Option<String>);

impl Body for Text {
    fn encode(self) -> Result<Option<(&'static str, Bytes)>, String> {
        self.0.map(|text| Some(("text/plain; charset=utf-8", text.into()))).ok_or_else(|| MISSING.to_owned())
    }

    fn describe(&self) -> Option<String> {
        self.0.as_ref().map(|text| format!("{} bytes", text.len()))
    }
}

const MISSING: &str = "`body` is required";
