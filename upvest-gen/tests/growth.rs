//! The time to generate code grows in proportion to the description.

#[path = "common/sizes.rs"]
mod sizes;

use sizes::GROWTHS;

/// The factor between the sizes of the two descriptions.
const FACTOR: usize = 4;

/// In proportion, the time grows by the factor 4; with the square of the size, by the factor 16.
const LIMIT: f64 = 10.0;

#[test]
fn the_time_is_proportional_to_the_size_of_each_construct() {
    let mut faults = Vec::new();
    for ((name, description), size) in GROWTHS {
        let large = description(size);
        let small = description(size / FACTOR);
        let before = sizes::time(&small, 3).as_secs_f64();
        let after = sizes::time(&large, 2).as_secs_f64();
        println!(
            "{size:>6} {name}: {after:.2} s, {:.1} times as long",
            after / before
        );
        if after / before > LIMIT {
            faults.push(format!("{size} {name}: {before:.2} s, then {after:.2} s"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
