//! The managed data identifiers that are plain patterns, by their names in AWS.
//!
//! AWS wants a keyword near some of them, such as "card" near the number of a card. No keyword is
//! asked for here, so at least as much is found.

use std::net::Ipv6Addr;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Finds one kind of data in a text.
pub(crate) struct Identifier {
    pub name: &'static str,
    pattern: LazyLock<Regex>,
    /// How much of what the pattern found is such data: its length, or 0.
    check: fn(&str) -> usize,
}

macro_rules! identifier {
    ($name:literal, $pattern:expr, $check:expr) => {
        // The pattern is constant, and a test compiles each.
        Identifier { name: $name, pattern: LazyLock::new(|| compile($pattern)), check: $check }
    };
}

/// All of them, sorted by name.
pub(crate) static IDENTIFIERS: [Identifier; 20] = [
    identifier!("CreditCardNumber", r"\b[2-6](?:[ -]?\d){12,18}\b", card),
    identifier!(
        "EmailAddress",
        r"[\w.%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
        whole
    ),
    identifier!(
        "IndividualTaxIdentificationNumber-US",
        r"\b9\d\d[ -](?:5\d|6[0-5]|7\d|8[0-8]|9[0-2]|9[4-9])[ -]\d{4}\b",
        whole
    ),
    identifier!("IpAddress", r"\b(?:\d{1,3}\.){3}\d{1,3}\b", ipv4),
    identifier!("IpAddress", r"\b[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){2,7}", ipv6),
    identifier!(
        "NationalInsuranceNumber-GB",
        r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?\d\d){3} ?[A-D]\b",
        whole
    ),
    identifier!(
        "OpenSshPrivateKey",
        concat!(
            r"-----BEGIN OPENSSH PRIVATE KEY-----",
            r"(?s:.*?)",
            r"(?:-----END OPENSSH PRIVATE KEY-----|\z)"
        ),
        whole
    ),
    identifier!(
        "PgpPrivateKey",
        concat!(
            r"-----BEGIN PGP PRIVATE KEY BLOCK-----",
            r"(?s:.*?)",
            r"(?:-----END PGP PRIVATE KEY BLOCK-----|\z)"
        ),
        whole
    ),
    identifier!("PhoneNumber-BR", r"\+55 ?\(?\d\d\)? ?9?\d{4}[ -]?\d{4}\b", whole),
    identifier!("PhoneNumber-DE", r"\+49[ -]?[1-9]\d{1,4}(?:[ /-]?\d{2,8}){1,3}\b", whole),
    identifier!("PhoneNumber-ES", r"\+34[ -]?[6-9]\d\d(?:[ -]?\d{3}){2}\b", whole),
    identifier!("PhoneNumber-FR", r"(?:\+33 ?|\b0)[1-9](?:[ .-]?\d\d){4}\b", whole),
    identifier!("PhoneNumber-GB", r"\+44[ -]?(?:\(0\))?[1-9]\d{1,4}(?:[ -]?\d{3,4}){2}\b", whole),
    identifier!("PhoneNumber-IT", r"\+39 ?\d{2,4}[ -]?\d{5,8}\b", whole),
    identifier!(
        "PhoneNumber-US",
        r"(?:\+1[ .-]?|\b1[ .-])?(?:\([2-9]\d\d\) ?|\b[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}\b",
        whole
    ),
    identifier!("PhoneNumber-US", r"\+1[2-9]\d\d[2-9]\d{6}\b", whole),
    identifier!(
        "PkcsPrivateKey",
        concat!(
            r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
            r"(?s:.*?)",
            r"(?:-----END (?:[A-Z]+ )?PRIVATE KEY-----|\z)"
        ),
        whole
    ),
    identifier!(
        "PuttyPrivateKey",
        r"PuTTY-User-Key-File-\d+: (?s:.*?)(?:Private-MAC: \w+|\z)",
        whole
    ),
    identifier!("Ssn-US", r"\b\d{3}[ -]\d\d[ -]\d{4}\b", ssn),
    identifier!("VehicleIdentificationNumber", r"\b[A-HJ-NPR-Z0-9]{17}\b", vehicle),
];

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| unreachable!("{pattern}: {error}"))
}

impl Identifier {
    /// Adds where such data is in a text.
    pub fn find(&self, text: &str, found: &mut Vec<Range<usize>>) {
        let mut from = 0;
        while let Some(candidate) = self.pattern.find_at(text, from) {
            let start = candidate.start();
            let length = (self.check)(candidate.as_str());
            if length > 0 {
                found.push(start..start + length);
            }
            // Behind the data, or else behind the first character of what is none.
            let first = candidate.as_str().chars().next().map_or(1, char::len_utf8);
            from = start + length.max(first);
        }
    }
}

fn whole(text: &str) -> usize {
    text.len()
}

fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> {
    text.chars().filter_map(|character| character.to_digit(10))
}

/// The longest beginning that is the number of a card; it ends where a group of digits does.
fn card(text: &str) -> usize {
    let mut ends: Vec<usize> = text.match_indices([' ', '-']).map(|(at, _)| at).collect();
    ends.push(text.len());
    let is_card = |end: &&usize| {
        let number = &text[..**end];
        digits(number).count() >= 13 && has_luhn(number)
    };
    ends.iter().rev().find(is_card).copied().unwrap_or(0)
}

fn has_luhn(number: &str) -> bool {
    let weighed = digits(number).rev().enumerate().map(|(place, digit)| match place % 2 {
        0 => digit,
        _ => digit * 2 / 10 + digit * 2 % 10,
    });
    weighed.sum::<u32>() % 10 == 0
}

fn ipv4(text: &str) -> usize {
    let is_address = text.split('.').all(|part| part.parse::<u8>().is_ok());
    if is_address { text.len() } else { 0 }
}

fn ipv6(text: &str) -> usize {
    if text.parse::<Ipv6Addr>().is_ok() { text.len() } else { 0 }
}

fn ssn(text: &str) -> usize {
    let (area, group, serial) = (&text[..3], &text[4..6], &text[7..]);
    let is_issued = !matches!(area, "000" | "666")
        && !area.starts_with('9')
        && group != "00"
        && serial != "0000";
    if is_issued { text.len() } else { 0 }
}

/// Whether the ninth character is the check digit of the others.
fn vehicle(text: &str) -> usize {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    const VALUES: &str = "0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ";
    let value = |character: char| VALUES.find(character).map_or(0, |at| at as u32 % 10);
    let sum: u32 = text.chars().zip(WEIGHTS).map(|(one, weight)| value(one) * weight).sum();
    let wanted = match sum % 11 {
        10 => 'X',
        rest => char::from_digit(rest, 10).unwrap_or('?'),
    };
    if text.chars().nth(8) == Some(wanted) { text.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(name: &str, text: &'a str) -> Vec<&'a str> {
        let mut all = Vec::new();
        IDENTIFIERS.iter().filter(|one| one.name == name).for_each(|one| one.find(text, &mut all));
        all.into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn every_identifier_finds_what_it_is_for_and_nothing_like_it() {
        for (name, text, wanted) in [
            ("CreditCardNumber", "card 4111 1111 1111 1111.", &["4111 1111 1111 1111"][..]),
            ("CreditCardNumber", "4111-1111-1111-1111 12", &["4111-1111-1111-1111"]),
            ("CreditCardNumber", "2 378282246310005 x", &["378282246310005"]),
            ("CreditCardNumber", "4111111111111112 411111111111111111111111", &[]),
            ("EmailAddress", "to <anna.b+c@mail.example.com>, x@y", &["anna.b+c@mail.example.com"]),
            ("IndividualTaxIdentificationNumber-US", "912-70-1234 912-69-1234", &["912-70-1234"]),
            ("IpAddress", "10.0.0.255 and 10.0.0.256, 1.2.3", &["10.0.0.255"]),
            ("IpAddress", "fe80::1 at 12:30:45 std::vec", &["fe80::1"]),
            ("NationalInsuranceNumber-GB", "AB 12 34 56 C, QQ123456C", &["AB 12 34 56 C"]),
            ("PhoneNumber-BR", "+55 (11) 91234-5678", &["+55 (11) 91234-5678"]),
            ("PhoneNumber-DE", "+49 30 123456", &["+49 30 123456"]),
            ("PhoneNumber-ES", "+34 612 345 678", &["+34 612 345 678"]),
            (
                "PhoneNumber-FR",
                "+33 1 23 45 67 89; 01.23.45.67.89",
                &["+33 1 23 45 67 89", "01.23.45.67.89"],
            ),
            ("PhoneNumber-GB", "+44 20 7946 0958", &["+44 20 7946 0958"]),
            ("PhoneNumber-IT", "+39 02 1234567", &["+39 02 1234567"]),
            (
                "PhoneNumber-US",
                "(425) 555-0100, 1-425-555-0100",
                &["(425) 555-0100", "1-425-555-0100"],
            ),
            ("PhoneNumber-US", "+14255550100 or 4255550100", &["+14255550100"]),
            ("Ssn-US", "123-45-6789 000-12-3456 900-12-3456", &["123-45-6789"]),
            (
                "VehicleIdentificationNumber",
                "1M8GDM9AXKP042788 1M8GDM9A0KP042788",
                &["1M8GDM9AXKP042788"],
            ),
            (
                "PkcsPrivateKey",
                "a -----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY----- b",
                &["-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----"],
            ),
            (
                "OpenSshPrivateKey",
                "-----BEGIN OPENSSH PRIVATE KEY-----\ncut",
                &["-----BEGIN OPENSSH PRIVATE KEY-----\ncut"],
            ),
            (
                "PgpPrivateKey",
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\nx",
                &["-----BEGIN PGP PRIVATE KEY BLOCK-----\nx"],
            ),
            (
                "PuttyPrivateKey",
                "PuTTY-User-Key-File-3: ssh\nPrivate-MAC: ab c",
                &["PuTTY-User-Key-File-3: ssh\nPrivate-MAC: ab"],
            ),
        ] {
            assert_eq!(found(name, text), wanted, "{name} in {text:?}");
        }
    }

    #[test]
    fn they_are_sorted_and_every_pattern_compiles() {
        assert!(IDENTIFIERS.windows(2).all(|pair| pair[0].name <= pair[1].name));
        for identifier in &IDENTIFIERS {
            identifier.find("é 1 a@b", &mut Vec::new());
        }
    }
}
