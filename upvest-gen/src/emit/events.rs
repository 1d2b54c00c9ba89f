//! Writes the objects in webhook events.

use std::fmt::Write;

use crate::model::Api;

/// The objects in webhook events, by the types of the events.
pub(super) fn events(api: &Api) -> String {
    let mut source = String::from(
        "use upvest_runtime::event_objects;\n\nuse super::types;\n\nevent_objects! {\n",
    );
    if api.events.iter().any(|event| event.retrieved_by.is_some()) {
        source = source.replace("super::types", "super::{operations, types}");
    }
    for event in &api.events {
        let types: Vec<String> = event.types.iter().map(|name| format!("{name:?}")).collect();
        let object = &event.object;
        let retrieved_by = match &event.retrieved_by {
            Some(method) => format!("Some(&operations::{})", method.to_ascii_uppercase()),
            None => "None".to_owned(),
        };
        let _ = writeln!(
            source,
            "    {object}(types::{object}) = {} => {retrieved_by},",
            types.join(" | ")
        );
    }
    source.push_str("}\n");
    source
}
