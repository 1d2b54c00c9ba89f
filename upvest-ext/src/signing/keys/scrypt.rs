//! The key derivation scrypt (RFC 7914).
//!
//! Its mixing is written here, because aws-lc-rs does not offer scrypt, and the crate `scrypt` brings its own SHA-256 and over a dozen crates. PBKDF2 and
//! SHA-256, to which scrypt owes its security, are those of aws-lc-rs.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use zeroize::Zeroizing;

/// The words in a block of Salsa20.
const WORDS: usize = 16;

type Block = [u32; WORDS];

/// The cost of a derivation: RFC 7914 section 2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    blocks: usize,
    block_size: usize,
    parallelization: usize,
}

impl Cost {
    /// `None` if a number is zero, if `blocks` is not a power of two above one, or if a number does not fit into memory.
    pub(super) fn new(blocks: u64, block_size: u64, parallelization: u64) -> Option<Self> {
        let cost = Self {
            blocks: blocks.try_into().ok()?,
            block_size: block_size.try_into().ok()?,
            parallelization: parallelization.try_into().ok()?,
        };
        let is_valid = cost.blocks > 1
            && cost.blocks.is_power_of_two()
            && cost.block_size > 0
            && cost.parallelization > 0;
        is_valid.then_some(cost)
    }
}

/// RFC 7914 section 6.
pub(super) fn derive(cost: Cost, salt: &[u8], passphrase: &[u8], out: &mut [u8]) {
    let chunk = 128 * cost.block_size;
    let mut bytes = Zeroizing::new(vec![0; chunk * cost.parallelization]);
    pbkdf2_once(salt, passphrase, &mut bytes);
    for chunk in bytes.chunks_exact_mut(chunk) {
        mix_chunk(chunk, cost.blocks);
    }
    pbkdf2_once(&bytes, passphrase, out);
}

fn pbkdf2_once(salt: &[u8], passphrase: &[u8], out: &mut [u8]) {
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        NonZeroU32::MIN,
        salt,
        passphrase,
        out,
    );
}

/// `scryptROMix`: RFC 7914 section 5.
fn mix_chunk(chunk: &mut [u8], blocks: usize) {
    let mut state: Zeroizing<Vec<Block>> =
        Zeroizing::new(chunk.chunks_exact(64).map(to_words).collect());
    let mut next = state.clone();
    let width = state.len();
    let mut table = Zeroizing::new(Vec::with_capacity(blocks * width));
    for _ in 0..blocks {
        table.extend_from_slice(&state);
        mix_blocks(&state, &mut next);
        std::mem::swap(&mut state, &mut next);
    }
    for _ in 0..blocks {
        // `Integerify`: the first word of the last block. The number of blocks is a power of two.
        let number = state.last().map_or(0, |block| block[0]) as usize & (blocks - 1);
        let row = table.iter().skip(number * width);
        for (block, other) in state.iter_mut().zip(row) {
            xor(block, other);
        }
        mix_blocks(&state, &mut next);
        std::mem::swap(&mut state, &mut next);
    }
    for (bytes, block) in chunk.chunks_exact_mut(64).zip(state.iter()) {
        for (bytes, word) in bytes.chunks_exact_mut(4).zip(block) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
    }
}

fn to_words(bytes: &[u8]) -> Block {
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u32::from_le_bytes(bytes.try_into().expect("the chunks have 4 bytes"));
    }
    words
}

/// `scryptBlockMix`: RFC 7914 section 4. The blocks with even numbers come first.
fn mix_blocks(from: &[Block], to: &mut [Block]) {
    let mut last = from.last().copied().unwrap_or_default();
    let (even, odd) = to.split_at_mut(from.len() / 2);
    for ((pair, even), odd) in from.chunks_exact(2).zip(even).zip(odd) {
        for (block, to) in pair.iter().zip([even, odd]) {
            xor(&mut last, block);
            salsa20_8(&mut last);
            *to = last;
        }
    }
}

fn xor(block: &mut Block, other: &Block) {
    for (word, other) in block.iter_mut().zip(other) {
        *word ^= other;
    }
}

/// RFC 7914 section 3.
fn salsa20_8(block: &mut Block) {
    let mut x = *block;
    for _ in 0..4 {
        // The columns, then the rows.
        for words in [[0, 4, 8, 12], [5, 9, 13, 1], [10, 14, 2, 6], [15, 3, 7, 11]] {
            quarter_round(&mut x, words);
        }
        for words in [[0, 1, 2, 3], [5, 6, 7, 4], [10, 11, 8, 9], [15, 12, 13, 14]] {
            quarter_round(&mut x, words);
        }
    }
    for (word, mixed) in block.iter_mut().zip(x) {
        *word = word.wrapping_add(mixed);
    }
}

fn quarter_round(x: &mut Block, [first, second, third, fourth]: [usize; 4]) {
    x[second] ^= x[first].wrapping_add(x[fourth]).rotate_left(7);
    x[third] ^= x[second].wrapping_add(x[first]).rotate_left(9);
    x[fourth] ^= x[third].wrapping_add(x[second]).rotate_left(13);
    x[first] ^= x[fourth].wrapping_add(x[third]).rotate_left(18);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_7914_pass() {
        for (passphrase, salt, cost, expected) in [
            (
                "",
                "",
                [16, 1, 1],
                "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
            ),
            (
                "password",
                "NaCl",
                [1024, 8, 16],
                "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
            ),
            (
                "pleaseletmein",
                "SodiumChloride",
                [16384, 8, 1],
                "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
            ),
        ] {
            let [blocks, block_size, parallelization] = cost;
            let cost = Cost::new(blocks, block_size, parallelization).unwrap();
            let mut out = [0; 64];
            derive(cost, salt.as_bytes(), passphrase.as_bytes(), &mut out);
            let expected = u128s(expected);
            assert!(
                out.chunks_exact(16)
                    .eq(expected.iter().map(<[u8; 16]>::as_slice))
            );
        }
    }

    fn u128s(hex: &str) -> Vec<[u8; 16]> {
        let words = hex.as_bytes().chunks_exact(32);
        words
            .map(|word| u128::from_str_radix(str::from_utf8(word).unwrap(), 16).unwrap())
            .map(u128::to_be_bytes)
            .collect()
    }

    #[test]
    fn a_cost_that_rfc_7914_does_not_allow_is_rejected() {
        for [blocks, block_size, parallelization] in
            [[0, 8, 1], [1, 8, 1], [3, 8, 1], [16, 0, 1], [16, 8, 0]]
        {
            assert!(Cost::new(blocks, block_size, parallelization).is_none());
        }
    }
}
