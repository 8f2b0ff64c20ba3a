//! Bodies in the encoding `aws-chunked`: chunks with their lengths, perhaps signed, and trailers.
//!
//! ```text
//! 10000;chunk-signature=SIGNATURE\r\n BYTES \r\n ... 0;chunk-signature=SIGNATURE\r\n
//! x-amz-checksum-crc32:BASE64\r\n x-amz-trailer-signature:SIGNATURE\r\n \r\n
//! ```

use sha2::{Digest, Sha256};

use super::errors;
use crate::auth::ChunkSigner;
use crate::error::{Result, WireError};
use crate::limits::{CHUNK_BYTES_MAX, CHUNK_LINE_BYTES_MAX};

const TRAILERS_MAX: usize = 16;

/// Reads chunks.
pub(super) struct Chunks {
    state: State,
    line: Vec<u8>,
    /// Absent where signatures are not proved.
    signer: Option<ChunkSigner>,
    is_signed: bool,
    signature: String,
    hash: Sha256,
    /// The trailers, names in lower case.
    pub trailers: Vec<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Data(u64),
    DataEnd,
    Trailers,
    Over,
}

fn broken(message: &str) -> WireError {
    errors::error("IncompleteBody", 400, message)
}

fn mismatch() -> WireError {
    errors::error("SignatureDoesNotMatch", 403, crate::auth::MISMATCH)
}

impl Chunks {
    /// Chunks that are signed, or not; `signer` proves the signatures.
    pub fn new(is_signed: bool, signer: Option<ChunkSigner>) -> Self {
        Self {
            state: State::Head,
            line: Vec::new(),
            signer: signer.filter(|_| is_signed),
            is_signed,
            signature: String::new(),
            hash: Sha256::new(),
            trailers: Vec::new(),
        }
    }

    /// Takes bytes of the body, and hands those of the content on.
    pub fn read(
        &mut self,
        mut bytes: &[u8],
        each: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        while !bytes.is_empty() {
            match self.state {
                State::Data(left) => {
                    let count = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    let (data, rest) = bytes.split_at(count);
                    if self.signer.is_some() {
                        self.hash.update(data);
                    }
                    each(data)?;
                    bytes = rest;
                    let left = left - count as u64;
                    self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                }
                State::Over => return Err(broken("There are bytes behind the last chunk.")),
                _ => {
                    let Some(end) = memchr::memchr(b'\n', bytes) else {
                        self.keep(bytes)?;
                        return Ok(());
                    };
                    self.keep(&bytes[..end])?;
                    bytes = &bytes[end + 1..];
                    let line = std::mem::take(&mut self.line);
                    let line = line.strip_suffix(b"\r").unwrap_or(&line);
                    let line = std::str::from_utf8(line)
                        .map_err(|_| broken("The head of a chunk is not text."))?;
                    self.line(line)?;
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<()> {
        if self.line.len() + bytes.len() > CHUNK_LINE_BYTES_MAX {
            return Err(broken("The head of a chunk is too long."));
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<()> {
        match self.state {
            State::Head => self.head(line),
            State::DataEnd => {
                if !line.is_empty() {
                    return Err(broken("A chunk is longer than its head says."));
                }
                self.prove_chunk()?;
                self.state = State::Head;
                Ok(())
            }
            _ if line.is_empty() => {
                self.prove_trailers()?;
                self.state = State::Over;
                Ok(())
            }
            _ => self.trailer(line),
        }
    }

    fn head(&mut self, line: &str) -> Result<()> {
        let (size, rest) = line.split_once(';').unwrap_or((line, ""));
        let is_plain = !size.is_empty() && size.bytes().all(|b| b.is_ascii_hexdigit());
        let size = is_plain.then(|| u64::from_str_radix(size, 16).ok()).flatten();
        let size = size.filter(|size| *size <= CHUNK_BYTES_MAX);
        let size = size.ok_or_else(|| broken("The length of a chunk is no number."))?;
        let signature = rest.trim().strip_prefix("chunk-signature=");
        if self.is_signed && signature.is_none() {
            return Err(broken("A chunk has no signature."));
        }
        signature.unwrap_or("").clone_into(&mut self.signature);
        self.state = State::Data(size);
        if size == 0 {
            self.prove_chunk()?;
            self.state = State::Trailers;
        }
        Ok(())
    }

    fn prove_chunk(&mut self) -> Result<()> {
        let hash = std::mem::take(&mut self.hash).finalize();
        let Some(signer) = &mut self.signer else { return Ok(()) };
        if signer.prove_chunk(&hash, &self.signature)? { Ok(()) } else { Err(mismatch()) }
    }

    fn trailer(&mut self, line: &str) -> Result<()> {
        let (name, value) =
            line.split_once(':').ok_or_else(|| broken("A trailer has no colon."))?;
        if self.trailers.len() == TRAILERS_MAX {
            return Err(broken("There are too many trailers."));
        }
        self.trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        Ok(())
    }

    fn prove_trailers(&mut self) -> Result<()> {
        const SIGNATURE: &str = "x-amz-trailer-signature";
        let found = self.trailers.iter().position(|(name, _)| name == SIGNATURE);
        let signature = found.map(|place| self.trailers.remove(place).1);
        if self.trailers.is_empty() {
            return Ok(());
        }
        let Some(signer) = &mut self.signer else { return Ok(()) };
        let text: String =
            self.trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        match signature {
            Some(signature) if signer.prove_trailers(text.as_bytes(), &signature)? => Ok(()),
            _ => Err(mismatch()),
        }
    }

    /// The body has ended: fails unless the last chunk was there.
    pub fn finish(&mut self) -> Result<()> {
        match self.state {
            State::Over => Ok(()),
            // Some clients leave the last empty line out.
            State::Trailers if self.line.is_empty() => self.prove_trailers(),
            _ => Err(broken(
                "You did not provide the number of bytes specified by the Content-Length HTTP \
                 header",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Found = (Vec<u8>, Vec<(String, String)>);

    fn read(pieces: &[&[u8]]) -> Result<Found> {
        let mut chunks = Chunks::new(false, None);
        let mut content = Vec::new();
        for piece in pieces {
            chunks.read(piece, &mut |bytes| {
                content.extend_from_slice(bytes);
                Ok(())
            })?;
        }
        chunks.finish()?;
        Ok((content, chunks.trailers))
    }

    const BODY: &[u8] =
        b"5\r\nhello\r\n1;chunk-signature=x\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";

    #[test]
    fn chunks_come_out_however_they_are_cut() {
        let trailers = vec![("x-amz-checksum-crc32".to_owned(), "AAAA".to_owned())];
        for cut in 0..BODY.len() {
            let (first, second) = BODY.split_at(cut);
            assert_eq!(read(&[first, second]).unwrap(), (b"hello!".to_vec(), trailers.clone()));
        }
        assert_eq!(read(&[b"0\r\n"]).unwrap().0, b"");
    }

    #[test]
    fn bodies_that_are_cut_or_lie_about_their_lengths_are_refused() {
        for cut in 0..BODY.len() - 30 {
            assert!(read(&[&BODY[..cut]]).is_err(), "{cut}");
        }
        for body in [
            &b"4\r\nhello\r\n0\r\n\r\n"[..],
            b"x\r\n",
            b"-1\r\n",
            b"ffffffffffffffff\r\n",
            b"0\r\n\r\nmore",
            b"0\r\nno colon\r\n\r\n",
            b"5\r\nhello",
            b"",
        ] {
            assert!(read(&[body]).is_err(), "{body:?}");
        }
        assert!(read(&[&[b'1'; 5_000]]).is_err());
    }
}
