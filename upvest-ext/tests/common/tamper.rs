//! Tampering: changes of a delivery after it was signed.
#![allow(unreachable_pub, reason = "each test binary uses its part")]

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Request};

/// A kind of tampering: a change of a delivery after it was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tamper {
    /// Changes one byte of the body.
    Body,
    /// Changes the body and makes the digest fit it.
    BodyAndDigest,
    /// Delivers to another path.
    Path,
    /// Removes the time at which the signature expires.
    Expiry,
    /// Names another key.
    KeyId,
    /// Changes one byte of the signature.
    Signature,
    /// Removes the signature.
    NoSignature,
}

impl Tamper {
    /// All kinds of tampering.
    pub const ALL: [Self; 7] = [
        Self::Body,
        Self::BodyAndDigest,
        Self::Path,
        Self::Expiry,
        Self::KeyId,
        Self::Signature,
        Self::NoSignature,
    ];
}

pub trait Tampered {
    /// Returns a changed copy of the delivery.
    fn tampered(&self, tamper: Tamper) -> Request<Bytes>;
}

impl Tampered for Request<Bytes> {
    fn tampered(&self, tamper: Tamper) -> Request<Bytes> {
        let mut changed = self.clone();
        match tamper {
            Tamper::Body => change_body(&mut changed),
            Tamper::BodyAndDigest => {
                change_body(&mut changed);
                let body = changed.body().clone();
                edit(&mut changed, "digest", |_| {
                    format!("SHA-256={}", STANDARD.encode(digest(&SHA256, &body)))
                });
                let sha512 = STANDARD.encode(digest(&SHA512, &body));
                edit(&mut changed, "content-digest", |_| {
                    format!("sha-512=:{sha512}:")
                });
            }
            Tamper::Path => {
                let target = self.uri().to_string().replacen('/', "/x", 1);
                *changed.uri_mut() = target.parse().unwrap();
            }
            Tamper::Expiry => {
                edit(&mut changed, "signature-input", |text| {
                    text.replace(";expires=", ";expired=")
                });
            }
            Tamper::KeyId => {
                edit(&mut changed, "signature-input", |text| {
                    text.replace("keyid=\"", "keyid=\"0")
                });
            }
            // A letter of the base64 after `sig1=:`, far from its end.
            Tamper::Signature => edit(&mut changed, "signature", |text| {
                let other = if &text[20..21] == "A" { "B" } else { "A" };
                format!("{}{other}{}", &text[..20], &text[21..])
            }),
            Tamper::NoSignature => drop(changed.headers_mut().remove("signature")),
        }
        changed
    }
}

fn change_body(delivery: &mut Request<Bytes>) {
    let mut body = delivery.body().to_vec();
    body[0] ^= 1;
    *delivery.body_mut() = body.into();
}

fn edit(delivery: &mut Request<Bytes>, name: &'static str, edit: impl Fn(&str) -> String) {
    if let Some(value) = delivery.headers().get(name) {
        let value = HeaderValue::try_from(edit(value.to_str().unwrap())).unwrap();
        delivery.headers_mut().insert(name, value);
    }
}
