//! The algorithms of `States.Hash` and of `$hash`.

use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384, Sha512};

/// The hash of a text in lower-case hexadecimal digits. `None`: there is no such algorithm.
pub(crate) fn hash(text: &str, algorithm: &str) -> Option<String> {
    fn of<D: Digest>(text: &str) -> Vec<u8> {
        D::digest(text.as_bytes()).to_vec()
    }
    let bytes = match algorithm {
        "MD5" => of::<Md5>(text),
        "SHA-1" => of::<Sha1>(text),
        "SHA-256" => of::<Sha256>(text),
        "SHA-384" => of::<Sha384>(text),
        "SHA-512" => of::<Sha512>(text),
        _ => return None,
    };
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
