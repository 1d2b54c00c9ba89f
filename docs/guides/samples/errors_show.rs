// region: guide
// docs/guides/samples/errors_show.rs
// crates: upvest-ext
use upvest_ext::{Error, Unredacted};

fn show_to_the_customer(error: &Error) -> String {
    Unredacted(error).to_string()
}
// endregion

#[test]
fn the_words_of_the_server_are_shown() {
    use upvest_ext::ErrorKind;
    use upvest_ext::api::http::StatusCode;
    use upvest_ext::api::runtime::Problem;

    let words = "Ada Lovelace has 12.00 EUR";
    let problem = Problem::new(StatusCode::CONFLICT, "insufficient_cash", words);
    let error = Error::new(ErrorKind::Conflict, "").with_problem(problem);
    assert!(!error.to_string().contains(words));
    assert!(show_to_the_customer(&error).contains(words));
}
