//! The examples of a description, each with the type that reads it.

use std::error::Error;
use std::fmt::Write;

use upvest_gen::Source;
use upvest_gen::examples::{Example, examples};
use upvest_gen::model::{Content, Type};

/// Code for the constant `EXAMPLES`. The types are those of the module `types`. `None` if there are no examples.
pub(crate) fn list(
    source: &Source,
    overlay: Option<&Source>,
    types: &str,
) -> Result<Option<String>, Box<dyn Error>> {
    let examples = examples(source, overlay)?;
    if examples.is_empty() {
        return Ok(None);
    }
    let mut code =
        "\n/// The examples of the description.\npub const EXAMPLES: &[crate::Example] = {\n    #[allow(unused_imports)]\n    use upvest_runtime::{chrono, serde_json, uuid};\n    &[\n"
            .to_owned();
    for Example {
        at, value, content, ..
    } in examples
    {
        let json = value.to_string();
        let rewrite = function(&content, types);
        writeln!(
            code,
            "        crate::Example {{ at: {at:?}, json: {json:?}, rewrite: {rewrite} }},"
        )?;
    }
    code.push_str("    ]\n};\n");
    Ok(Some(code))
}

/// The function that reads and writes a value, which may be null.
fn function(content: &Content, types: &str) -> String {
    let kind = match content {
        Content::List(item) => {
            let item = item.rust(types);
            return format!("crate::rewrite::<upvest_runtime::ListResponse<{item}>>");
        }
        Content::Json(Type::Nullable(kind)) => kind,
        Content::Json(kind) => kind,
        Content::Empty | Content::Binary => return "crate::rewrite::<()>".to_owned(),
    };
    let name = kind.rust(types);
    if kind.is_read_by_runtime(true) {
        format!("crate::rewrite_by_runtime::<{name}>")
    } else {
        format!("crate::rewrite::<Option<{name}>>")
    }
}
