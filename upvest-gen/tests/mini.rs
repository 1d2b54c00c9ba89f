//! The code for a description with three operations: a list with pages, a creation with an idempotency key, and a
//! download.

use upvest_gen::{Generated, Source, generate};

const MINI: &str = r##"
openapi: 3.1.0
info: { title: Mini, version: "1" }
security: [{ oauth: ["orders:admin"] }]
paths:
  /orders:
    parameters:
      - { name: signature, in: header, required: true, schema: { type: string } }
    get:
      operationId: listOrders
      tags: [Orders]
      summary: List orders
      description: Newest first, see [the guide](https://example.com) and <b>this</b>.
      security: [{ oauth: ["orders:read"] }]
      parameters:
        - { name: side, in: query, description: Only orders of this side., schema: { type: string, enum: [BUY], default: BUY } }
        - { name: offset, in: query, description: How many to skip., schema: { type: integer, minimum: 0, default: 0 } }
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 100, default: 20 } }
      responses:
        "200":
          description: A page of orders.
          content:
            application/json:
              schema:
                type: object
                required: [data]
                properties:
                  meta: { $ref: "#/components/schemas/PaginationMeta" }
                  data: { type: array, items: { $ref: "#/components/schemas/Order" } }
        "401": { $ref: "#/components/responses/Unauthorised" }
    post:
      operationId: createOrder
      tags: [Orders]
      summary: Create an order
      description: Places an order.
      parameters:
        - { name: Idempotency-Key, in: header, required: true, schema: { type: string, format: uuid } }
      requestBody:
        required: true
        description: The order to place.
        content: { application/json: { schema: { $ref: "#/components/schemas/OrderCreate" } } }
      responses:
        "201": { description: The order., content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
        "401": { $ref: "#/components/responses/Unauthorised" }
  /files/{file_id}:
    get:
      operationId: downloadFile
      tags: [Files]
      summary: Download a file
      description: Streams the file.
      security: []
      parameters:
        - { name: file_id, in: path, required: true, description: Which file., schema: { type: string, format: uuid } }
      responses:
        "200": { description: The bytes., content: { application/pdf: {}, text/csv: {} } }
components:
  responses:
    Unauthorised:
      description: No token.
      content: { application/problem+json: { schema: { $ref: "#/components/schemas/Error" } } }
  schemas:
    Error: { type: object, properties: { title: { type: string } } }
    PaginationMeta: { type: object, description: Where a page stands., properties: { offset: { type: integer, minimum: 0 }, total: { type: integer, minimum: 0 }, total_count: { type: integer, minimum: 0 } } }
    Order:
      type: object
      description: An order.
      required: [id]
      properties:
        id: { type: string, format: uuid, description: Its id. }
        side: { type: string, enum: [BUY, SELL], description: Which way., x-enum-descriptions: { BUY: Cash for shares. } }
        price: { type: [string, "null"], format: decimal }
        type: { type: string }
        placed_at: { type: string, format: date-time }
    OrderCreate:
      type: object
      description: An order to place.
      additionalProperties: false
      required: [account_id, side]
      properties:
        account_id: { type: string, format: uuid }
        side: { type: string, enum: [BUY, SELL] }
        price: { type: [string, "null"], format: decimal, description: Null for the market's price. }
        tags: { type: array, items: { type: string } }
        iban: { type: string, description: Where the money comes from. }
        currency: { type: string, pattern: "^[A-Z]{3}$" }
"##;

fn mini() -> Generated {
    generate(&Source::new("mini.yaml", MINI), None).unwrap()
}

#[test]
fn each_file_is_what_was_reviewed() {
    let generated = mini();
    assert_eq!(generated.operations, 3);
    assert_eq!(generated.types, 6);
    let names: Vec<_> = generated.files.iter().map(|file| file.name).collect();
    let expected = [
        "mod.rs",
        "client.rs",
        "builder.rs",
        "types.rs",
        "bodies.rs",
        "enums.rs",
        "events.rs",
        "ids.rs",
        "operations.rs",
    ];
    assert_eq!(names, expected);
    for file in generated.files {
        // The digest in the header depends on the fixture.
        let text: Vec<_> = file.text.lines().filter(|line| !is_digest(line)).collect();
        insta::assert_snapshot!(file.name.trim_end_matches(".rs"), text.join("\n"));
    }
}

#[test]
fn every_file_names_its_source_and_says_not_to_edit_it() {
    for file in mini().files {
        let header: Vec<_> = file.text.lines().take(5).collect();
        assert!(header[0].starts_with("//! "), "{}", file.text);
        assert_eq!(
            header[2],
            "// @generated by `cargo xtask regen` from mini.yaml, SHA-256:"
        );
        assert!(is_digest(header[3]), "{}", file.text);
        assert!(header[4].starts_with("// Do not edit: "), "{}", file.text);
    }
}

#[test]
fn every_file_is_valid_rust_with_documented_items() {
    for file in mini().files {
        let tree: syn::File =
            syn::parse_str(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.name));
        for item in tree.items {
            let (name, attributes) = match item {
                syn::Item::Struct(item) => (item.ident.to_string(), item.attrs),
                syn::Item::Fn(item) => (item.sig.ident.to_string(), item.attrs),
                syn::Item::Static(item) => (item.ident.to_string(), item.attrs),
                _ => continue,
            };
            assert!(
                attributes
                    .iter()
                    .any(|attribute| attribute.path().is_ident("doc")),
                "{}: {name}",
                file.name
            );
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_and_another_input_another_digest() {
    assert_eq!(mini(), mini());
    let other = generate(
        &Source::new("mini.yaml", MINI.replace("Mini", "Other")),
        None,
    )
    .unwrap();
    let digest = |generated: &Generated| {
        generated.files[0]
            .text
            .lines()
            .find(|line| is_digest(line))
            .map(str::to_owned)
    };
    assert_ne!(digest(&mini()), digest(&other));
}

#[test]
fn an_overlay_is_merged_and_named_in_the_headers() {
    let overlay = "overlay: 1.0.0\nactions:\n  - target: $.paths['/files/{file_id}']\n    description: Not for us.\n    remove: true\n";
    let generated = generate(
        &Source::new("mini.yaml", MINI),
        Some(&Source::new("overlay.yaml", overlay)),
    )
    .unwrap();
    assert_eq!(generated.operations, 2);
    assert!(generated.files.iter().all(|file| {
        file.text
            .contains("from mini.yaml and overlay.yaml, SHA-256 of both together:")
    }));
}

#[test]
fn a_secret_is_hidden_with_any_name_of_its_schema_or_property() {
    let text = MINI
        .replace("OrderCreate", "SEPA_order")
        .replace("iban:", "payerIBAN:");
    let generated = generate(&Source::new("mini.yaml", text), None).unwrap();
    let file = |name: &str| {
        generated
            .files
            .iter()
            .find(|file| file.name == name)
            .unwrap()
            .text
            .clone()
    };
    assert!(
        file("bodies.rs").contains("optional hidden payer_iban: String,"),
        "{}",
        file("bodies.rs")
    );
    let types = file("types.rs");
    let debug = r#".field("payer_iban", &hidden_option(self.payer_iban.as_ref()))"#;
    assert!(types.contains(debug), "{types}");
}

#[test]
fn an_error_names_its_file() {
    let overlay = Source::new(
        "overlay.yaml",
        "overlay: 1.0.0\nactions: [{ target: $.none, description: W., remove: true }]",
    );
    for (spec, overlay, start) in [
        ("openapi: [", None, "mini.yaml: line 1 column "),
        ("openapi: 2.0.0", None, "mini.yaml: /openapi: "),
        (MINI, Some(&overlay), "overlay.yaml: /actions/0/target: "),
        (
            "openapi: 3.1.0",
            None,
            "mini.yaml: there are no operations; ",
        ),
    ] {
        let errors = generate(&Source::new("mini.yaml", spec), overlay).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors}");
        assert!(errors.to_string().starts_with(start), "{errors}");
    }
    let syntax = generate(
        &Source::new("mini.yaml", MINI),
        Some(&Source::new("overlay.yaml", "actions: [")),
    )
    .unwrap_err();
    let files: Vec<_> = syntax.iter().map(upvest_gen::Error::file).collect();
    assert_eq!(files, ["overlay.yaml"], "{syntax}");
}

#[test]
fn parts_that_the_model_ignores_may_have_any_form() {
    for (old, new) in [
        ("title: Mini", "title: 7"),
        ("tags: [Files]", "tags: Files"),
        ("summary: Download a file", "summary: [a]"),
        ("{ description: The bytes., ", "{ "),
        ("description: An order.", "description: ''"),
    ] {
        let generated = generate(&Source::new("mini.yaml", MINI.replace(old, new)), None).unwrap();
        assert_eq!(generated.operations, 3, "{new}");
        assert_eq!(generated.left_out.len(), 0, "{new}");
    }
}

#[test]
fn left_out_operations_and_losses_are_returned_with_the_code() {
    let broken = MINI
        .replace(
            "name: file_id, in: path, required: true,",
            "name: file_id, in: cookie, required: true,",
        )
        .replace(
            "type: { type: string }",
            "type: { type: string }\n        rate: { type: number }",
        );
    let generated = generate(&Source::new("mini.yaml", broken), None).unwrap();
    let places = |errors: &[upvest_gen::Error]| {
        assert!(
            errors.iter().all(|error| error.file() == "mini.yaml"),
            "{errors:#?}"
        );
        errors
            .iter()
            .map(|error| error.pointer().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(generated.operations, 2);
    let operation = "/paths/~1files~1{file_id}/get";
    assert_eq!(
        places(&generated.left_out),
        [format!("{operation}/parameters/0"), operation.to_owned()]
    );
    assert_eq!(
        places(&generated.notes),
        ["/components/schemas/Order/properties/rate"]
    );
    let code = generated
        .files
        .iter()
        .map(|file| file.text.as_str())
        .collect::<String>();
    assert!(!code.contains("download_file") && code.contains("create_order"));
}

fn is_digest(line: &str) -> bool {
    let hex = line
        .strip_prefix("// ")
        .and_then(|line| line.strip_suffix("."));
    hex.is_some_and(|hex| hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit()))
}
