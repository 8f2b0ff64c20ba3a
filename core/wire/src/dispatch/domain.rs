//! Domain names of APIs: which hosts are some. Which API a path of one leads to is the control
//! plane's matter, which keeps a document for each name.

use std::net::IpAddr;

use super::Dispatcher;

/// What the key of a name's document begins with.
const KEY: &str = "execute-api/domain/";
/// What the control plane is told instead of the id of an API begins with this.
pub(super) const DOMAIN_LABEL: &str = "domain/";

impl Dispatcher {
    /// The name in `host`, if it is a domain name of APIs.
    pub(crate) fn domain(&self, host: &str) -> Option<String> {
        if !self.serves_apis {
            return None;
        }
        let name = plain_name(host)?;
        self.engine.document(&format!("{KEY}{name}")).map(|_| name)
    }
}

/// A name that could be a domain name: without its port, in small letters.
fn plain_name(host: &str) -> Option<String> {
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name);
    let may_be_one = name.contains('.') && name.parse::<IpAddr>().is_err();
    may_be_one.then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_dot_can_be_domain_names() {
        assert_eq!(plain_name("API.Example.com.:80").as_deref(), Some("api.example.com"));
        for host in ["localhost", "localhost:4566", "127.0.0.1:4566", "[::1]:4566", ""] {
            assert_eq!(plain_name(host), None, "{host}");
        }
    }
}
