//! The outbox: destinations, deliveries and handlers. Take, call, wrap.

mod handler;
mod retry;

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use trunkline_engine::delivery::{Attempt, Endpoint, Failure, Outcome, Reach};
use trunkline_engine::{
    DestinationConfig, Engine as CoreEngine, Outgoing, Target, TokenSource, Transport,
};
use trunkline_types::{Code, Error, Millis, ResourceId};

use self::handler::Handler;
pub(crate) use self::handler::LeasedDelivery;
pub(crate) use self::retry::RetryTable;
use crate::error::{guard, raise};
use crate::queue::body::Body;

/// The status, the header and the body of an answer.
type Answer<'py> = (Option<u16>, Vec<(String, String)>, Bound<'py, PyBytes>);

/// What a destination is.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct DestinationSettings(DestinationConfig);

#[pymethods]
impl DestinationSettings {
    /// Deliveries that the engine sends over HTTP.
    #[staticmethod]
    #[pyo3(signature = (url, *, method, headers, timeout, retry, dead_letter, concurrency))]
    fn http(
        url: String,
        method: String,
        headers: Vec<(String, String)>,
        timeout: Millis,
        retry: &RetryTable,
        dead_letter: Option<u32>,
        concurrency: u32,
    ) -> Self {
        let transport = Transport::Http { url, method, headers, timeout };
        Self::of(transport, retry, dead_letter, concurrency)
    }

    /// Deliveries that handlers of this program lease.
    #[staticmethod]
    #[pyo3(signature = (*, lease, retry, dead_letter))]
    fn handler(lease: Millis, retry: &RetryTable, dead_letter: Option<u32>) -> Self {
        Self::of(Transport::Handler { lease }, retry, dead_letter, 1)
    }
}

impl DestinationSettings {
    fn of(
        transport: Transport,
        retry: &RetryTable,
        dead_letter: Option<u32>,
        concurrency: u32,
    ) -> Self {
        let (retry, dead_letter) = (retry.0.clone(), dead_letter.map(ResourceId));
        Self(DestinationConfig {
            transport,
            retry,
            dead_letter,
            concurrency,
            renderer: None,
            http: Default::default(),
        })
    }
}

/// The outbox of an open engine.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Outbox(pub Arc<CoreEngine>);

#[pymethods]
impl Outbox {
    fn create(&self, py: Python<'_>, name: &str, settings: &DestinationSettings) -> PyResult<u32> {
        guard(|| {
            let created = py.detach(|| {
                let id = self.0.create_destination(name, &settings.0)?;
                self.0.acknowledge()?;
                Ok(id.0)
            });
            created.map_err(raise)
        })
    }

    fn configure(&self, py: Python<'_>, id: u32, settings: &DestinationSettings) -> PyResult<()> {
        guard(|| {
            let changed = py.detach(|| {
                self.0.configure_destination(ResourceId(id), &settings.0)?;
                self.0.acknowledge()
            });
            changed.map_err(raise)
        })
    }

    fn remove(&self, py: Python<'_>, id: u32) -> PyResult<()> {
        guard(|| {
            let removed = py.detach(|| {
                self.0.remove_destination(ResourceId(id))?;
                self.0.acknowledge()
            });
            removed.map_err(raise)
        })
    }

    fn find(&self, name: &str) -> PyResult<Option<u32>> {
        guard(|| Ok(self.0.find_destination(name).map_err(raise)?.map(|id| id.0)))
    }

    fn destinations(&self) -> PyResult<Vec<(String, u32)>> {
        guard(|| {
            let found = self.0.destinations().map_err(raise)?;
            Ok(found.into_iter().map(|(name, id)| (name, id.0)).collect())
        })
    }

    /// Accepts a delivery, as durable as the engine is; its number.
    #[pyo3(signature = (id, body, attributes=None))]
    fn deliver(
        &self,
        py: Python<'_>,
        id: u32,
        body: Body<'_>,
        attributes: Option<&[u8]>,
    ) -> PyResult<u64> {
        guard(|| {
            let (body, attributes) = (&*body.0, attributes.unwrap_or_default());
            let accepted = py.detach(|| {
                let delivery = Outgoing { body, attributes, ..Outgoing::default() };
                let sent = self.0.deliver(Target::Outbox(ResourceId(id)), &delivery)?;
                if let Some(ticket) = sent.ticket {
                    self.0.wait(ticket, self.0.durability())?;
                }
                Ok(sent.seq)
            });
            accepted.map_err(raise)
        })
    }

    /// How a destination stands, by name.
    fn statistics<'py>(&self, py: Python<'py>, id: u32) -> PyResult<Bound<'py, PyDict>> {
        guard(|| {
            let counted = self.0.outbox().statistics(ResourceId(id)).map_err(raise)?;
            let values = PyDict::new(py);
            for (name, value) in [
                ("due", counted.due),
                ("leased", counted.leased),
                ("delivered", counted.delivered),
                ("retried", counted.retried),
                ("dead_lettered", counted.dead_lettered),
                ("failed", counted.failed),
            ] {
                values.set_item(name, value)?;
            }
            Ok(values)
        })
    }

    /// Deliveries that were given up and that no dead-letter queue took.
    fn failures<'py>(&self, py: Python<'py>, id: u32) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let plain = |failed: trunkline_engine::FailedDelivery| {
            let values = PyDict::new(py);
            values.set_item("sequence", failed.seq)?;
            values.set_item("accepted_at", failed.accepted as f64 / 1_000.0)?;
            values.set_item("failed_at", failed.at as f64 / 1_000.0)?;
            values.set_item("attempts", failed.attempts)?;
            values.set_item("reason", failed.reason.to_string())?;
            values.set_item("why", failed.why)?;
            Ok(values)
        };
        guard(|| {
            let failures = self.0.outbox().failures(ResourceId(id)).map_err(raise)?;
            failures.into_iter().map(plain).collect()
        })
    }

    /// Keeps the access token of a key: the value of the header, and until when it may be used, in
    /// seconds since the epoch.
    fn set_token(&self, py: Python<'_>, key: &str, value: String, until: f64) {
        py.detach(|| self.0.outbox().set_token(key, value, (until * 1_000.0) as Millis));
    }

    /// Asks for the access token of a key by a notice to the destination `notices`.
    fn ask_for_token(&self, py: Python<'_>, key: String, notices: u32) -> PyResult<()> {
        let source = TokenSource { key, notices: ResourceId(notices) };
        guard(|| py.detach(|| self.0.outbox().ask_for_token(&source)).map_err(raise))
    }

    /// Says why there is no access token for a key.
    fn refuse_token(&self, py: Python<'_>, key: &str, why: String) {
        py.detach(|| self.0.outbox().refuse_token(key, why));
    }

    /// The access token of a key, if it may be used now.
    fn valid_token(&self, key: &str) -> Option<String> {
        self.0.outbox().valid_token(key)
    }

    /// Makes a request within the bounds of the outbox's client. The status, the header and the
    /// body of the answer; without an answer the status is `None`, and the body says why.
    #[pyo3(signature = (url, *, method, headers, body, timeout, response_bytes_max))]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the Python method")]
    fn exchange<'py>(
        &self,
        py: Python<'py>,
        url: &str,
        method: &str,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        timeout: Millis,
        response_bytes_max: usize,
    ) -> PyResult<Answer<'py>> {
        guard(|| {
            let made = || {
                let (endpoint, timeout) = (Endpoint::parse(url)?, Duration::from_millis(timeout));
                let attempt = Attempt::new(endpoint, method, &headers, body, timeout)?;
                let attempt = Attempt { response_bytes_max: Some(response_bytes_max), ..attempt };
                self.0.outbox().request(attempt)
            };
            let response = match py.detach(made).map_err(raise)? {
                Outcome::Delivered(response) => response,
                Outcome::Transient { why, .. } | Outcome::Permanent { why } => match why {
                    Failure::Status(response) => response,
                    other => {
                        let why = PyBytes::new(py, other.to_string().as_bytes());
                        return Ok((None, Vec::new(), why));
                    }
                },
            };
            let lines = response.headers.iter().map(|(name, value)| {
                (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            });
            let lines = lines.collect();
            Ok((Some(response.status), lines, PyBytes::new(py, &response.body)))
        })
    }

    /// The same without the header.
    #[pyo3(signature = (url, *, method, headers, body, timeout, response_bytes_max))]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the Python method")]
    fn request<'py>(
        &self,
        py: Python<'py>,
        url: &str,
        method: &str,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        timeout: Millis,
        response_bytes_max: usize,
    ) -> PyResult<(Option<u16>, Bound<'py, PyBytes>)> {
        let (status, _, body) =
            self.exchange(py, url, method, headers, body, timeout, response_bytes_max)?;
        Ok((status, body))
    }

    /// Forgets the access token of a key.
    fn forget_token(&self, key: &str) {
        self.0.outbox().forget_token(key);
    }

    /// Which addresses requests may reach: `public`, `usual` or `everywhere`.
    fn set_reach(&self, reach: &str) -> PyResult<()> {
        let reach = match reach {
            "public" => Reach::PublicOnly,
            "usual" => Reach::NotMetadata,
            "everywhere" => Reach::Everywhere,
            other => {
                let text = format!("reach {other:?}: public, usual or everywhere.");
                return Err(raise(Error::new(Code::InvalidParameterValue, text)));
            }
        };
        self.0.outbox().set_reach(reach);
        Ok(())
    }

    /// A handler of a destination. While it lives, a virtual clock waits for what is due there.
    ///
    /// One that settles behind waits before a delivery is handed out until it is durable, and not
    /// when it is settled: so one write to the disk holds for all that was done before it.
    #[pyo3(signature = (id, settles_behind=false))]
    fn handler(&self, id: u32, settles_behind: bool) -> PyResult<Handler> {
        guard(|| {
            let handler = self.0.outbox().enter_handler(ResourceId(id)).map_err(raise)?;
            let queue = self.0.queue_by_id(ResourceId(id)).ok_or_else(|| {
                let text = "The destination does not exist.";
                raise(Error::new(Code::ResourceNotFoundException, text))
            })?;
            Ok(Handler::new(self.0.clone(), handler, queue, settles_behind))
        })
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<RetryTable>()?;
    module.add_class::<DestinationSettings>()?;
    module.add_class::<Outbox>()?;
    module.add_class::<Handler>()?;
    module.add_class::<LeasedDelivery>()
}
