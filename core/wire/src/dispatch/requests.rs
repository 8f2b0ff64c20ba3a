//! `/_trunkline/requests`: the latest requests that came over sockets, without their bodies.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Clock, Millis};

use super::is_admin_path;
use crate::codec::form::Form;
use crate::counters::OperationCounters;
use crate::error::{Result, WireError};

/// Requests that are kept.
const KEPT_MAX: usize = 1_000;
/// Longest path, resource, code or id that is kept.
const TEXT_BYTES_MAX: usize = 200;

/// A request that was answered. It has neither bodies nor headers nor a query, so no secrets.
#[derive(Debug)]
pub struct RecentRequest {
    /// The service and the operation, if it reached one.
    pub counted: Option<Arc<OperationCounters>>,
    /// The method and the path of a request that reached none.
    pub target: Option<(String, String)>,
    /// The resource that it names.
    pub resource: Option<String>,
    /// Who asked.
    pub client: IpAddr,
    /// The status of its answer.
    pub status: u16,
    /// The code of its error.
    pub error: Option<String>,
    /// The id that its answer carries.
    pub request_id: Option<String>,
    /// From its head to its answer.
    pub took: Duration,
}

struct Kept {
    number: u64,
    time: Millis,
    request: RecentRequest,
}

/// The latest requests: a new one takes the place of the oldest.
pub struct RecentRequests {
    kept: Mutex<VecDeque<Kept>>,
    clock: Clock,
}

impl RecentRequests {
    pub(super) fn new() -> Self {
        Self { kept: Mutex::new(VecDeque::with_capacity(KEPT_MAX)), clock: Clock::system() }
    }

    /// Whether a request to `path` that ended so is kept. What the console and probes ask for in
    /// good order is left out: it would hide the rest.
    pub fn wants(path: &str, status: u16) -> bool {
        status >= 400 || !is_admin_path(path)
    }

    /// Keeps a request.
    pub fn note(&self, mut request: RecentRequest) {
        request.shorten();
        let time = self.clock.now();
        let mut kept = lock(&self.kept);
        let number = kept.back().map_or(1, |last| last.number + 1);
        // Dropped outside of the lock, which all connections share.
        let oldest = if kept.len() == KEPT_MAX { kept.pop_front() } else { None };
        kept.push_back(Kept { number, time, request });
        drop(kept);
        drop(oldest);
    }

    /// Those after the number that the query names, as JSON, oldest first.
    pub(super) fn write(&self, query: &str) -> Result<String> {
        let form = Form::read(query.as_bytes())?;
        let after = match form.get("after") {
            None => 0,
            Some(after) => after.parse().map_err(|_| {
                let message = "after must be the number of a request, a whole number.";
                WireError::new("InvalidParameterValue", 400, message)
            })?,
        };
        let kept = lock(&self.kept);
        let last = kept.back().map_or(0, |last| last.number);
        // A number of an earlier server: all that is kept is news to that caller.
        let after = if after > last { 0 } else { after };
        let oldest = kept.front().map_or(0, |first| first.number);
        let left_out = oldest.saturating_sub(after + 1);
        let found: Vec<Value> =
            kept.iter().filter(|one| one.number > after).map(Kept::as_json).collect();
        drop(kept);
        Ok(json!({"requests": found, "last": last, "left_out": left_out}).to_string())
    }
}

impl Kept {
    fn as_json(&self) -> Value {
        let RecentRequest { counted, target, resource, client, status, error, request_id, took } =
            &self.request;
        json!({
            "number": self.number,
            "time": self.time as f64 / 1_000.0,
            "service": counted.as_ref().map(|counted| &counted.service),
            "operation": counted.as_ref().map(|counted| &counted.operation),
            "method": target.as_ref().map(|(method, _)| method),
            "path": target.as_ref().map(|(_, path)| path),
            "resource": resource,
            "client": client.to_string(),
            "status": status,
            "error": error,
            "request_id": request_id,
            "seconds": took.as_secs_f64(),
        })
    }
}

impl RecentRequest {
    // Callers choose these texts.
    fn shorten(&mut self) {
        let target = self.target.iter_mut().flat_map(|(method, path)| [method, path]);
        let others = [&mut self.resource, &mut self.error, &mut self.request_id];
        for text in target.chain(others.into_iter().flatten()) {
            text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(resource: &str, status: u16) -> RecentRequest {
        RecentRequest {
            counted: Some(Arc::new(OperationCounters::new("sqs", "SendMessage"))),
            target: None,
            resource: Some(resource.to_owned()),
            client: [127, 0, 0, 1].into(),
            status,
            error: (status >= 400).then(|| "Bad".to_owned()),
            request_id: Some("abc".to_owned()),
            took: Duration::from_micros(1_240),
        }
    }

    fn told(requests: &RecentRequests, query: &str) -> Value {
        serde_json::from_str(&requests.write(query).unwrap()).unwrap()
    }

    fn numbers(told: &Value) -> Vec<u64> {
        let list = told["requests"].as_array().unwrap();
        list.iter().map(|one| one["number"].as_u64().unwrap()).collect()
    }

    #[test]
    fn a_reader_goes_on_where_it_was() {
        let requests = RecentRequests::new();
        assert_eq!(told(&requests, ""), json!({"requests": [], "last": 0, "left_out": 0}));
        requests.note(request("orders", 200));
        requests.note(request("orders", 400));
        let first = told(&requests, "");
        assert_eq!(numbers(&first), [1, 2]);
        let one = &first["requests"][1];
        assert_eq!((&one["service"], &one["operation"]), (&json!("sqs"), &json!("SendMessage")));
        assert_eq!((&one["status"], &one["error"]), (&json!(400), &json!("Bad")));
        assert_eq!((&one["request_id"], &one["seconds"]), (&json!("abc"), &json!(0.00124)));
        requests.note(request("orders", 200));
        assert_eq!(numbers(&told(&requests, "after=2")), [3]);
        assert_eq!(numbers(&told(&requests, "after=3")), [0_u64; 0]);
        // The server was started again since.
        assert_eq!(numbers(&told(&requests, "after=900")), [1, 2, 3]);
        for wrong in ["after=", "after=-1", "after=x", "after=1e3"] {
            assert_eq!(requests.write(wrong).unwrap_err().status(), 400, "{wrong}");
        }
    }

    #[test]
    fn the_oldest_go_first_and_the_gap_is_told() {
        let requests = RecentRequests::new();
        (0..KEPT_MAX + 7).for_each(|_| requests.note(request("orders", 200)));
        let all = told(&requests, "after=3");
        assert_eq!(all["requests"].as_array().unwrap().len(), KEPT_MAX);
        assert_eq!((&all["left_out"], &all["last"]), (&json!(4), &json!(KEPT_MAX + 7)));
    }

    #[test]
    fn what_watches_is_not_watched() {
        assert!(RecentRequests::wants("/", 200) && RecentRequests::wants("/bucket/key", 200));
        assert!(!RecentRequests::wants("/_trunkline/requests", 200));
        assert!(!RecentRequests::wants("/metrics", 200));
        assert!(RecentRequests::wants("/_trunkline/api/purge", 403));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let requests = RecentRequests::new();
        requests.note(request(&format!("x{}", "ä".repeat(TEXT_BYTES_MAX)), 200));
        let resource = told(&requests, "")["requests"][0]["resource"].clone();
        assert_eq!(resource, json!(format!("x{}", "ä".repeat(99))));
    }
}
