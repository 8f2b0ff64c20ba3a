//! Which bucket and key a request is for: in its path, or the bucket in its host.

use crate::message::Request;

/// Names behind which nothing is the name of a region or a domain: a bucket may stand before them.
const ZONES: [&str; 2] = ["localhost", "s3"];
/// The domain of addresses in the process.
const LOCAL: &str = ".trunkline.local";

/// The bucket that a host names, in the virtual-host style: `bucket.s3.region.domain`, or
/// `bucket.localhost`, or `bucket.trunkline.local` in the process.
pub(super) fn bucket_of_host(host: &str) -> Option<&str> {
    let host = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host }
    });
    if let Some(bucket) = host.strip_suffix(LOCAL) {
        return Some(bucket);
    }
    let mut start = 0;
    for label in host.split('.') {
        let is_zone = ZONES.contains(&label) || label.starts_with("s3-");
        if is_zone {
            return (start > 0).then(|| &host[..start - 1]);
        }
        start += label.len() + 1;
    }
    None
}

/// The path of a request as if it were in the path style, still escaped.
pub(super) fn path_of(request: &Request<'_>) -> String {
    match bucket_of_host(request.header("host").unwrap_or("")) {
        Some(bucket) => format!("/{bucket}{}", request.path),
        None => request.path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_may_stand_in_the_host() {
        for (host, bucket) in [
            ("my.bucket.s3.us-east-1.amazonaws.com", Some("my.bucket")),
            ("b.s3.localhost.localstack.cloud:4566", Some("b")),
            ("b.localhost:4566", Some("b")),
            ("b.s3-eu-west-1.amazonaws.com", Some("b")),
            ("my.bucket.trunkline.local", Some("my.bucket")),
            ("trunkline.local", None),
            ("s3.amazonaws.com", None),
            ("localhost:4566", None),
            ("127.0.0.1:4566", None),
            ("[::1]:4566", None),
            ("", None),
        ] {
            assert_eq!(bucket_of_host(host), bucket, "{host}");
        }
    }
}
