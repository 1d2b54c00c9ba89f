//! Reads the headers `signature-input` and `signature`, strictly (RFC 8941).
//!
//! A general parser for structured fields is not suitable here. The signature covers the text as it was sent, which
//! such a parser does not keep, and duplicate labels or parameters must be rejected, whereas RFC 8941 uses the last
//! one.
//!
//! A proxy may add a signature of its own, in a form that is not supported here. Therefore each label is read by
//! itself.

use base64::Engine as _;

use super::base64_any_padding::BASE64;

/// The longest header that is read, in bytes. A real one has about 500.
pub(crate) const MAX_HEADER: usize = 8 * 1024;
/// The most labels in a header. Each costs a verification, and a key rotation needs only two.
const MAX_LABELS: usize = 8;
/// The most components that a signature can cover. Real ones have about ten.
const MAX_COMPONENTS: usize = 64;
/// The most parameters of a signature. RFC 9421 section 2.3 defines six.
const MAX_PARAMETERS: usize = 16;

/// One entry of the header `signature-input`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignatureInput<'a> {
    /// Everything after `label=`, as sent: the value of `@signature-params`.
    pub(crate) raw: &'a str,
    pub(crate) components: Vec<&'a str>,
    pub(crate) key_id: &'a str,
    pub(crate) created: i64,
    pub(crate) expires: Option<i64>,
    pub(crate) nonce: Option<&'a str>,
}

/// One label of a header, with its value if it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Labelled<'a, T> {
    pub(crate) label: &'a str,
    pub(crate) value: Option<T>,
}

/// Why a whole header could not be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    Syntax,
    DuplicateLabel,
}

/// Parses `signature-input`: a dictionary of inner lists of names, each with parameters.
pub(crate) fn parse_inputs(
    header: &str,
) -> Result<Vec<Labelled<'_, SignatureInput<'_>>>, Malformed> {
    parse_dictionary(header, signature_input)
}

/// Parses `signature`: a dictionary of byte sequences.
pub(crate) fn parse_signatures(header: &str) -> Result<Vec<Labelled<'_, Vec<u8>>>, Malformed> {
    parse_dictionary(header, Scanner::bytes)
}

/// Parses a dictionary of byte sequences, such as `content-digest`, and returns the entry `name`. `None` if there is
/// none.
pub(crate) fn find_bytes(header: &str, name: &str) -> Result<Option<Vec<u8>>, Malformed> {
    let members = parse_signatures(header)?;
    let Some(member) = members.into_iter().find(|member| member.label == name) else {
        return Ok(None);
    };
    member.value.map(Some).ok_or(Malformed::Syntax)
}

/// Parses a dictionary (RFC 8941 section 4.2.2). `value` parses the text after each `key=`. If it leaves text over, the
/// member has no value.
fn parse_dictionary<'a, T>(
    header: &'a str,
    value: impl Fn(&mut Scanner<'a>) -> Option<T>,
) -> Result<Vec<Labelled<'a, T>>, Malformed> {
    let mut members: Vec<Labelled<'a, T>> = Vec::new();
    let mut rest = Some(header.trim_matches(' '));
    while let Some(text) = rest {
        let (member, after) = split_member(text);
        rest = after;
        if member.is_empty() || members.len() == MAX_LABELS {
            return Err(Malformed::Syntax);
        }
        let member = parse_member(member, &value);
        if members.iter().any(|earlier| earlier.label == member.label) {
            return Err(Malformed::DuplicateLabel);
        }
        members.push(member);
    }
    Ok(members)
}

/// Splits the text at its first comma that is not part of a string.
fn split_member(text: &str) -> (&str, Option<&str>) {
    let is_space = |character| matches!(character, ' ' | '\t');
    let mut in_string = false;
    let mut is_escaped = false;
    let comma = text.bytes().position(|byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
        byte == b',' && !in_string
    });
    let (member, rest) = match comma.and_then(|at| text.split_at_checked(at)) {
        Some((member, rest)) => (member, rest.strip_prefix(',')),
        None => (text, None),
    };
    (
        member.trim_matches(is_space),
        rest.map(|rest| rest.trim_matches(is_space)),
    )
}

fn parse_member<'a, T>(
    member: &'a str,
    value: impl Fn(&mut Scanner<'a>) -> Option<T>,
) -> Labelled<'a, T> {
    let mut scanner = Scanner {
        text: member,
        at: 0,
    };
    let label = member.split(['=', ';']).next().unwrap_or(member);
    let value = scanner
        .key()
        .filter(|key| *key == label)
        .and_then(|_| scanner.expect(b'='))
        .and_then(|()| value(&mut scanner))
        .filter(|_| scanner.peek().is_none());
    Labelled { label, value }
}

fn signature_input<'a>(scanner: &mut Scanner<'a>) -> Option<SignatureInput<'a>> {
    let start = scanner.at;
    let components = component_list(scanner)?;
    let mut key_id = None;
    let mut created = None;
    let mut expires = None;
    let mut nonce = None;
    let mut names = Vec::new();
    while scanner.expect(b';').is_some() {
        scanner.skip(|byte| byte == b' ');
        let name = scanner.key()?;
        if names.len() == MAX_PARAMETERS || names.contains(&name) {
            return None;
        }
        names.push(name);
        match name {
            "keyid" => key_id = Some(scanner.expect(b'=').and_then(|()| scanner.string())?),
            "created" => created = Some(scanner.expect(b'=').and_then(|()| scanner.integer())?),
            "expires" => expires = Some(scanner.expect(b'=').and_then(|()| scanner.integer())?),
            "nonce" if scanner.rest().starts_with("=\"") => {
                nonce = Some(scanner.expect(b'=').and_then(|()| scanner.string())?);
            }
            // `alg` is ignored: only the key decides the algorithm, so that a sender cannot choose another one.
            _ => scanner.any_value()?,
        }
    }
    let raw = scanner.text.get(start..scanner.at)?;
    Some(SignatureInput {
        raw,
        components,
        key_id: key_id?,
        created: created?,
        expires,
        nonce,
    })
}

/// Parses an inner list of unique names without parameters (RFC 9421 section 2).
fn component_list<'a>(scanner: &mut Scanner<'a>) -> Option<Vec<&'a str>> {
    scanner.expect(b'(')?;
    let mut components = Vec::new();
    loop {
        scanner.skip(|byte| byte == b' ');
        if scanner.expect(b')').is_some() {
            return Some(components);
        }
        let name = scanner.string()?;
        let is_name = |byte: u8| {
            byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || b"@!#$%&'*+-.^_`|~:".contains(&byte)
        };
        let is_one_more = components.len() < MAX_COMPONENTS && !components.contains(&name);
        if name.is_empty() || !name.bytes().all(is_name) || !is_one_more {
            return None;
        }
        components.push(name);
        if !matches!(scanner.peek()?, b' ' | b')') {
            return None;
        }
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Skips the bytes for which `take` is true and returns them. `take` accepts only ASCII, so that no character is
    /// cut in two.
    fn skip(&mut self, take: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(&take) {
            self.at += 1;
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// RFC 8941 section 4.2.3.3.
    fn key(&mut self) -> Option<&'a str> {
        let is_first = |byte: u8| byte.is_ascii_lowercase() || byte == b'*';
        let is_next = |byte: u8| is_first(byte) || byte.is_ascii_digit() || b"_-.".contains(&byte);
        is_first(self.peek()?).then(|| self.skip(is_next))
    }

    /// A string without escapes, which names and ids do not need.
    fn string(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let content = self.skip(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte));
        self.expect(b'"')?;
        Some(content)
    }

    /// RFC 8941 section 3.3.1: at most 15 digits.
    fn integer(&mut self) -> Option<i64> {
        let start = self.at;
        let _ = self.expect(b'-');
        let digits = self.skip(|byte| byte.is_ascii_digit());
        if digits.is_empty() || digits.len() > 15 {
            return None;
        }
        self.text.get(start..self.at)?.parse().ok()
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        self.expect(b':')?;
        let encoded = self.skip(|byte| byte != b':' && byte.is_ascii());
        self.expect(b':')?;
        BASE64.decode(encoded).ok()
    }

    /// Skips the value of an ignored parameter: a string, a number, a date, a token, a byte sequence, a flag, or none.
    fn any_value(&mut self) -> Option<()> {
        if self.expect(b'=').is_none() {
            return Some(());
        }
        match self.peek()? {
            b'"' => self.any_string(),
            b'%' if self.rest().starts_with("%\"") => {
                self.expect(b'%')?;
                self.any_string()
            }
            b':' => self.bytes().map(drop),
            _ => {
                let is_token = |byte: u8| {
                    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/?@".contains(&byte)
                };
                (!self.skip(is_token).is_empty()).then_some(())
            }
        }
    }

    /// Skips a string that may have escapes.
    fn any_string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        loop {
            self.skip(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte));
            if self.expect(b'\\').is_none() {
                return self.expect(b'"');
            }
            let escaped = self.peek()?;
            self.expect(escaped)
                .filter(|()| b"\"\\".contains(&escaped))?;
        }
    }
}
