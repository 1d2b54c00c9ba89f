//! Reads the structure of a private key in DER.

use der::asn1::{AnyRef, ContextSpecific, ObjectIdentifier, OctetStringRef};
use der::{Reader, SliceReader, Tag, TagNumber, Tagged as _};

/// The structure of a private key. It is told by its content, as some programs write a wrong label in the PEM file.
pub(super) enum KeyDer<'a> {
    /// RFC 5915, with its optional curve.
    Sec1 { curve: Option<AnyRef<'a>> },
    /// RFC 5958. Version 2 may have a public key.
    Pkcs8 {
        algorithm: Algorithm<'a>,
        private_key: &'a [u8],
        public_key: Option<&'a [u8]>,
    },
    /// RFC 5958 section 3.
    Encrypted {
        encryption: Algorithm<'a>,
        data: &'a [u8],
    },
    /// RFC 8017: numbers only.
    Rsa,
}

/// RFC 5280 section 4.1.1.2.
pub(super) struct Algorithm<'a> {
    pub(super) id: ObjectIdentifier,
    pub(super) parameters: Option<AnyRef<'a>>,
}

impl<'a> KeyDer<'a> {
    pub(super) fn read(der: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let key = reader.sequence(|fields| match Tag::peek(fields)? {
            Tag::Sequence => read_encrypted(fields),
            _ => read_plain(fields),
        })?;
        reader.finish()?;
        Ok(key)
    }
}

impl<'a> Algorithm<'a> {
    pub(super) fn read(reader: &mut SliceReader<'a>) -> der::Result<Self> {
        reader.sequence(|fields| {
            let id = fields.decode()?;
            let parameters = if fields.is_finished() {
                None
            } else {
                Some(fields.decode()?)
            };
            Ok(Self { id, parameters })
        })
    }
}

fn read_encrypted<'a>(fields: &mut SliceReader<'a>) -> der::Result<KeyDer<'a>> {
    let encryption = Algorithm::read(fields)?;
    let data: &OctetStringRef = fields.decode()?;
    Ok(KeyDer::Encrypted {
        encryption,
        data: data.as_bytes(),
    })
}

fn read_plain<'a>(fields: &mut SliceReader<'a>) -> der::Result<KeyDer<'a>> {
    let _version: u8 = fields.decode()?;
    match Tag::peek(fields)? {
        Tag::OctetString => read_sec1(fields),
        Tag::Integer => {
            skip_rest(fields)?;
            Ok(KeyDer::Rsa)
        }
        _ => read_pkcs8(fields),
    }
}

fn read_sec1<'a>(fields: &mut SliceReader<'a>) -> der::Result<KeyDer<'a>> {
    let _private_key: &OctetStringRef = fields.decode()?;
    let curve = ContextSpecific::<AnyRef<'a>>::decode_explicit(fields, TagNumber(0))?;
    skip_rest(fields)?;
    Ok(KeyDer::Sec1 {
        curve: curve.map(|curve| curve.value),
    })
}

fn read_pkcs8<'a>(fields: &mut SliceReader<'a>) -> der::Result<KeyDer<'a>> {
    let algorithm = Algorithm::read(fields)?;
    let private_key: &OctetStringRef = fields.decode()?;
    let mut public_key = None;
    while !fields.is_finished() {
        let field: AnyRef<'a> = fields.decode()?;
        let is_public_key = matches!(
            field.tag(),
            Tag::ContextSpecific {
                number: TagNumber(1),
                ..
            }
        );
        if is_public_key {
            // An implicit bit string: the number of unused bits, then the key.
            public_key = field.value().strip_prefix(&[0]);
        }
    }
    Ok(KeyDer::Pkcs8 {
        algorithm,
        private_key: private_key.as_bytes(),
        public_key,
    })
}

fn skip_rest(fields: &mut SliceReader<'_>) -> der::Result<()> {
    let rest = fields.remaining_len();
    fields.drain(rest)
}
