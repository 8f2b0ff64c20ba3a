//! Conditions and ranges of reads.

use trunkline_engine::Object;

use super::context::Context;
use super::errors;
use crate::codec::time;
use crate::error::Result;

/// Whether an object may be read as the conditions say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Read,
    /// The caller has it already.
    NotModified,
}

/// Checks the conditions of a read; those of a copy have `prefix` `x-amz-copy-source-`.
pub(super) fn check(context: &Context, object: &Object, prefix: &str) -> Result<Verdict> {
    let header = |name: &str| context.header(&format!("{prefix}{name}"));
    let matches = |text: &str| {
        let mut tags = text.split(',').map(|tag| tag.trim().trim_matches('"'));
        tags.any(|tag| tag == "*" || tag == object.etag)
    };
    let modified = (object.modified / 1_000) as f64;
    let failed = |name: &str| errors::precondition_failed(&format!("{prefix}{name}"));
    let since = |name: &str| header(name).and_then(time::read);
    match (header("if-match"), since("if-unmodified-since")) {
        (Some(tags), _) if !matches(tags) => return Err(failed("If-Match")),
        (None, Some(time)) if modified > time => return Err(failed("If-Unmodified-Since")),
        _ => {}
    }
    let is_known = match (header("if-none-match"), since("if-modified-since")) {
        (Some(tags), _) => matches(tags),
        (None, Some(time)) => modified <= time,
        (None, None) => false,
    };
    Ok(if is_known { Verdict::NotModified } else { Verdict::Read })
}

/// The stretch of bytes that a `Range` header asks of `size` bytes: where it starts and how long it
/// is. `None` for the whole, which is what a header that is not understood means.
pub(super) fn range(header: Option<&str>, size: u64) -> Result<Option<(u64, u64)>> {
    let Some(text) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else {
        return Ok(None);
    };
    let Some((first, last)) = text.split_once('-') else { return Ok(None) };
    let (first, last) = (first.trim(), last.trim());
    let number = |text: &str| text.parse::<u64>().ok();
    let (start, end) = match (first.is_empty(), last.is_empty()) {
        (true, true) => return Ok(None),
        (true, false) => match number(last) {
            Some(0) => return Err(unsatisfiable(header, size)),
            Some(count) => (size.saturating_sub(count), size),
            None => return Ok(None),
        },
        (false, true) => match number(first) {
            Some(start) => (start, size),
            None => return Ok(None),
        },
        (false, false) => match (number(first), number(last)) {
            (Some(start), Some(last)) if start <= last => (start, size.min(last.saturating_add(1))),
            _ => return Ok(None),
        },
    };
    if start >= size {
        return Err(unsatisfiable(header, size));
    }
    Ok(Some((start, end - start)))
}

fn unsatisfiable(header: Option<&str>, size: u64) -> crate::error::WireError {
    let found = errors::error("InvalidRange", 416, "The requested range is not satisfiable");
    let size = size.to_string();
    let members = [("RangeRequested", header.unwrap_or("")), ("ActualObjectSize", size.as_str())];
    errors::with(found, &members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_has_them() {
        for (text, found) in [
            ("bytes=0-0", Some((0, 1))),
            ("bytes=2-", Some((2, 8))),
            ("bytes=-3", Some((7, 3))),
            ("bytes=-30", Some((0, 10))),
            ("bytes=5-100", Some((5, 5))),
            ("bytes=5-4", None),
            ("bytes=-", None),
            ("lines=1-2", None),
            ("bytes=0-1,3-4", None),
        ] {
            assert_eq!(range(Some(text), 10).unwrap(), found, "{text}");
        }
        for text in ["bytes=10-", "bytes=10-20", "bytes=-0"] {
            assert_eq!(range(Some(text), 10).unwrap_err().name(), "InvalidRange", "{text}");
        }
        assert!(range(Some("bytes=0-"), 0).is_err());
    }
}
