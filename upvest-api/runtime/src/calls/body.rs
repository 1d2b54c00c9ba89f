//! The body of a call before it is sent.

use std::fmt::Display;
use std::marker::PhantomData;

use bytes::Bytes;
use serde::Serialize;

use super::body_builder::Buildable;
use super::form::{FormField, write_form};
use crate::values::sendable::check_sendable;

/// The body of a request: none (`()`), [`Json`], [`Form`], [`JsonValue`], [`Binary`] or [`Text`].
pub trait Body: Default {
    /// Whether it was set, as a whole or in parts.
    fn is_given(&self) -> bool;

    /// The bytes with their media type, or the problems of the body. `unusual` has the unusual fields of a form.
    fn encode(self, unusual: &[FormField]) -> Encoded;

    /// Describes which fields are set, without their values.
    fn describe(&self) -> Option<String> {
        None
    }
}

pub(crate) type Encoded = Result<Option<(&'static str, Bytes)>, String>;

impl Body for () {
    fn is_given(&self) -> bool {
        false
    }

    fn encode(self, _unusual: &[FormField]) -> Encoded {
        Ok(None)
    }
}

/// A struct, written as JSON.
pub type Json<T> = Structured<T, AsJson>;
/// A struct, written as `application/x-www-form-urlencoded`.
pub type Form<T> = Structured<T, AsForm>;
/// A type without a builder, written as JSON: a list, a map, a single value, or one of several objects.
pub type JsonValue<T> = Plain<T, AsJson>;
/// Bytes, sent unchanged.
pub type Binary = Plain<Bytes, AsIs>;
/// Text in UTF-8.
pub type Text = Plain<String, AsIs>;

/// A `T` or its builder, in the format `F`. `None` until it is set.
#[derive(Clone)]
pub struct Structured<T: Buildable, F>(Option<Draft<T>>, PhantomData<fn() -> F>);

#[derive(Clone)]
enum Draft<T: Buildable> {
    Fields(T::Builder),
    Whole(T),
    Rejected(String),
}

impl<T: Buildable, F> Structured<T, F> {
    pub fn new(value: Result<T, impl Display>) -> Self {
        let draft = match value {
            Ok(value) => Draft::Whole(value),
            Err(error) => Draft::Rejected(error.to_string()),
        };
        Self(Some(draft), PhantomData)
    }

    pub fn change(self, change: impl FnOnce(T::Builder) -> T::Builder) -> Self {
        let draft = match self.0.unwrap_or_default() {
            Draft::Fields(fields) => Draft::Fields(change(fields)),
            Draft::Whole(value) => Draft::Fields(change(value.into_builder())),
            rejected @ Draft::Rejected(_) => rejected,
        };
        Self(Some(draft), PhantomData)
    }
}

impl<T: Buildable> Default for Draft<T> {
    fn default() -> Self {
        Self::Fields(T::Builder::default())
    }
}

impl<T: Buildable, F> Default for Structured<T, F> {
    fn default() -> Self {
        Self(None, PhantomData)
    }
}

impl<T: Buildable, F: Format<T>> Body for Structured<T, F> {
    fn is_given(&self) -> bool {
        self.0.is_some()
    }

    fn encode(self, unusual: &[FormField]) -> Encoded {
        let value = match self.0.unwrap_or_default() {
            Draft::Whole(value) => value,
            Draft::Fields(fields) => T::build(fields).map_err(|error| error.to_string())?,
            Draft::Rejected(problem) => return Err(problem),
        };
        F::write(value, unusual).map(|bytes| Some((F::MEDIA_TYPE, bytes)))
    }

    fn describe(&self) -> Option<String> {
        Some(match self.0.as_ref()? {
            Draft::Fields(fields) => format!("{fields:?}"),
            Draft::Whole(_) => "set".to_owned(),
            Draft::Rejected(_) => "invalid".to_owned(),
        })
    }
}

/// A `T` that is set as a whole, in the format `F`.
#[derive(Clone)]
pub struct Plain<T, F>(Option<Result<T, String>>, PhantomData<fn() -> F>);

impl<T, F> Plain<T, F> {
    pub fn new(value: Result<T, impl Display>) -> Self {
        Self(Some(value.map_err(|error| error.to_string())), PhantomData)
    }
}

impl<T, F> Default for Plain<T, F> {
    fn default() -> Self {
        Self(None, PhantomData)
    }
}

impl<T, F: Format<T>> Body for Plain<T, F> {
    fn is_given(&self) -> bool {
        self.0.is_some()
    }

    fn encode(self, unusual: &[FormField]) -> Encoded {
        let value = self.0.ok_or("`body` is required")??;
        F::write(value, unusual).map(|bytes| Some((F::MEDIA_TYPE, bytes)))
    }

    fn describe(&self) -> Option<String> {
        self.0
            .as_ref()
            .map(|value| if value.is_ok() { "set" } else { "invalid" }.to_owned())
    }
}

/// The format of a body.
pub trait Format<T> {
    const MEDIA_TYPE: &'static str;

    fn write(value: T, unusual: &[FormField]) -> Result<Bytes, String>;
}

#[derive(Clone)]
pub enum AsJson {}

impl<T: Serialize> Format<T> for AsJson {
    const MEDIA_TYPE: &'static str = "application/json";

    fn write(value: T, _unusual: &[FormField]) -> Result<Bytes, String> {
        check_sendable(&value)?;
        serde_json::to_vec(&value)
            .map(Bytes::from)
            .map_err(|error| error.to_string())
    }
}

#[derive(Clone)]
pub enum AsForm {}

impl<T: Serialize> Format<T> for AsForm {
    const MEDIA_TYPE: &'static str = "application/x-www-form-urlencoded";

    fn write(value: T, unusual: &[FormField]) -> Result<Bytes, String> {
        check_sendable(&value)?;
        write_form(&value, unusual).map(Bytes::from)
    }
}

#[derive(Clone)]
pub enum AsIs {}

impl Format<Bytes> for AsIs {
    const MEDIA_TYPE: &'static str = "application/octet-stream";

    fn write(value: Bytes, _unusual: &[FormField]) -> Result<Bytes, String> {
        Ok(value)
    }
}

impl Format<String> for AsIs {
    const MEDIA_TYPE: &'static str = "text/plain; charset=utf-8";

    fn write(value: String, _unusual: &[FormField]) -> Result<Bytes, String> {
        Ok(value.into())
    }
}
