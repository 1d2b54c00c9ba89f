//! The model of the vendored description.

use upvest_gen::{Source, model};

use super::outline::outline;

#[test]
fn the_model_of_the_vendored_description_is_what_was_reviewed() {
    let spec = Source::new(
        "spec/upvest-investment-api.yaml",
        include_str!("../../../spec/upvest-investment-api.yaml"),
    );
    let overlay = Source::new(
        "spec/overlay.yaml",
        include_str!("../../../spec/overlay.yaml"),
    );
    let api = model(&spec, Some(&overlay)).unwrap();
    assert!(
        api.left_out.is_empty() && api.notes.is_empty(),
        "{:#?} {:#?}",
        api.left_out,
        api.notes
    );
    insta::assert_snapshot!("vendored", outline(&api));
}
