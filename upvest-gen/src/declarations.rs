//! The source of the modules that consist of macro calls: ids, enums and the operation table.

use std::fmt::Write;

use heck::ToShoutySnakeCase;
use quote::ToTokens;

use crate::facts::OperationFacts;
use crate::shape::{EnumType, IdType};
use crate::trim::{Send, doc_lines};

/// One `id!` for each typed id.
pub(crate) fn ids(ids: &[IdType]) -> String {
    let mut source = String::from("use crate::runtime::id;\n\n");
    for id in ids {
        let _ = writeln!(source, "id! {{");
        docs(&mut source, "    ", &id.docs);
        let _ = writeln!(source, "    {}\n}}\n", id.name);
    }
    source
}

/// One `open_enum!` for each enum.
pub(crate) fn enums(enums: &[EnumType]) -> String {
    let mut source = String::from("use crate::runtime::open_enum;\n\n");
    for item in enums {
        let _ = writeln!(source, "open_enum! {{");
        docs(&mut source, "    ", &item.docs);
        let _ = writeln!(source, "    {} {{", item.name);
        for variant in &item.variants {
            docs(&mut source, "        ", &variant.docs);
            let _ = writeln!(source, "        {} = {:?},", variant.name, variant.wire);
        }
        source.push_str("    }\n}\n\n");
    }
    source
}

/// One `operation!` for each operation, the table of all, and what lists and pages.
pub(crate) fn operations(facts: &[OperationFacts], sends: &[Send]) -> String {
    let mut source = String::from(
        "use super::{builder, types};\nuse crate::runtime::{OperationMeta, Paging, find_operation, list, operation, paginated};\n\n",
    );
    for operation in facts {
        let Some(send) = sends.iter().find(|send| send.operation == operation.name) else { continue };
        let output = send.output.to_token_stream().to_string().replace(' ', "");
        let output = output
            .replace("crate::types::", "types::")
            .replace("ByteStream", "progenitor_client::ByteStream");
        let _ = writeln!(source, "operation! {{");
        let _ = writeln!(source, "    /// `{} {}`", operation.method, operation.path);
        let _ = writeln!(
            source,
            "    {} = {} -> {output}; {:?}, {:?}, {} {:?}, {:?}, {:?}, {:?}",
            operation.name.to_shouty_snake_case(),
            send.builder,
            operation.id,
            operation.name,
            operation.method,
            operation.path,
            operation.tag,
            operation.scopes,
            operation.accept,
        );
        if operation.idempotency_key {
            source.push_str("    ; keyed()\n");
        }
        if let Some([default, min, max]) = operation.paging {
            let _ = writeln!(source, "    ; paged(Paging::new({default}, {min}, {max}))");
        }
        source.push_str("}\n\n");
        if let Some(item) = output.strip_prefix("types::Listing<").and_then(|rest| rest.strip_suffix('>')) {
            let _ = writeln!(source, "list!({}, {item});\n", send.builder);
            if operation.paging.is_some() {
                let _ = writeln!(source, "paginated!({});\n", send.builder);
            }
        }
    }
    let mut names: Vec<&OperationFacts> = facts.iter().collect();
    names.sort_by(|a, b| a.name.cmp(&b.name));
    let _ = writeln!(source, "/// All operations, sorted by the name of their method.");
    let _ = writeln!(source, "pub static OPERATIONS: [&OperationMeta; {}] = [", names.len());
    for operation in names {
        let _ = writeln!(source, "    &{},", operation.name.to_shouty_snake_case());
    }
    source.push_str("];\n\n/// The operation whose method is called `name`.\n");
    source.push_str("pub fn find(name: &str) -> Option<&'static OperationMeta> {\n    find_operation(&OPERATIONS, name)\n}\n");
    source
}

fn docs(source: &mut String, indent: &str, text: &str) {
    for line in doc_lines(text) {
        let _ = writeln!(source, "{indent}/// {line}");
    }
}
