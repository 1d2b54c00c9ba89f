//! A body is read up to a limit.

use bytes::Bytes;
use futures_util::stream;
use upvest_runtime::{ByteStream, ErrorKind};

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
