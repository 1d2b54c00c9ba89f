//! Random numbers from the operating system, for jitter.
//!
//! After `fork`, an in-process generator would give parent and child the same numbers.

/// A random fraction in `[0, 1)` with 53 bits, the precision of an `f64`.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
pub(crate) fn fraction() -> f64 {
    let bits = getrandom::u64().expect("an operating system has random numbers");
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
