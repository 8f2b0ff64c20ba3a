//! Queue URLs. Only the path counts, so that an address works from inside and outside a container.

use trunkline_engine::{QUEUE, ResourceName};

use super::errors;
use crate::arn::partition;
use crate::error::Result;

/// The parts of a queue's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// Its account.
    pub account: &'a str,
    /// Its region.
    pub region: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl Address<'_> {
    /// The name under which the engine knows the queue.
    pub fn to_name(self) -> ResourceName {
        ResourceName::new(QUEUE, self.account, self.region, self.name)
    }
}

/// The resource name of a queue.
pub fn arn(name: &ResourceName) -> String {
    let ResourceName { account, region, name, .. } = name;
    format!("arn:{}:sqs:{region}:{account}:{name}", partition(region))
}

/// Whether a path starts like a queue's address: twelve digits and a name, with or without
/// `queue/<region>/` before them.
pub fn starts_path(path: &str) -> bool {
    let is_queue = |account: &str, name: &str| is_account(account) && !name.is_empty();
    let mut parts = path.trim_start_matches('/').split('/');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("queue"), Some(_), Some(account), Some(name)) => is_queue(account, name),
        (Some(account), Some(name), _, _) => is_queue(account, name),
        _ => false,
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Reads a queue URL: `<anything>/<account>/<name>`, the same with `queue/<region>/` before the
/// account, or a bare name.
pub fn parse<'a>(url: &'a str, account: &'a str, region: &'a str) -> Result<Address<'a>> {
    if url.is_empty() {
        return Err(errors::missing("QueueUrl"));
    }
    if !url.contains('/') {
        return Ok(Address { account, region, name: url });
    }
    of_path(url, region).ok_or_else(errors::no_such_queue)
}

/// Reads the path of a queue URL, whatever stands before it.
pub fn of_path<'a>(path: &'a str, region: &'a str) -> Option<Address<'a>> {
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let mut parts = path.trim_end_matches('/').rsplit('/');
    let (name, account) = (parts.next()?, parts.next()?);
    if name.is_empty() || !is_account(account) {
        return None;
    }
    let region = match (parts.next(), parts.next()) {
        (Some(""), Some("queue")) => return None,
        (Some(named), Some("queue")) => named,
        _ => region,
    };
    Some(Address { account, region, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_queue_url_names_the_same_queue() {
        let expected = Address { account: "123456789012", region: "eu-west-1", name: "q" };
        for url in [
            "https://sqs.eu-west-1.amazonaws.com/123456789012/q",
            "http://localhost:4566/123456789012/q",
            "http://localhost:4566/queue/eu-west-1/123456789012/q",
            "q",
        ] {
            assert_eq!(parse(url, "123456789012", "eu-west-1"), Ok(expected), "{url}");
        }
    }

    #[test]
    fn what_is_no_queue_url_names_no_queue() {
        for url in [
            "/queue//123456789012/q",
            "http://localhost/q",
            "http://localhost/1/q",
            "/",
            "//",
            "a/b/",
        ] {
            assert!(parse(url, "123456789012", "eu-west-1").is_err(), "{url}");
        }
    }
}
