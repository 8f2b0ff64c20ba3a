//! Receiving the content of an object or a part: it is decoded, hashed and written as it comes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use trunkline_engine::{ContentWriter, ObjectContent, Pairs};

use super::checksum::{self, Algorithm, Hasher};
use super::chunked::Chunks;
use super::context::Context;
use super::errors;
use crate::auth::ChunkSigner;
use crate::error::Result;
use crate::limits::OBJECT_BYTES_MAX;

/// What a request says of its content.
pub(super) struct Content {
    writer: ContentWriter,
    chunks: Option<Chunks>,
    hashers: Vec<Hasher>,
    /// Checksums that headers state, by algorithm.
    stated: Vec<(Algorithm, String)>,
    md5: Option<Vec<u8>>,
    /// The SHA-256 that the signature is of.
    sha256: Option<(Sha256, String)>,
    length: Option<u64>,
    /// The trailers that a header announces, names in lower case.
    announced: Vec<String>,
}

/// Content that was received, and its checksums by their headers.
pub(super) struct Received {
    pub content: ObjectContent,
    pub checksums: Pairs,
}

impl Content {
    /// Prepares for the content of a request.
    pub fn begin(
        context: &Context,
        writer: ContentWriter,
        signer: Option<ChunkSigner>,
        default: Option<Algorithm>,
    ) -> Result<Self> {
        let payload = context.header("x-amz-content-sha256").unwrap_or("");
        let chunks = chunks(context, payload, signer)?;
        let (stated, algorithms) = checksums(context, default)?;
        let length = length(context, chunks.is_some())?;
        if let Some(size) = length.filter(|size| *size > OBJECT_BYTES_MAX) {
            return Err(errors::too_large(size, OBJECT_BYTES_MAX));
        }
        let is_digest = payload.len() == 64 && payload.bytes().all(|b| b.is_ascii_hexdigit());
        let sha256 = is_digest.then(|| (Sha256::new(), payload.to_ascii_lowercase()));
        let md5 = context.header("content-md5").map(|text| {
            let bytes = STANDARD.decode(text).ok().filter(|bytes| bytes.len() == 16);
            bytes.ok_or_else(|| {
                errors::error("InvalidDigest", 400, "The Content-MD5 you specified was invalid.")
            })
        });
        let announced = context.header("x-amz-trailer").filter(|_| chunks.is_some()).unwrap_or("");
        let names = announced.split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(Self {
            writer,
            announced: names.map(str::to_ascii_lowercase).collect(),
            chunks,
            hashers: algorithms.into_iter().map(Hasher::new).collect(),
            stated,
            md5: md5.transpose()?,
            sha256,
            length,
        })
    }

    /// Takes the next bytes of the body.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some((hash, _)) = &mut self.sha256 {
            hash.update(bytes);
        }
        let Self { writer, chunks, hashers, .. } = self;
        let mut take = |bytes: &[u8]| {
            hashers.iter_mut().for_each(|hasher| hasher.update(bytes));
            if writer.written() + bytes.len() as u64 > OBJECT_BYTES_MAX {
                return Err(errors::too_large(writer.written(), OBJECT_BYTES_MAX));
            }
            writer.write(bytes).map_err(|error| errors::from_engine(&error, "", ""))
        };
        match chunks {
            Some(chunks) => chunks.read(bytes, &mut take),
            None => take(bytes),
        }
    }

    /// The body has ended: what was said of it has to be so.
    pub fn finish(mut self) -> Result<Received> {
        if let Some(chunks) = &mut self.chunks {
            chunks.finish()?;
            let is_there = |name: &String| chunks.trailers.iter().any(|(own, _)| own == name);
            if !self.announced.iter().all(is_there) {
                let message = "The request contained trailing data that was not well-formed or did \
                               not conform to our published schema.";
                return Err(errors::error("MalformedTrailerError", 400, message));
            }
            for (name, value) in chunks.trailers.drain(..) {
                if let Some(algorithm) = Algorithm::of_header(&name) {
                    self.stated.push((algorithm, value));
                }
            }
        }
        if self.length.is_some_and(|length| length != self.writer.written()) {
            let message = "You did not provide the number of bytes specified by the \
                           Content-Length HTTP header";
            return Err(errors::error("IncompleteBody", 400, message));
        }
        if let Some((hash, stated)) = self.sha256 {
            let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            if found != stated {
                let message =
                    "The provided 'x-amz-content-sha256' header does not match what was computed.";
                return Err(errors::error("XAmzContentSHA256Mismatch", 400, message));
            }
        }
        let mut checksums: Pairs = Vec::new();
        for hasher in self.hashers {
            let algorithm = hasher.algorithm;
            let found = hasher.finish();
            let mut stated = self.stated.iter().filter(|(own, _)| *own == algorithm);
            if stated.any(|(_, value)| *value != found) {
                let name = algorithm.name().to_ascii_uppercase();
                let message =
                    format!("The {name} you specified did not match the calculated checksum.");
                return Err(errors::error("BadDigest", 400, message));
            }
            checksums.push((algorithm.header(), found));
        }
        let (content, md5) =
            self.writer.finish().map_err(|error| errors::from_engine(&error, "", ""))?;
        if self.md5.is_some_and(|stated| stated != md5) {
            let message = "The Content-MD5 you specified did not match what we received.";
            return Err(errors::error("BadDigest", 400, message));
        }
        Ok(Received { content, checksums })
    }
}

fn chunks(context: &Context, payload: &str, signer: Option<ChunkSigner>) -> Result<Option<Chunks>> {
    let is_encoded = context
        .header("content-encoding")
        .is_some_and(|text| text.split(',').any(|one| one.trim() == "aws-chunked"));
    match payload {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => {
            Ok(Some(Chunks::new(true, signer)))
        }
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(Some(Chunks::new(false, None))),
        other if other.starts_with("STREAMING-") => Err(errors::not_implemented(other)),
        // Without a signature nothing else tells.
        "" if is_encoded => Ok(Some(Chunks::new(false, None))),
        _ => Ok(None),
    }
}

fn length(context: &Context, is_chunked: bool) -> Result<Option<u64>> {
    let name = if is_chunked { "x-amz-decoded-content-length" } else { "content-length" };
    let Some(text) = context.header(name) else { return Ok(None) };
    let length = text.parse().map_err(|_| {
        errors::invalid_argument(name, text, "The length of the content is no number.")
    });
    length.map(Some)
}

/// The checksums that headers state, and the algorithms that are to be computed.
#[allow(clippy::type_complexity, reason = "two lists that belong together")]
fn checksums(
    context: &Context,
    default: Option<Algorithm>,
) -> Result<(Vec<(Algorithm, String)>, Vec<Algorithm>)> {
    let mut stated = Vec::new();
    let mut algorithms: Vec<Algorithm> = Vec::new();
    for (name, value) in &context.headers {
        if let (Some(algorithm), Ok(value)) = (Algorithm::of_header(name.as_str()), value.to_str())
        {
            stated.push((algorithm, value.to_owned()));
            algorithms.push(algorithm);
        }
    }
    if algorithms.len() > 1 {
        let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not \
                       allowed.";
        return Err(errors::invalid_request(message));
    }
    for trailer in context.header("x-amz-trailer").unwrap_or("").split(',') {
        algorithms.extend(Algorithm::of_header(trailer.trim()));
    }
    for name in ["x-amz-sdk-checksum-algorithm", "x-amz-checksum-algorithm"] {
        let Some(text) = context.header(name) else { continue };
        let found = Algorithm::named(text).ok_or_else(|| {
            errors::invalid_request(
                "Checksum algorithm provided is unsupported. Please try again with any of the \
                 valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
            )
        });
        algorithms.push(found?);
    }
    if algorithms.is_empty() {
        algorithms.push(default.unwrap_or(Algorithm::Crc64Nvme));
    }
    algorithms.sort_unstable_by_key(|one| one.name());
    algorithms.dedup();
    Ok((stated, algorithms))
}

/// The checksums of an object that was put in one piece, as they are kept with it.
pub(super) fn of_object(mut checksums: Pairs) -> Pairs {
    if !checksums.is_empty() {
        checksums.push((checksum::TYPE.to_owned(), "FULL_OBJECT".to_owned()));
    }
    checksums
}
