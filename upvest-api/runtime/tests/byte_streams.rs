//! A body is read up to a limit.

use bytes::Bytes;
use futures_util::stream;
use http::{Method, StatusCode};
use upvest_runtime::{ByteStream, Error, ErrorKind, Metadata, OperationMeta};

/// A stream of chunks of four bytes.
fn chunks(count: usize) -> ByteStream {
    ByteStream::new(stream::iter(vec![Ok(Bytes::from("abcd")); count]))
}

#[tokio::test]
async fn a_body_as_long_as_the_limit_is_read_and_a_longer_one_is_not() {
    for count in [1, 2, 3] {
        let length = 4 * count;
        let body = chunks(count).bytes_within(length).await;
        assert_eq!(body.unwrap(), "abcd".repeat(count));
        let error = chunks(count).bytes_within(length - 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
    }
}

static READ: OperationMeta = OperationMeta::custom("getFile", Method::GET, "/file");
static CREATE: OperationMeta = OperationMeta::custom("createFile", Method::POST, "/file");

#[tokio::test]
async fn an_error_of_a_body_says_whether_its_call_may_have_been_carried_out() {
    let metadata = Metadata::new(StatusCode::OK);
    for (operation, is_unknown) in [(&READ, false), (&CREATE, true)] {
        for kind in [ErrorKind::Interrupted, ErrorKind::Timeout] {
            let chunks = [Ok("abcd".into()), Err(Error::new(kind, "failed"))];
            let body = ByteStream::new(stream::iter(chunks)).of_call(operation, &metadata);
            let error = body.bytes().await.unwrap_err();
            assert_eq!(error.operation(), Some(operation.id));
            assert_eq!(error.position(), Some(4));
            assert_eq!(error.is_outcome_unknown(), is_unknown, "{error}");
            assert!(error.hint().is_some(), "{error}");
        }
    }
}

#[tokio::test]
async fn an_error_of_a_body_without_a_call_has_its_position_alone() {
    let error = chunks(3).bytes_within(7).await.unwrap_err();
    assert_eq!(error.position(), Some(8));
    assert_eq!(error.operation(), None);
    assert_eq!(error.elapsed(), None);
}
