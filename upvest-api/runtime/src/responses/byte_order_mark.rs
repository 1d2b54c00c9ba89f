//! The byte order mark that some servers write before JSON.

/// Some servers write a byte order mark before JSON, and RFC 8259 section 8.1 lets a reader ignore it.
pub fn without_byte_order_mark(json: &[u8]) -> &[u8] {
    json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json)
}
