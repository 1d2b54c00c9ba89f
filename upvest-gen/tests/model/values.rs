//! The types of values: ids, codes, decimals, integers, texts, lists and maps.

use super::outline;
use super::{assert_rows, enums, field, find, ids, noted, noted_field, schemas};

#[test]
fn a_uuid_has_an_id_type_if_its_name_contains_an_entity() {
    for (name, schema, expected) in [
        ("id", "{ type: string, format: uuid }", "OrderId"),
        ("order_id", "{ type: string, format: uuid }", "OrderId"),
        (
            "account_group_id",
            "{ type: string, format: uuid }",
            "AccountGroupId",
        ),
        ("accountId", "{ type: string, format: uuid }", "AccountId"),
        (
            "source_account_id",
            "{ type: string, format: uuid, x-type-name: AccountId }",
            "AccountId",
        ),
        (
            "account_ids",
            "{ type: array, items: { type: string, format: uuid } }",
            "[AccountId]",
        ),
        ("reference", "{ type: string, format: uuid }", "uuid"),
        ("order_id", "{ type: string }", "text"),
        ("order_id", "{ type: integer }", "i64"),
    ] {
        assert_eq!(field(name, schema), expected, "{name}: {schema}");
    }
}

#[test]
fn a_create_or_update_object_has_the_id_type_of_its_entity() {
    let object = "{ properties: { id: { type: string, format: uuid } } }";
    let api = schemas(&format!(
        "Order: {object}\nOrderCreate: {object}\nOrderUpdate: {object}"
    ));
    assert_eq!(ids(&api), ["OrderId"]);
    assert_eq!(api.ids[0].description, "Identifies an order.");
}

#[test]
fn two_capital_letters_are_a_country_only_if_the_name_says_so() {
    for (name, expected) in [
        ("country", "country"),
        ("birthCountry", "country"),
        ("nationality", "country"),
        ("language", "text"),
        ("state", "text"),
    ] {
        let schema = "{ type: string, pattern: '^[A-Z]{2}$' }";
        let found = field(name, schema);
        assert!(found.starts_with(expected), "{name}: {found}");
    }
}

#[test]
fn three_capital_letters_are_a_currency_only_if_the_name_says_so() {
    for (name, expected) in [
        ("currency", "currency"),
        ("settlementCurrency", "currency"),
        ("ccy", "currency"),
        ("exchange", "text"),
        ("airport", "text"),
    ] {
        let schema = "{ type: string, pattern: '^[A-Z]{3}$' }";
        let found = field(name, schema);
        assert!(found.starts_with(expected), "{name}: {found}");
        let found = field(name, &format!("{{ type: array, items: {schema} }}"));
        assert!(
            found.starts_with(&format!("[{expected}]")),
            "{name}: {found}"
        );
    }
    let component = "Order: { properties: { x: { $ref: '#/components/schemas/CurrencyCode' } } }\n\
         CurrencyCode: { type: string, pattern: '^[A-Z]{3}$' }";
    let api = schemas(component);
    let order = find(&api, "Order");
    assert_eq!(outline::field(&order.fields()[0]), "currency, optional");
}

#[test]
fn codes_are_found_by_their_pattern_or_format_and_decimals_by_either() {
    assert_rows(
        &[
            ("{ type: string, pattern: '^[A-Z]{3}$' }", "text"),
            ("{ type: string, format: ISO4217 }", "currency"),
            ("{ type: string, format: currency }", "currency"),
            ("{ type: string, format: country }", "country"),
            ("{ type: string, pattern: '^[A-Z]{2}$' }", "text"),
            (
                "{ type: string, pattern: '^[A-Z]{2}[A-Z0-9]{9}[0-9]$', minLength: 12 }",
                "isin",
            ),
            ("{ type: string, pattern: '^[A-Z]{4}$' }", "text"),
            ("{ type: string, format: decimal }", "decimal"),
            (
                "{ type: string, pattern: '^[0-9]{1,9}(\\.[0-9]{2})?$' }",
                "decimal",
            ),
            (
                "{ type: string, pattern: '^-?\\d+(\\.\\d{1,27})?$' }",
                "decimal",
            ),
            ("{ type: string, pattern: '^[0-9]+\\.[0-9]+$' }", "decimal"),
            (
                "{ type: string, pattern: '^(0|[1-9][0-9]*)(\\.[0-9]{1,2})?$' }",
                "decimal",
            ),
            (
                "{ type: string, pattern: '^\\d{0,9}(\\.\\d{2})?$' }",
                "decimal, blank",
            ),
            // Not decimals: digits only (they may be a code), letters, two decimal points, and a pattern without
            // anchors.
            ("{ type: string, pattern: '^[0-9]{5}$' }", "text"),
            ("{ type: string, pattern: '^[a-z]+\\.[a-z]+$' }", "text"),
            (
                "{ type: string, pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+$' }",
                "text",
            ),
            ("{ type: string, pattern: '[0-9]+\\.[0-9]+' }", "text"),
        ],
        |schema| field("x", schema),
    );
}

#[test]
fn pattern_length_and_default_do_not_change_the_type() {
    assert_rows(
        &[
            ("{ type: string }", "text"),
            (
                "{ type: string, pattern: '^a$', minLength: 1, maxLength: 2, default: a }",
                "text",
            ),
            ("{ pattern: '^a$' }", "text"),
            ("{ type: string, format: date }", "date"),
            ("{ type: string, format: date-time }", "datetime"),
            ("{ type: string, format: email }", "text"),
            ("{ type: string, format: byte }", "text"),
            ("{ type: string, format: binary }", "text"),
            ("{ type: boolean, default: true }", "bool"),
            ("{}", "json"),
            ("true", "json"),
            ("{ description: Anything. }", "json"),
        ],
        |schema| field("x", schema),
    );
    let not = noted_field("x", "{ not: { type: string } }", "`not` is not checked");
    assert_eq!(not, "json");
}

#[test]
fn the_bounds_and_the_format_of_an_integer_give_its_type() {
    assert_rows(
        &[
            ("{ type: integer }", "i64"),
            ("{ type: integer, format: int32 }", "i64"),
            ("{ type: integer, format: int64 }", "i64"),
            ("{ type: integer, format: uint32 }", "u32"),
            ("{ type: integer, format: uint64 }", "u64"),
            ("{ type: integer, format: uint8 }", "i64"),
            ("{ type: integer, format: bigint }", "i64"),
            ("{ type: integer, minimum: 1 }", "u64"),
            ("{ type: integer, exclusiveMinimum: 0 }", "u64"),
            ("{ type: integer, minimum: 1, maximum: 100 }", "u32"),
            ("{ type: integer, minimum: 0, maximum: 4294967295 }", "u32"),
            ("{ type: integer, minimum: 0, maximum: 4294967296 }", "u64"),
            ("{ type: integer, minimum: -1, maximum: 100 }", "i64"),
            ("{ type: integer, maximum: 100, multipleOf: 2 }", "i64"),
            ("{ type: integer, enum: [1, 2] }", "i64"),
            ("{ type: integer, const: 1 }", "i64"),
        ],
        |schema| field("x", schema),
    );
}

#[test]
fn lists_and_maps_have_the_type_of_their_items() {
    assert_rows(
        &[
            ("{ type: array, items: { type: string } }", "[text]"),
            ("{ items: { type: string } }", "[text]"),
            ("{ type: array }", "[json]"),
            ("{ type: array, items: {} }", "[json]"),
            (
                "{ type: array, items: { type: string, format: date } }",
                "[date]",
            ),
            (
                "{ type: array, items: { type: [string, 'null'] } }",
                "[text or null]",
            ),
            (
                "{ type: array, items: { type: string, enum: [A] } }",
                "[OrderTag]",
            ),
            (
                "{ type: array, items: { type: array, items: { type: string, enum: [A] } } }",
                "[[OrderTag]]",
            ),
            (
                "{ type: array, items: { type: string, format: decimal } }",
                "[decimal]",
            ),
            (
                "{ type: array, items: { type: integer, minimum: 0, maximum: 9 } }",
                "[u32]",
            ),
            (
                "{ type: array, items: { type: object, properties: { a: { type: string } } } }",
                "[OrderTag]",
            ),
            ("{ type: object }", "{json}"),
            ("{ type: object, additionalProperties: true }", "{json}"),
            ("{ type: object, additionalProperties: false }", "{json}"),
            (
                "{ type: object, additionalProperties: { type: string } }",
                "{text}",
            ),
            ("{ additionalProperties: { type: string } }", "{text}"),
            (
                "{ type: object, additionalProperties: { type: [string, 'null'] } }",
                "{text or null}",
            ),
            (
                "{ type: object, additionalProperties: { type: string, enum: [A] } }",
                "{OrderTag}",
            ),
            (
                "{ type: object, additionalProperties: { type: string, format: decimal } }",
                "{decimal}",
            ),
        ],
        |schema| field("tags", schema),
    );
    for (patterns, expected) in [
        ("{ '^a': { type: string } }", "{text}"),
        (
            "{ '^a': { type: string }, '^b': { type: string } }",
            "{text}",
        ),
        (
            "{ '^a': { type: string }, '^b': { type: boolean } }",
            "{json}",
        ),
    ] {
        let schema = format!("{{ type: object, patternProperties: {patterns} }}");
        let found = noted_field("tags", &schema, "are not compared with these patterns");
        assert_eq!(found, expected, "{patterns}");
    }
    let object =
        "{ properties: { a: { type: string } }, patternProperties: { '^b': { type: string } } }";
    let api = noted(
        &format!("Order: {object}"),
        "are not compared with these patterns",
    );
    let extra = &find(&api, "Order").fields()[1];
    assert_eq!(outline::field(extra), "{json}, extra");
    for (places, expected) in [
        (
            "prefixItems: [{ type: string }, { type: string }]",
            "[text]",
        ),
        (
            "prefixItems: [{ type: string }, { type: boolean }]",
            "[json]",
        ),
        (
            "prefixItems: [{ type: string }], items: { type: boolean }",
            "[json]",
        ),
        ("items: [{ type: string }, { type: boolean }]", "[json]"),
        ("items: [{ type: boolean }]", "[bool]"),
    ] {
        let schema = format!("{{ type: array, {places} }}");
        let found = noted_field("tags", &schema, "the tuple is read as a list");
        assert_eq!(found, expected, "{places}");
    }
}

#[test]
fn a_number_is_a_float_with_a_note() {
    for format in ["float", "double"] {
        assert_eq!(
            field("rate", &format!("{{ type: number, format: {format} }}")),
            "f64"
        );
    }
    for (schema, place) in [
        ("{ type: number }", ""),
        ("{ type: number, format: decimal }", ""),
        ("{ type: array, items: { type: number } }", "/items"),
        (
            "{ type: object, additionalProperties: { type: number } }",
            "/additionalProperties",
        ),
    ] {
        let parts = super::document_of(&format!("Order: {{ properties: {{ rates: {schema} }} }}"));
        let api = super::read("3.1.0", &parts).unwrap();
        let [note] = api.notes.as_slice() else {
            panic!("{:#?}", api.notes)
        };
        assert_eq!(
            note.pointer(),
            format!("/components/schemas/Order/properties/rates{place}")
        );
        assert!(
            note.problem()
                .contains("is a JSON number, which is read as a float and not exactly"),
            "{note}"
        );
    }
}

#[test]
fn an_enum_has_a_name_variants_and_documentation() {
    let api = schemas(
        "Order: { properties: { type: { type: string, description: How., enum: [MARKET, STOP_LIMIT, 2nd, a-b, a_b, '', unknown, self, '+', '-'], \
         x-enum-descriptions: { MARKET: At once. } } } }",
    );
    assert_eq!(
        enums(&api),
        [
            "OrderType: MARKET STOP_LIMIT 2nd=N2nd a-b a_b=AB2 \"\"=Empty unknown=UnknownValue self=SelfValue \"+\"=N -=N2"
        ]
    );
    assert_eq!(api.enums[0].description, "How.");
    let meanings: Vec<&str> = api.enums[0]
        .variants
        .iter()
        .map(|it| it.description.as_str())
        .take(2)
        .collect();
    assert_eq!(meanings, ["At once.", "The value `STOP_LIMIT`."]);
}

#[test]
fn enums_of_one_entity_share_a_type_if_one_has_all_values_of_the_other() {
    let object = |name: &str, values: &str| {
        format!("{name}: {{ properties: {{ side: {{ type: string, enum: {values} }} }} }}")
    };
    for (first, second, expected) in [
        ("[BUY, SELL]", "[BUY, SELL]", &["OrderSide: BUY SELL"][..]),
        ("[BUY, SELL]", "[SELL, BUY]", &["OrderSide: BUY SELL"]),
        ("[BUY, SELL, NONE]", "[BUY]", &["OrderSide: BUY SELL NONE"]),
        ("[BUY]", "[BUY, SELL]", &["OrderSide: BUY SELL"]),
        (
            "[BUY, SELL]",
            "[BUY, HOLD]",
            &["OrderSide: BUY SELL", "OrderSide2: BUY HOLD"],
        ),
    ] {
        let api = schemas(&format!(
            "{}\n{}",
            object("Order", first),
            object("OrderCreate", second)
        ));
        assert_eq!(enums(&api), expected, "{first} {second}");
    }
    let api = schemas(&format!(
        "{}\n{}",
        object("Order", "[BUY, SELL]"),
        object("Trade", "[BUY, SELL]")
    ));
    assert_eq!(enums(&api), ["OrderSide: BUY SELL", "TradeSide: BUY SELL"]);
}

#[test]
fn enums_with_one_type_name_are_merged_also_into_strings() {
    let api = schemas(
        "A: { properties: { x: { type: string, enum: [P, Q], x-type-name: Kind } } }\n\
         B: { properties: { y: { type: string, enum: [P], x-type-name: Kind } } }\n\
         C: { properties: { z: { type: string, x-type-name: Kind } } }",
    );
    assert_eq!(enums(&api), ["Kind: P Q"]);
    assert_eq!(
        super::outline::field(&super::find(&api, "C").fields()[0]),
        "Kind, optional"
    );
}

#[test]
fn sort_orders_share_one_enum() {
    let api = schemas(
        "A: { properties: { order: { type: string, enum: [ASC, DESC] } } }\nB: { properties: { order: { type: string, enum: [ASC] } } }",
    );
    assert_eq!(enums(&api), ["SortOrder: ASC DESC"]);
}

#[test]
fn null_is_not_a_variant_of_an_enum() {
    assert_rows(
        &[
            (
                "{ type: [string, 'null'], enum: [A, null] }",
                "OrderX, nullable",
            ),
            (
                "{ type: string, nullable: true, enum: [A, null] }",
                "OrderX, nullable",
            ),
            ("{ enum: [A, B] }", "OrderX"),
            ("{ const: A }", "OrderX"),
            ("{ type: string, const: A }", "OrderX"),
            ("{ enum: [A, 1] }", "json"),
            ("{ type: string, enum: [] }", "text"),
        ],
        |schema| field("x", schema),
    );
    assert_eq!(
        enums(&schemas(
            "Order: { properties: { x: { type: [string, 'null'], enum: [A, null] } } }"
        )),
        ["OrderX: A"]
    );
}

#[test]
fn an_example_time_without_an_offset_is_noted() {
    let problem =
        "the example of `at` of Order has no offset, and such a time is read as one of UTC";
    for example in [
        "2026-03-16",
        "'2026-03-16 09:31:48'",
        "2026-03-16T09:31:48.5",
    ] {
        let schema = format!("{{ type: string, format: date-time, example: {example} }}");
        assert!(
            noted_field("at", &schema, problem).contains("time"),
            "{example}"
        );
    }
    for example in [
        "''",
        "2026-03-16T09:31:48Z",
        "'2026-03-16 09:31:48+0100'",
        "2026-03-16T09:31:48-01:00",
    ] {
        let schema = format!("{{ type: string, format: date-time, examples: [{example}] }}");
        assert!(field("at", &schema).contains("time"), "{example}");
    }
}
