//! Arithmetic with amounts is exact.

use upvest_runtime::Decimal;
use upvest_runtime::rust_decimal;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn arithmetic_is_exact_and_keeps_decimal_places() {
    let half_a_cent = decimal("0.005");
    assert_eq!((half_a_cent + half_a_cent).to_string(), "0.010");
    assert_eq!((decimal("0.1") + decimal("0.2")).to_string(), "0.3");
    assert_eq!((decimal("10.00") - 10).to_string(), "0.00");
    assert_eq!((decimal("1.10") * decimal("1.10")).to_string(), "1.2100");
    assert_eq!((-decimal("250.00")).to_string(), "-250.00");
    let total = decimal("7.50") + rust_decimal::Decimal::new(25, 1);
    assert_eq!(total, decimal("10"));
}

#[test]
fn a_number_of_any_length_is_read_as_it_is_written() {
    for length in 1..=28 {
        let digits = "9".repeat(length);
        assert_eq!(decimal(&digits).to_string(), digits);
        for point in 1..length {
            let number = format!("-{}.{}", &digits[..point], &digits[point..]);
            assert_eq!(decimal(&number).to_string(), number);
        }
    }
}

#[test]
fn amounts_sum_up_by_value_and_by_reference() {
    let amounts = [decimal("19.99"), decimal("0.01"), decimal("-5.00")];
    assert_eq!(amounts.iter().sum::<Decimal>(), Decimal::from(15));
    assert_eq!(amounts.into_iter().sum::<Decimal>().to_string(), "15.00");
    assert_eq!([].iter().sum::<Decimal>(), Decimal::ZERO);
}

#[test]
fn a_decimal_compares_with_the_one_of_rust_decimal() {
    let limit = rust_decimal::Decimal::new(10_000, 2);
    assert!(decimal("99.99") < limit && decimal("100.0") == limit && decimal("100.01") > limit);
    let there = rust_decimal::Decimal::from(decimal("1.50"));
    assert_eq!(there.to_string(), "1.50");
    let back = Decimal::from(limit);
    assert_eq!(back.to_string(), "100.00");
}

#[test]
fn amounts_can_be_added_in_place() {
    let mut total = decimal("10.00");
    total += decimal("0.50");
    total -= 3;
    assert_eq!(total.to_string(), "7.50");
}

#[test]
fn exact_arithmetic_never_rounds() {
    let max = decimal("9999999999999999999999999999");
    let five_cents = decimal("0.05");
    assert_eq!(max.exact_add(five_cents), None);
    assert_eq!(max.exact_sub(five_cents), None);
    assert_eq!(max.exact_mul(decimal("1.5")), None);
    assert_eq!(max.exact_mul(max), None);
    // Zeros that are lost change nothing.
    assert_eq!(max.exact_add(decimal("1.00")), Some(max + 1));
    let cents = five_cents.exact_mul(decimal("0.10")).unwrap();
    assert_eq!(cents.to_string(), "0.0050");
}

#[test]
fn checked_arithmetic_returns_none_on_overflow() {
    let max = decimal("79228162514264337593543950335");
    assert_eq!(max.checked_add(*decimal("1")), None);
    assert_eq!(
        max.checked_sub(*decimal("1")).map(Decimal::from),
        Some(max - 1)
    );
}
