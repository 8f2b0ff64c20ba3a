//! Proxies: who the client is when a request did not come from it directly.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

/// Networks of proxies whose `X-Forwarded-*` headers are believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

/// Headers that proxies add. A program on this machine that calls directly sends none of them.
const FORWARDING: [&str; 7] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Whether a request came through a proxy, trusted or not.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDING.iter().any(|name| headers.contains_key(*name))
}

impl TrustedProxies {
    /// Reads addresses and networks; the error is the one that is neither.
    pub fn read(texts: &[String]) -> Result<Self, &str> {
        let network = |text: &str| {
            let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
            text.parse().ok().or_else(address)
        };
        let found = texts.iter().map(|text| network(text).ok_or(text.as_str()));
        found.collect::<Result<_, _>>().map(Self)
    }

    /// The client's address, and whether its connection is encrypted: those of the connection
    /// itself, unless it comes from a trusted proxy.
    pub(super) fn client(
        &self,
        address: IpAddr,
        is_secure: bool,
        headers: &HeaderMap,
    ) -> (IpAddr, bool) {
        if !self.trust(address) {
            return (address, is_secure);
        }
        // The proxy that is nearest to us wrote last.
        let client = last_first(headers, "x-forwarded-for")
            .map_while(address_of)
            .find(|address| !self.trust(*address));
        let scheme = last_first(headers, "x-forwarded-proto").next();
        let is_secure = scheme.map_or(is_secure, |scheme| scheme.eq_ignore_ascii_case("https"));
        (client.unwrap_or(address), is_secure)
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn last_first<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let values: Vec<&str> =
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    values.into_iter().rev().flat_map(|value| value.rsplit(',')).map(str::trim)
}

// Some proxies write the port as well.
fn address_of(text: &str) -> Option<IpAddr> {
    let plain = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|found| found.ip());
    plain.or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, headers: &[(&'static str, &str)]) -> (String, bool) {
        let trusted: Vec<String> = trusted.split_whitespace().map(str::to_owned).collect();
        let trusted = TrustedProxies::read(&trusted).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let (address, is_secure) = trusted.client([127, 0, 0, 1].into(), false, &map);
        (address.to_string(), is_secure)
    }

    #[test]
    fn what_a_proxy_says_counts_only_if_the_proxy_is_trusted() {
        let said = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https")];
        assert_eq!(client("", &said), ("127.0.0.1".to_owned(), false));
        assert_eq!(client("10.0.0.0/8", &said), ("127.0.0.1".to_owned(), false));
        assert_eq!(client("127.0.0.0/8", &said), ("192.0.2.1".to_owned(), true));
    }

    #[test]
    fn the_client_is_the_last_address_that_is_no_trusted_proxy() {
        let trusted = "127.0.0.0/8 10.0.0.0/8";
        let chain = [("x-forwarded-for", "6.6.6.6, 192.0.2.1:99"), ("x-forwarded-for", "10.0.0.7")];
        assert_eq!(client(trusted, &chain).0, "192.0.2.1");
        let broken = [("x-forwarded-for", "6.6.6.6, unknown, 10.0.0.7")];
        assert_eq!(client(trusted, &broken).0, "127.0.0.1");
        assert!(!client(trusted, &[("x-forwarded-proto", "https, http")]).1);
        assert_eq!(client("127.0.0.1", &chain).0, "10.0.0.7");
        let wrong = ["10.0.0.0/8".to_owned(), "10.0.0.0/99".to_owned()];
        assert_eq!(TrustedProxies::read(&wrong).err(), Some("10.0.0.0/99"));
    }
}
