//! From the generated client's errors to ours.

use http::{HeaderMap, StatusCode};
use upvest_api::runtime::{DecodeError, carried};
use upvest_api::types::Problem;

use super::{Error, ErrorKind};
use crate::http_send::SendError;
use crate::response::{CallInfo, request_id};

impl From<upvest_api::Error<Problem>> for Error {
    fn from(error: upvest_api::Error<Problem>) -> Self {
        use upvest_api::Error as Api;
        match error {
            Api::InvalidRequest(message) | Api::Custom(message) => {
                Self::new(ErrorKind::InvalidRequest, message)
            }
            Api::ErrorResponse(answer) => {
                let (status, headers) = (answer.status(), answer.headers());
                let (id, info) = (request_id(headers), CallInfo::read(headers));
                Self::answered(status, answer.into_inner(), id).with_info(info)
            }
            Api::UnexpectedResponse(answer) => Self::unexpected(answer.status(), answer.headers()),
            Api::CommunicationError(error) | Api::InvalidUpgrade(error) | Api::ResponseBodyError(error) => {
                from_reqwest(error)
            }
            Api::InvalidResponsePayload(_, error) => unreadable().with_source(error),
        }
    }
}

/// Either an error of our own on its way through the generated client, or a body that cannot be read.
fn from_reqwest(error: reqwest::Error) -> Error {
    if let Some(own) = carried::<Error>(&error) {
        return own.clone();
    }
    if let Some(decode) = carried::<DecodeError>(&error) {
        return Error::undecodable(decode.clone());
    }
    if error.is_builder() {
        return Error::new(ErrorKind::InvalidRequest, "the request cannot be built")
            .with_source(error.without_url());
    }
    Error::interrupted(error.into())
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Decode, "a body that does not fit the description")
}

impl Error {
    /// A status that is neither the expected one nor an error.
    pub(crate) fn unexpected(status: StatusCode, headers: &HeaderMap) -> Self {
        let message = if status.is_redirection() {
            "a redirect, which is not followed"
        } else {
            "a status that the description does not know"
        };
        Self::new(ErrorKind::UnexpectedStatus, message)
            .with_status(status, request_id(headers))
            .with_info(CallInfo::read(headers))
    }

    /// A body that does not fit.
    pub(crate) fn undecodable(error: DecodeError) -> Self {
        let (status, id, info) = (error.status, error.request_id.clone(), CallInfo::read(&error.headers));
        unreadable().with_status(status, id).with_info(info).with_source(error)
    }

    /// A request that got no answer.
    pub(crate) fn interrupted(error: SendError) -> Self {
        Self::new(error.how.into(), error.to_string()).with_source(error.source)
    }
}
