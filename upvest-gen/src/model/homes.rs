//! Finds the component that contains a schema. An object that several others share is named after this component.

use super::names;

/// Returns the component around the place `at`, such as `/components/schemas/Order`.
pub(super) fn home(at: &str) -> Option<&str> {
    let rest = at.strip_prefix("/components/")?;
    let mut slashes = rest.match_indices('/').map(|(index, _)| index);
    let _after_the_kind = slashes.next()?;
    let end = slashes.next().unwrap_or(rest.len());
    at.get(..end + "/components/".len())
}

/// The name of the object at the place `at` in its component: `OrderFee` for
/// `/components/schemas/Order/properties/fees/items`.
pub(super) fn name(at: &str) -> Option<String> {
    let home = home(at)?;
    let (_, component) = home.rsplit_once('/')?;
    let mut field = "";
    let mut segments = at.strip_prefix(home)?.split('/');
    while let Some(segment) = segments.next() {
        field = match segment {
            "properties" => segments.next()?,
            "items" | "additionalProperties" | "unevaluatedProperties" if field.is_empty() => {
                "item"
            }
            "items" | "additionalProperties" | "unevaluatedProperties" => names::singular(field),
            _ => field,
        };
    }
    Some(names::type_name(&format!("{component}-{field}")))
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn an_object_is_named_after_its_component_and_its_field() {
        for (at, expected) in [
            (
                "/components/schemas/Order/properties/fees/items",
                "OrderFee",
            ),
            (
                "/components/schemas/Order/allOf/1/properties/fee/oneOf/0",
                "OrderFee",
            ),
            ("/components/schemas/Orders/items", "OrdersItem"),
            (
                "/components/responses/Done/content/application~1json/schema",
                "Done",
            ),
        ] {
            assert_eq!(name(at).as_deref(), Some(expected), "{at}");
        }
        assert_eq!(name("/paths/~1a/get"), None);
    }
}
