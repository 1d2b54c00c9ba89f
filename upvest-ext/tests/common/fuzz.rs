//! Runs parsers on arbitrary bytes, and on valid input with a few bytes changed, which gets deeper into them.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use std::time::{Duration, Instant};

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;

pub fn fuzz(target: impl FnMut(&mut Unstructured<'_>) -> Result<()>) {
    let seconds = std::env::var("UPVEST_FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2);
    arbtest(target)
        .budget(Duration::from_secs(seconds))
        .size_max(4096)
        .run();
}

/// Arbitrary bytes, or one of the seeds with some of its bytes changed, cut or repeated.
pub fn input(u: &mut Unstructured<'_>, seeds: &[Vec<u8>]) -> Result<Vec<u8>> {
    if u.ratio(1, 4)? {
        return Ok(u.bytes(u.len())?.to_vec());
    }
    let mut bytes = u.choose(seeds)?.clone();
    for _ in 0..u.int_in_range(0..=8)? {
        if bytes.is_empty() {
            break;
        }
        let at = u.choose_index(bytes.len())?;
        match u.int_in_range(0..=4)? {
            0 => bytes[at] = u.arbitrary()?,
            1 => bytes[at] ^= 1 << u.int_in_range(0..=7)?,
            2 => bytes.truncate(at),
            3 => bytes.insert(at, *u.choose(b"\"\\:;,=() \t\r\n{}[]-A0\xff\x00")?),
            _ => {
                let tail = bytes.split_off(at);
                bytes.extend_from_slice(&tail);
                bytes.extend_from_slice(&tail);
            }
        }
        bytes.truncate(64 * 1024);
    }
    Ok(bytes)
}

/// Runs a parser on `size` bytes and checks that it takes at most a millisecond per KiB, or 20 in an unoptimized build.
/// A run that takes longer is repeated, as the machine may have been busy.
pub fn within_its_time<T>(size: usize, read: impl Fn() -> T) -> T {
    let per_kib = Duration::from_millis(if cfg!(debug_assertions) { 20 } else { 1 });
    let limit = per_kib * u32::try_from(1 + size / 1024).unwrap();
    let mut took = Vec::new();
    for _ in 0..10 {
        let started = Instant::now();
        let result = read();
        took.push(started.elapsed());
        if took.iter().any(|took| *took <= limit) {
            return result;
        }
    }
    panic!("reading {size} bytes takes {took:?}, more than {limit:?}");
}
