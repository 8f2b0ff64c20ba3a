//! The MD5 digests that SQS answers with.

use md5::{Digest, Md5};
use trunkline_engine::attributes::Attribute;

use crate::md5_simd;

/// Fewer bodies than this are digested one by one.
const SIDE_BY_SIDE_MIN: usize = 4;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A digest as 32 hexadecimal digits.
pub(super) type Hex = [u8; 32];

/// The digest of a body.
pub(super) fn of_body(body: &[u8]) -> Hex {
    hex(Md5::digest(body).into())
}

/// The digests of several bodies, in their order.
pub(super) fn of_bodies(bodies: &[&[u8]]) -> Vec<Hex> {
    // Bodies of one length fill the lanes best; a few are done sooner one by one.
    if bodies.len() < SIDE_BY_SIDE_MIN {
        return bodies.iter().map(|body| of_body(body)).collect();
    }
    let mut digests = Vec::with_capacity(bodies.len());
    for group in bodies.chunks(md5_simd::LANES) {
        let longest = group.iter().map(|body| body.len()).max().unwrap_or(0);
        let total: usize = group.iter().map(|body| body.len()).sum();
        // Side by side costs about three times the longest alone.
        let found = (total > longest * 3).then(|| md5_simd::digest(group)).flatten();
        match found {
            Some(found) => digests.extend(found.into_iter().take(group.len()).map(hex)),
            None => digests.extend(group.iter().map(|body| of_body(body))),
        }
    }
    digests
}

/// The digest of attributes, which must be sorted by name: names, types and values with their
/// lengths, and a byte that tells text from binary.
pub(super) fn of_attributes<'a>(sorted: impl Iterator<Item = &'a Attribute>) -> Hex {
    let mut digest = Md5::new();
    let part = |digest: &mut Md5, bytes: &[u8]| {
        digest.update((bytes.len() as u32).to_be_bytes());
        digest.update(bytes);
    };
    for attribute in sorted {
        part(&mut digest, attribute.name.as_bytes());
        part(&mut digest, attribute.data_type.as_bytes());
        let is_binary = attribute.data_type.starts_with("Binary");
        digest.update([if is_binary { 2 } else { 1 }]);
        part(&mut digest, &attribute.value);
    }
    hex(digest.finalize().into())
}

fn hex(digest: [u8; 16]) -> Hex {
    let mut text = [0; 32];
    for (place, byte) in digest.iter().enumerate() {
        text[place * 2] = HEX[usize::from(byte >> 4)];
        text[place * 2 + 1] = HEX[usize::from(byte & 15)];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str, data_type: &str, value: &str) -> Attribute {
        let (name, data_type) = (name.to_owned(), data_type.to_owned());
        Attribute { name, data_type, value: value.as_bytes().to_vec(), system: false }
    }

    #[test]
    fn attribute_digests_match_those_recorded_from_aws() {
        let text = |name, value| attribute(name, "String", value);
        let number = |name, value| attribute(name, "Number", value);
        for (attributes, expected) in [
            (vec![text("Foo", "Bar")], b"ae7155c6026991b6d54b11589678bf9c"),
            (
                vec![text("General", "Kenobi"), text("Hello", "There"), text("Help.Me", "Me")],
                b"4c360f3fdafd970e05fae2f149d997f5",
            ),
            (
                vec![number("attr1", "99.12"), number("attr2", "109.12")],
                b"9b720b3af309c1c4b0d395c53b08c502",
            ),
        ] {
            assert_eq!(&of_attributes(attributes.iter()), expected);
        }
    }
}
