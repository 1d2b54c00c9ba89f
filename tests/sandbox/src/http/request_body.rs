//! The body of a request: how long a client may take to send it, and how long it may be.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

/// The longest body, which is more than any operation needs.
const MAX_BODY: usize = 4 << 20;

/// A body that ends with an error if it is not complete in time.
pub(super) struct RequestBody {
    incoming: Incoming,
    deadline: Pin<Box<Sleep>>,
    progress: Progress,
}

/// Whether a body has been read to its end.
#[derive(Clone)]
pub(super) struct Progress(Arc<AtomicBool>);

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is longer than 4 MiB")]
    TooLong,
    #[error("the body did not arrive in time")]
    TimedOut,
    #[error("the body is incomplete")]
    Incomplete,
}

impl BodyError {
    /// The status of the response.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::TooLong => 413,
            Self::TimedOut => 408,
            Self::Incomplete => 400,
        }
    }
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, limit: Duration) -> Self {
        let is_complete = AtomicBool::new(incoming.is_end_stream());
        Self {
            incoming,
            deadline: Box::pin(tokio::time::sleep(limit)),
            progress: Progress(Arc::new(is_complete)),
        }
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Progress {
    pub(super) fn is_complete(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.deadline.as_mut().poll(context).is_ready() {
            let error = io::Error::from(io::ErrorKind::TimedOut);
            return Poll::Ready(Some(Err(error.into())));
        }
        let frame = Pin::new(&mut self.incoming).poll_frame(context);
        if matches!(frame, Poll::Ready(None)) || self.incoming.is_end_stream() {
            self.progress.0.store(true, Ordering::SeqCst);
        }
        frame.map(|frame| frame.map(|frame| frame.map_err(BoxError::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// Reads a whole body.
pub(crate) async fn read_whole(mut body: Body) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(BodyError::TooLong);
    }
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| reason(&error))?;
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data);
        }
        if read.len() > MAX_BODY {
            return Err(BodyError::TooLong);
        }
    }
    Ok(read.freeze())
}

fn reason(error: &axum::Error) -> BodyError {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        let kind = error.downcast_ref().map(io::Error::kind);
        if kind == Some(io::ErrorKind::TimedOut) {
            return BodyError::TimedOut;
        }
        source = error.source();
    }
    BodyError::Incomplete
}
