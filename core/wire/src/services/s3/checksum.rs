//! Checksums of contents: the five algorithms of S3, in headers, in trailers and of parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, Digest as Crc, checksum_combine};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use trunkline_engine::Object;

use super::context::Context;
use super::errors;
use crate::error::Result;
use crate::value::Value;

/// What the header of a checksum starts with.
pub(super) const PREFIX: &str = "x-amz-checksum-";
/// The header that tells whether a checksum is of the content or of the checksums of its parts.
pub(super) const TYPE: &str = "x-amz-checksum-type";
/// The type of a checksum of the whole content.
pub(super) const FULL: &str = "FULL_OBJECT";

/// An algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

const ALL: [Algorithm; 5] =
    [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256];

impl Algorithm {
    /// The name, in lower case, as headers end.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Crc64Nvme => "crc64nvme",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The algorithm of this name, in whatever case.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name))
    }

    /// The header that carries a checksum of it.
    pub fn header(self) -> String {
        format!("{PREFIX}{}", self.name())
    }

    /// The member of the model that carries it.
    pub fn member(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32c => "ChecksumCRC32C",
            Self::Crc64Nvme => "ChecksumCRC64NVME",
            Self::Sha1 => "ChecksumSHA1",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    /// The algorithm of a header, if it is that of a checksum.
    pub fn of_header(name: &str) -> Option<Self> {
        Self::named(name.strip_prefix(PREFIX)?)
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    fn crc_bytes(self, value: u64) -> Vec<u8> {
        let skipped = if self == Self::Crc64Nvme { 0 } else { 4 };
        value.to_be_bytes()[skipped..].to_vec()
    }
}

/// The algorithm that a request asks for.
pub(super) fn asked(context: &Context) -> Result<Option<Algorithm>> {
    let Some(name) = context.header("x-amz-checksum-algorithm") else { return Ok(None) };
    let message = "Checksum algorithm provided is unsupported. Please try again with any of the \
                   valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]";
    Algorithm::named(name).map(Some).ok_or_else(|| errors::invalid_request(message))
}

/// Whether a header tells of a checksum.
pub(super) fn is_header(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// A checksum that is being computed.
pub(super) struct Hasher {
    pub algorithm: Algorithm,
    state: State,
}

enum State {
    Crc(Crc),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match (algorithm.crc(), algorithm) {
            (Some(crc), _) => State::Crc(Crc::new(crc)),
            (None, Algorithm::Sha1) => State::Sha1(Sha1::new()),
            (None, _) => State::Sha256(Sha256::new()),
        };
        Self { algorithm, state }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(crc) => crc.update(bytes),
            State::Sha1(sha) => sha.update(bytes),
            State::Sha256(sha) => sha.update(bytes),
        }
    }

    /// The checksum in base64.
    pub fn finish(self) -> String {
        STANDARD.encode(match self.state {
            State::Crc(crc) => self.algorithm.crc_bytes(crc.finalize()),
            State::Sha1(sha) => sha.finalize().to_vec(),
            State::Sha256(sha) => sha.finalize().to_vec(),
        })
    }
}

/// The checksum of checksums of parts: `None` if one of them is none.
pub(super) fn composite(algorithm: Algorithm, parts: &[&str]) -> Option<String> {
    let mut hasher = Hasher::new(algorithm);
    for part in parts {
        hasher.update(&STANDARD.decode(part).ok()?);
    }
    Some(format!("{}-{}", hasher.finish(), parts.len()))
}

/// The checksum of a content that consists of parts with these checksums and lengths.
pub(super) fn of_whole(algorithm: Algorithm, parts: &[(&str, u64)]) -> Option<String> {
    let crc = algorithm.crc()?;
    let mut whole = 0;
    for (place, (text, len)) in parts.iter().enumerate() {
        let bytes = STANDARD.decode(text).ok()?;
        let value = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        whole = if place == 0 { value } else { checksum_combine(crc, whole, value, *len) };
    }
    Some(STANDARD.encode(algorithm.crc_bytes(whole)))
}

/// The algorithms of an object's checksums, and what they are of.
pub(super) fn described(object: &Object) -> (Vec<Value>, Option<&str>) {
    let found = object.headers.iter().filter_map(|(name, _)| Algorithm::of_header(name));
    let names = found.map(|one| one.name().to_ascii_uppercase().into()).collect();
    (names, object.header(TYPE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(algorithm: Algorithm, bytes: &[u8]) -> String {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    #[test]
    fn known_checksums_come_out() {
        for (algorithm, wanted) in [
            (Algorithm::Crc32, "y/Q5Jg=="),
            (Algorithm::Crc32c, "4waSgw=="),
            (Algorithm::Crc64Nvme, "rosUhgp5mIg="),
            (Algorithm::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
            (Algorithm::Sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        ] {
            assert_eq!(sum(algorithm, b"123456789"), wanted, "{algorithm:?}");
        }
    }

    #[test]
    fn checksums_of_parts_make_the_checksum_of_the_whole() {
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let parts = ["1234", "56", "789"];
            let sums: Vec<String> = parts.iter().map(|p| sum(algorithm, p.as_bytes())).collect();
            let lens = parts.iter().map(|part| part.len() as u64);
            let sums: Vec<(&str, u64)> = sums.iter().map(String::as_str).zip(lens).collect();
            let whole = of_whole(algorithm, &sums).unwrap();
            assert_eq!(whole, sum(algorithm, b"123456789"), "{algorithm:?}");
        }
    }
}
