//! Which addresses may be connected to. The check is made on the address of the connection, after
//! names are resolved, so a name that changes its address (DNS rebinding) gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses deliveries may reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// Every address, those that hand out a machine's credentials included.
    Everywhere,
    /// Every address except link-local ones and the metadata services of clouds.
    #[default]
    NotMetadata,
    /// Only addresses of the public internet: for a server whose callers name the endpoints.
    PublicOnly,
}

/// Metadata services outside the link-local ranges: Azure's wire server, Alibaba Cloud, Oracle.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// Metadata services of AWS and Google Cloud over IPv6: the first two groups of their networks.
const METADATA_V6: [[u16; 2]; 2] = [[0xfd00, 0x0ec2], [0xfd20, 0x00ce]];

impl Reach {
    /// Whether a connection to `address` is allowed.
    pub fn allows(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Everywhere, _) => true,
            (Self::NotMetadata, IpAddr::V4(v4)) => !is_metadata_v4(v4),
            (Self::NotMetadata, IpAddr::V6(v6)) => !is_metadata_v6(v6),
            (Self::PublicOnly, IpAddr::V4(v4)) => !is_metadata_v4(v4) && is_public_v4(v4),
            (Self::PublicOnly, IpAddr::V6(v6)) => !is_metadata_v6(v6) && is_public_v6(v6),
        }
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, translated (SIIT), NAT64
/// with the well-known prefix, and 6to4.
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let joined = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] if v6 != Ipv6Addr::LOCALHOST => {
            Some(joined(high, low))
        }
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(joined(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(joined(high, low)),
        [0x2002, high, low, ..] => Some(joined(high, low)),
        _ => None,
    }
}

/// The IPv4 addresses that an address in the NAT64 prefix for local use (RFC 8215) may stand for.
/// A network divides that prefix as it likes, so each place that RFC 6052 allows is read.
fn embedded_locally(v6: Ipv6Addr) -> Option<[Ipv4Addr; 4]> {
    let [0x64, 0xff9b, 1, ..] = v6.segments() else { return None };
    let octets = v6.octets();
    // The octet at 8 is never part of the address.
    let places = [[6, 7, 9, 10], [7, 9, 10, 11], [9, 10, 11, 12], [12, 13, 14, 15]];
    Some(places.map(|place| Ipv4Addr::from(place.map(|at: usize| octets[at]))))
}

fn is_metadata_v4(v4: Ipv4Addr) -> bool {
    v4.is_link_local() || METADATA_V4.contains(&v4)
}

fn is_metadata_v6(v6: Ipv6Addr) -> bool {
    let [first, second, ..] = v6.segments();
    v6.is_unicast_link_local()
        || METADATA_V6.contains(&[first, second])
        || embedded(v6).is_some_and(is_metadata_v4)
        || embedded_locally(v6).is_some_and(|all| all.into_iter().any(is_metadata_v4))
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [first, second, third, _] = v4.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    let is_protocol = (first, second, third) == (192, 0, 0);
    let is_benchmark = first == 198 && (second == 18 || second == 19);
    let is_reserved = first >= 240 || first == 0;
    !(v4.is_private()
        || v4.is_loopback()
        || v4.is_multicast()
        || v4.is_documentation()
        || is_shared
        || is_protocol
        || is_benchmark
        || is_reserved)
}

/// What stands for an IPv4 address is judged as one. Of the rest only what is given out for global
/// unicast, `2000::/3`, is public, less the ranges in it that serve protocols or documentation.
fn is_public_v6(v6: Ipv6Addr) -> bool {
    if let Some(v4) = embedded(v6) {
        return is_public_v4(v4);
    }
    let [first, second, ..] = v6.segments();
    let is_global = first & 0xe000 == 0x2000;
    // 2001::/23 holds Teredo (2001::/32), benchmarks and identifiers that are no locations.
    let is_protocol = first == 0x2001 && second < 0x0200;
    let is_documentation =
        (first, second) == (0x2001, 0x0db8) || first == 0x3fff && second < 0x1000;
    is_global && !is_protocol && !is_documentation
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn metadata_services_are_refused_in_every_spelling() {
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fe80::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "64:ff9b:1:a9fe:a9:fe00::",
            "64:ff9b:1:a9:fe:a9fe::",
            "64:ff9b:1:0:a9:fea9:fe00:0",
            "64:ff9b:1::100.100.100.200",
            "2002:a9fe:a9fe::1",
        ] {
            let ip: IpAddr = address.parse().unwrap();
            assert!(!Reach::NotMetadata.allows(ip), "{address}");
            assert!(!Reach::PublicOnly.allows(ip), "{address}");
            assert!(Reach::Everywhere.allows(ip), "{address}");
        }
    }

    #[test]
    fn private_addresses_are_reached_unless_only_public_ones_may_be() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::10.0.0.1",
            "64:ff9b:1::93.184.216.34",
            "2002:0a00:0001::1",
            "fec0::1",
            "feff:ffff::1",
            "100::1",
            "100:0:0:1::1",
            "3fff::1",
            "3fff:0fff:ffff::1",
            "5f00::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:20::1",
            "2001:1ff::1",
            "2001:db8::1",
            "4000::1",
            "1fff::1",
        ] {
            let ip: IpAddr = address.parse().unwrap();
            assert!(Reach::NotMetadata.allows(ip), "{address}");
            assert!(!Reach::PublicOnly.allows(ip), "{address}");
        }
        for address in [
            "93.184.216.34",
            "2606:2800:220:1::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2a00:1450:4001::1",
            "3ffe::1",
            "3fff:1000::1",
            "::ffff:93.184.216.34",
            "::ffff:0:93.184.216.34",
            "64:ff9b::93.184.216.34",
            "2002:5db8:d822::1",
        ] {
            assert!(Reach::PublicOnly.allows(address.parse().unwrap()), "{address}");
        }
    }
}
