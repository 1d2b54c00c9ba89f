//! Reads and writes PEM (RFC 7468).
//!
//! Reading is lenient, because a key often passes through an environment variable or a secret store on its way to a
//! program. These change line breaks to other line breaks, to spaces or to the two characters `\n`, indent lines, or
//! put quotes around the text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::base64_any_padding::BASE64;

/// A text with PEM blocks. Everything outside of the blocks is ignored, whatever its encoding.
pub(super) struct PemText(Zeroizing<String>);

/// One PEM block.
pub(super) struct PemBlock<'a> {
    /// The text after `BEGIN`, such as `EC PRIVATE KEY`.
    pub(super) label: &'a str,
    /// The text between the first and the last line. `None` if the last line is missing.
    body: Option<&'a str>,
}

/// The decoded body of a block.
pub(super) struct PemBody {
    /// Whether the header `Proc-Type` says that the content is encrypted.
    pub(super) is_encrypted: bool,
    /// The header `DEK-Info`: the cipher and the initialization vector.
    pub(super) dek_info: Option<String>,
    pub(super) content: Zeroizing<Vec<u8>>,
}

/// Why a block cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PemError {
    NoEnd,
    Base64,
}

impl PemText {
    /// Zero bytes are skipped, so that text in UTF-16 can be read.
    pub(super) fn new(bytes: &[u8]) -> Self {
        // A capacity that suffices: moving the text would leave a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(bytes.len()));
        let mut bytes = bytes.iter().filter(|byte| **byte != 0).peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' => {
                    if bytes
                        .next_if(|next| matches!(next, b'n' | b'r' | b't'))
                        .is_some()
                    {
                        text.push('\n');
                    }
                }
                byte if byte.is_ascii() => text.push(char::from(*byte)),
                _ => text.push('?'),
            }
        }
        Self(text)
    }

    pub(super) fn blocks(&self) -> Vec<PemBlock<'_>> {
        let mut blocks = Vec::new();
        let mut rest = self.0.as_str();
        while let Some((_, begin)) = rest.split_once("-----BEGIN ") {
            rest = begin;
            let label = begin.split_once("-----");
            let Some((label, after)) = label.filter(|(label, _)| is_label(label)) else {
                continue;
            };
            // A block without an end must not hide the blocks after it.
            let body = after.split("-----BEGIN ").next().unwrap_or(after);
            let end = format!("-----END {label}-----");
            let body = body.split_once(&end).map(|(body, _)| body);
            blocks.push(PemBlock { label, body });
        }
        blocks
    }
}

impl PemBlock<'_> {
    pub(super) fn decode(&self) -> Result<PemBody, PemError> {
        let body = self.body.ok_or(PemError::NoEnd)?;
        let is_between = |character: char| character.is_whitespace() || "\"'".contains(character);
        let mut words = body
            .lines()
            .filter(|line| !is_other_header(line.trim_start_matches(is_between)))
            .flat_map(|line| line.split(is_between))
            .filter(|word| !word.is_empty());
        let mut is_encrypted = false;
        let mut dek_info = None;
        let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
        while let Some(word) = words.next() {
            let Some((name, value)) = word.split_once(':') else {
                base64.push_str(word);
                continue;
            };
            let mut value = value.to_owned();
            // The value, or its part after the comma, can be a word of its own.
            while value.is_empty() || value.ends_with(',') {
                value += words.next().ok_or(PemError::Base64)?;
            }
            if name.eq_ignore_ascii_case("DEK-Info") {
                dek_info = Some(value);
            } else {
                is_encrypted = value.ends_with("ENCRYPTED");
            }
        }
        let mut content = Zeroizing::new(Vec::with_capacity(base64.len()));
        BASE64
            .decode_vec(base64.as_bytes(), &mut content)
            .map_err(|_| PemError::Base64)?;
        Ok(PemBody {
            is_encrypted,
            dek_info,
            content,
        })
    }
}

/// Whether the text is a label, and not a part of a key after a damaged first line, which must not get into an error.
fn is_label(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ';
    text.len() <= 40 && text.bytes().all(is_allowed)
}

/// Whether the line is a header that does not matter here (RFC 1421 section 4.6).
fn is_other_header(line: &str) -> bool {
    line.split_once(':').is_some_and(|(name, _)| {
        !name.eq_ignore_ascii_case("Proc-Type") && !name.eq_ignore_ascii_case("DEK-Info")
    })
}

/// Writes one block, with lines of 64 characters as OpenSSL writes them.
pub(super) fn encode(label: &str, content: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in content.chunks(48) {
        text.push_str(&STANDARD.encode(line));
        text.push('\n');
    }
    text + "-----END " + label + "-----\n"
}
