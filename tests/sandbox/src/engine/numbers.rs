//! Numbers within the limits of a schema.

use serde_json::{Value, json};

use crate::description::Shape;

/// Returns the integer nearest to 1 that a schema allows.
pub(super) fn integer(shape: &Shape<'_>) -> Value {
    let limit = |keyword: &str| {
        let limit = shape.keyword(keyword)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the number is a limit of integers"
        )]
        limit
            .as_i64()
            .or_else(|| Some(limit.as_f64()?.ceil() as i64))
    };
    let above = limit("exclusiveMinimum").map(|limit| limit.saturating_add(1));
    let below = limit("exclusiveMaximum").map(|limit| limit.saturating_sub(1));
    let least = limit("minimum").max(above);
    let most = [limit("maximum"), below].into_iter().flatten().min();
    let mut value = 1.max(least.unwrap_or(1));
    if let Some(most) = most {
        value = value.min(most);
    }
    if let Some(step) = limit("multipleOf").filter(|step| *step > 0) {
        let rest = value.rem_euclid(step);
        value = if rest == 0 {
            value
        } else {
            value + step - rest
        };
    }
    json!(value)
}

/// Returns a number that a schema allows.
pub(super) fn number(shape: &Shape<'_>) -> Value {
    let limit = |keyword: &str| shape.keyword(keyword)?.as_f64();
    let above = limit("exclusiveMinimum");
    let below = limit("exclusiveMaximum");
    let least = limit("minimum").or(above);
    let most = limit("maximum").or(below);
    let is_within = |value: f64| {
        least.is_none_or(|least| value >= least)
            && most.is_none_or(|most| value <= most)
            && above.is_none_or(|above| value > above)
            && below.is_none_or(|below| value < below)
    };
    let usual = [1.0, 0.0].into_iter().find(|value| is_within(*value));
    let mut value = usual.unwrap_or_else(|| match (least, most) {
        (Some(least), Some(most)) => f64::midpoint(least, most),
        (Some(least), None) if is_within(least) => least,
        (Some(least), None) => least + 1.0,
        (None, Some(most)) => most - 1.0,
        (None, None) => 1.0,
    });
    if let Some(step) = limit("multipleOf").filter(|step| *step > 0.0) {
        value = (value / step).ceil() * step;
    }
    json!(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_within_their_limits() {
        for (schema, value) in [
            (json!({ "type": "integer", "maximum": -3 }), json!(-3)),
            (json!({ "type": "integer", "minimum": 2.5 }), json!(3)),
            (
                json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }),
                json!(0.5),
            ),
            (json!({ "type": "number", "minimum": 10 }), json!(10.0)),
        ] {
            let document = json!({});
            let shape = Shape::of(&document, &schema);
            let made = if schema["type"] == "integer" {
                integer(&shape)
            } else {
                number(&shape)
            };
            assert_eq!(made, value, "{schema}");
        }
    }
}
