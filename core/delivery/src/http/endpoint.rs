//! The URL of an endpoint, checked when it is configured.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use http::Uri;
use http::uri::Scheme;
use trunkline_types::{Code, Error, Result};

/// Longest URL of an endpoint: what browsers and proxies still accept.
const URL_BYTES_MAX: usize = 2_048;

/// An `http` or `https` URL that deliveries may be sent to.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    uri: Uri,
    host: Host,
}

/// Where connections go: attempts to the same host share its bound.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Host {
    pub name: String,
    pub port: u16,
    pub is_tls: bool,
}

/// The query may hold a secret, so it is not written.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("host", &self.host)
            .field("path", &self.uri.path())
            .finish()
    }
}

impl Endpoint {
    /// Reads a URL. An error says what is wrong with it.
    pub fn parse(url: &str) -> Result<Self> {
        if url.len() > URL_BYTES_MAX {
            return Err(refused(format!("{} bytes long; at most {URL_BYTES_MAX}", url.len())));
        }
        if url.contains('#') {
            return Err(refused("it has a fragment (#), which no server sees; leave it out"));
        }
        let uri: Uri = url.parse().map_err(|error| refused(format!("{error}")))?;
        let host = Host::of(&uri)?;
        Ok(Self { uri, host })
    }

    /// The URL as a request names it.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// A number that endpoints at one host and port share.
    pub fn host_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.host.hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }
}

impl Host {
    /// Reads the host of an absolute URI.
    pub fn of(uri: &Uri) -> Result<Self> {
        let is_tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(refused("it must start with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| refused("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(refused(
                "a user or a password in it would be sent in the clear to logs; \
                                send an Authorization header instead",
            ));
        }
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        if name.is_empty() {
            return Err(refused("it names no host"));
        }
        let port = match authority.port_u16() {
            Some(0) => return Err(refused("port 0 cannot be connected to")),
            Some(port) => port,
            None if authority.as_str().len() > authority.host().len() => {
                return Err(refused("its port is no number between 1 and 65535"));
            }
            None if is_tls => 443,
            None => 80,
        };
        Ok(Self { name: name.to_ascii_lowercase(), port, is_tls })
    }
}

fn refused(why: impl AsRef<str>) -> Error {
    Error::new(
        Code::InvalidParameterValue,
        format!("The endpoint's URL is not usable: {}.", why.as_ref()),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_host_a_port_and_whether_it_is_encrypted() {
        for (url, name, port, is_tls) in [
            ("http://example.com", "example.com", 80, false),
            ("https://Example.COM/hook?a=1", "example.com", 443, true),
            ("http://127.0.0.1:8080/x", "127.0.0.1", 8080, false),
            ("https://[::1]:9/", "::1", 9, true),
        ] {
            let host = Host { name: name.to_owned(), port, is_tls };
            assert_eq!(Endpoint::parse(url).unwrap().host, host, "{url}");
        }
    }

    #[test]
    fn a_bad_url_is_refused_with_its_reason() {
        let long = format!("http://example.com/{}", "x".repeat(URL_BYTES_MAX));
        for (url, why) in [
            ("", "empty"),
            ("example.com/hook", "not usable"),
            ("/hook", "http://"),
            ("ftp://example.com/", "http://"),
            ("http://", "not usable"),
            ("http://user:secret@example.com/", "Authorization"),
            ("http://example.com:0/", "port 0"),
            ("http://example.com:70000/", "port"),
            ("http://example.com:/", "port"),
            ("http://example.com/#part", "fragment"),
            ("http://exa mple.com/", "not usable"),
            ("http://example.com/\r\nX-Evil: 1", "not usable"),
            ("http://ex\u{e4}mple.com/", "not usable"),
            (&long, "at most"),
        ] {
            let error = Endpoint::parse(url).unwrap_err();
            assert_eq!(error.code(), Code::InvalidParameterValue);
            assert!(error.message().contains(why), "{url}: {error}");
            assert!(!error.message().contains("secret"));
        }
    }
}
