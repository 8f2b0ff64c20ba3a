//! The configuration of a destination, and its bytes: the document of the queue that holds its
//! deliveries. So a destination and its queue are created by one record.

use std::fmt;
use std::time::Duration;

use trunkline_delivery::{Attempt, Curve, Delay, Endpoint, Jitter, Phase, RetryTable};
use trunkline_host::{Put, Renderer, Take, damaged};
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

use super::request::HttpOptions;

/// Where deliveries of a destination go.
#[derive(Clone, PartialEq, Eq)]
pub enum Transport {
    /// Sent over HTTP by the engine.
    Http {
        /// The endpoint.
        url: String,
        /// The method; SNS posts.
        method: String,
        /// The header lines.
        headers: Vec<(String, String)>,
        /// Time for one attempt.
        timeout: Millis,
    },
    /// Leased by a handler of the embedder.
    Handler {
        /// How long a handler has a delivery before it counts as failed.
        lease: Millis,
    },
    /// Nothing can be sent at present: deliveries are given up when they are due. A connection
    /// without its secrets is an example.
    Unavailable {
        /// What dead letters and failures say.
        why: String,
    },
}

/// Header values and the query of a URL may be secrets, so neither is written.
impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { url, method, headers, timeout } => {
                let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
                f.debug_struct("Http")
                    .field("url", &without_query(url))
                    .field("method", method)
                    .field("headers", &names)
                    .field("timeout", timeout)
                    .finish()
            }
            Self::Handler { lease } => f.debug_struct("Handler").field("lease", lease).finish(),
            Self::Unavailable { why } => f.debug_struct("Unavailable").field("why", why).finish(),
        }
    }
}

/// A URL as it may be shown.
pub(super) fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(shown, _)| shown)
}

/// What a destination is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationConfig {
    /// Where its deliveries go.
    pub transport: Transport,
    /// When a failed delivery is tried again.
    pub retry: RetryTable,
    /// The queue that takes deliveries that are given up; without one, failures are recorded.
    pub dead_letter: Option<ResourceId>,
    /// Attempts at once.
    pub concurrency: u32,
    /// Who renders each delivery when it is attempted; `None` delivers what was accepted.
    pub renderer: Option<Renderer>,
    /// What requests over HTTP are made of beside the transport.
    pub http: HttpOptions,
}

/// Longest time for one attempt: the longest lease of a queue.
const ATTEMPT_MAX: Millis = 43_200_000;
/// Most header lines, and most bytes of them together: what servers accept.
const HEADERS_MAX: usize = 64;
const HEADER_BYTES_MAX: usize = 16 << 10;

/// The first byte of a configuration: how the rest is laid out. Layout 1 has no renderer, layouts 1
/// and 2 have no options of HTTP.
const LAYOUT: u8 = 3;
const WITHOUT_OPTIONS: u8 = 2;
const WITHOUT_RENDERER: u8 = 1;
const HTTP: u8 = 1;
const HANDLER: u8 = 2;
const UNAVAILABLE: u8 = 3;

impl DestinationConfig {
    /// Checks what can be known before the first attempt; an error names the field.
    pub fn check(&self) -> Result<()> {
        if self.concurrency == 0 {
            return Err(invalid("concurrency is 0; at least 1, or nothing is ever delivered."));
        }
        let time = match &self.transport {
            Transport::Http { timeout, headers, .. } => {
                let bytes: usize =
                    headers.iter().map(|(name, value)| name.len() + value.len()).sum();
                if headers.len() > HEADERS_MAX || bytes > HEADER_BYTES_MAX {
                    return Err(invalid(format!(
                        "headers: {} lines of {bytes} bytes; at most {HEADERS_MAX} lines of \
                         {HEADER_BYTES_MAX} bytes.",
                        headers.len()
                    )));
                }
                self.attempt(Vec::new())?;
                self.http.check()?;
                *timeout
            }
            Transport::Handler { lease } => *lease,
            Transport::Unavailable { .. } => return Ok(()),
        };
        if time == 0 || time > ATTEMPT_MAX {
            return Err(invalid(format!(
                "The time for one attempt is {time} ms; between 1 and {ATTEMPT_MAX} ms."
            )));
        }
        Ok(())
    }

    /// How long a delivery is leased for one attempt.
    pub fn lease(&self) -> Millis {
        // An attempt over HTTP ends in time; what comes on top is for carrying its end out.
        const MARGIN: Millis = 5_000;
        match &self.transport {
            Transport::Http { timeout, .. } => timeout + MARGIN,
            Transport::Handler { lease } => *lease,
            Transport::Unavailable { .. } => MARGIN,
        }
    }

    /// Whether the engine attempts deliveries by itself.
    pub fn is_attempted_here(&self) -> bool {
        !matches!(self.transport, Transport::Handler { .. })
    }

    /// One attempt over HTTP.
    pub(super) fn attempt(&self, body: Vec<u8>) -> Result<Attempt> {
        let (url, method, headers, timeout) = match &self.transport {
            Transport::Http { url, method, headers, timeout } => (url, method, headers, timeout),
            Transport::Handler { .. } => {
                return Err(invalid("The destination is a handler; it has no URL."));
            }
            Transport::Unavailable { why } => {
                return Err(Error::new(Code::UnsupportedOperation, why.as_str()));
            }
        };
        let endpoint = Endpoint::parse(url)?;
        Attempt::new(endpoint, method, headers, body, Duration::from_millis(*timeout))
    }

    /// The configuration as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![LAYOUT];
        match &self.transport {
            Transport::Http { url, method, headers, timeout } => {
                out.put_u8(HTTP);
                out.put_bytes(url.as_bytes());
                out.put_bytes(method.as_bytes());
                out.put_u32(headers.len() as u32);
                for text in headers.iter().flat_map(|(name, value)| [name, value]) {
                    out.put_bytes(text.as_bytes());
                }
                out.put_u64(*timeout);
            }
            Transport::Handler { lease } => {
                out.put_u8(HANDLER);
                out.put_u64(*lease);
            }
            Transport::Unavailable { why } => {
                out.put_u8(UNAVAILABLE);
                out.put_bytes(why.as_bytes());
            }
        }
        put_table(&mut out, &self.retry);
        out.put_u32(self.dead_letter.map_or(0, |queue| queue.0));
        out.put_u32(self.concurrency);
        out.put_u8(u8::from(self.renderer.is_some()));
        if let Some(renderer) = &self.renderer {
            renderer.put(&mut out);
        }
        self.http.put(&mut out);
        out
    }

    /// The configuration in `bytes`. Bytes of another shape are an error, never a panic.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut take = Take(bytes);
        let layout = take.u8()?;
        if !(WITHOUT_RENDERER..=LAYOUT).contains(&layout) {
            return Err(damaged("a destination this version does not know"));
        }
        let transport = match take.u8()? {
            HTTP => {
                let (url, method) = (take.text()?.to_owned(), take.text()?.to_owned());
                let mut headers = Vec::new();
                for _ in 0..take.u32()? {
                    headers.push((take.text()?.to_owned(), take.text()?.to_owned()));
                }
                Transport::Http { url, method, headers, timeout: take.u64()? }
            }
            HANDLER => Transport::Handler { lease: take.u64()? },
            UNAVAILABLE => Transport::Unavailable { why: take.text()?.to_owned() },
            _ => return Err(damaged("a transport this version does not know")),
        };
        let retry = take_table(&mut take)?;
        let dead_letter = Some(take.u32()?).filter(|id| *id != 0).map(ResourceId);
        let concurrency = take.u32()?;
        let renderer = match layout >= WITHOUT_OPTIONS && take.u8()? != 0 {
            true => Some(Renderer::take(&mut take)?),
            false => None,
        };
        let http =
            if layout == LAYOUT { HttpOptions::take(&mut take)? } else { HttpOptions::default() };
        Ok(Self { transport, retry, dead_letter, concurrency, renderer, http })
    }
}

const FIXED: u8 = 0;
const RAMP: u8 = 1;
const EXPONENTIAL: u8 = 2;
const CURVES: [Curve; 4] = [Curve::Linear, Curve::Arithmetic, Curve::Geometric, Curve::Exponential];
const JITTERS: [Jitter; 3] = [Jitter::None, Jitter::Equal, Jitter::Full];

/// The place of `value` in a list that is only ever added to.
fn index<T: PartialEq>(list: &[T], value: &T) -> u8 {
    list.iter().position(|known| known == value).unwrap_or(0) as u8
}

fn put_table(out: &mut Vec<u8>, table: &RetryTable) {
    out.put_u8(index(&JITTERS, &table.jitter()));
    out.put_u8(u8::from(table.age_max().is_some()));
    out.put_u64(table.age_max().unwrap_or(0));
    out.put_u32(table.phases().len() as u32);
    for phase in table.phases() {
        out.put_u32(phase.retries);
        let (kind, rule, from, to) = match phase.delay {
            Delay::Fixed(delay) => (FIXED, 0, delay, delay),
            Delay::Ramp { from, to, curve } => (RAMP, u32::from(index(&CURVES, &curve)), from, to),
            Delay::Exponential { base, factor_permille, cap } => {
                (EXPONENTIAL, factor_permille, base, cap)
            }
        };
        out.put_u8(kind);
        out.put_u32(rule);
        out.put_u64(from);
        out.put_u64(to);
    }
}

fn take_table(take: &mut Take<'_>) -> Result<RetryTable> {
    let jitter = JITTERS.get(usize::from(take.u8()?)).copied();
    let jitter = jitter.ok_or_else(|| damaged("a jitter this version does not know"))?;
    let has_age = take.u8()? != 0;
    let age_max = Some(take.u64()?).filter(|_| has_age);
    let mut phases = Vec::new();
    for _ in 0..take.u32()? {
        let retries = take.u32()?;
        let (kind, rule) = (take.u8()?, take.u32()?);
        let (from, to) = (take.u64()?, take.u64()?);
        let delay = match (kind, CURVES.get(rule as usize)) {
            (FIXED, _) => Delay::Fixed(to),
            (RAMP, Some(curve)) => Delay::Ramp { from, to, curve: *curve },
            (EXPONENTIAL, _) => Delay::Exponential { base: from, factor_permille: rule, cap: to },
            _ => return Err(damaged("a delay this version does not know")),
        };
        phases.push(Phase { retries, delay });
    }
    RetryTable::new(phases, age_max, jitter).map_err(|_| damaged("a retry table out of range"))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::InvalidParameterValue, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn http(url: &str) -> DestinationConfig {
        DestinationConfig {
            transport: Transport::Http {
                url: url.to_owned(),
                method: "POST".to_owned(),
                headers: vec![("x-one".to_owned(), "1".to_owned())],
                timeout: 15_000,
            },
            retry: RetryTable::sns_managed(),
            dead_letter: Some(ResourceId(7)),
            concurrency: 9,
            renderer: None,
            http: Default::default(),
        }
    }

    #[test]
    fn a_configuration_survives_its_bytes_and_cut_bytes_never_panic() {
        let handler = DestinationConfig {
            transport: Transport::Handler { lease: 30_000 },
            retry: RetryTable::event_bridge(),
            dead_letter: None,
            concurrency: 1,
            renderer: None,
            http: Default::default(),
        };
        let ramp = Delay::Ramp { from: 1, to: 2, curve: Curve::Geometric };
        let phases = vec![Phase { retries: 5, delay: ramp }];
        let curved = DestinationConfig {
            retry: RetryTable::new(phases, None, Jitter::Full).unwrap(),
            ..handler.clone()
        };
        let renderer = Some(Renderer { resource: ResourceId(3), variant: 4 });
        let rendered = DestinationConfig { renderer, ..curved.clone() };
        let transport = Transport::Unavailable { why: "no secrets".to_owned() };
        let unavailable = DestinationConfig { transport, ..curved.clone() };
        for config in [http("https://example.com/hook"), handler, curved, rendered, unavailable] {
            let bytes = config.encode();
            assert_eq!(DestinationConfig::decode(&bytes).unwrap(), config);
            for length in 0..bytes.len() {
                assert!(DestinationConfig::decode(&bytes[..length]).is_err());
            }
        }
    }

    #[test]
    fn configurations_of_earlier_layouts_are_read() {
        let config = http("https://example.com/hook");
        let mut bytes = config.encode();
        let mut options = Vec::new();
        config.http.put(&mut options);
        bytes.truncate(bytes.len() - options.len());
        bytes[0] = WITHOUT_OPTIONS;
        assert_eq!(DestinationConfig::decode(&bytes).unwrap(), config);
        assert_eq!(bytes.pop(), Some(0));
        bytes[0] = WITHOUT_RENDERER;
        assert_eq!(DestinationConfig::decode(&bytes).unwrap(), config);
    }

    #[test]
    fn no_text_shows_the_values_of_headers_or_the_query() {
        let mut config = http("https://example.com/hook?key=hidden");
        let Transport::Http { headers, .. } = &mut config.transport else { unreachable!() };
        headers.push(("authorization".to_owned(), "hidden".to_owned()));
        let shown = format!("{config:?}");
        assert!(shown.contains("https://example.com/hook"), "{shown}");
        assert!(shown.contains("authorization") && !shown.contains("hidden"), "{shown}");
    }

    #[test]
    fn what_can_never_be_delivered_is_refused_when_it_is_configured() {
        http("https://example.com/hook").check().unwrap();
        let lines = |count: usize| vec![("x-one".to_owned(), "1".to_owned()); count];
        let change = |change: &dyn Fn(&mut DestinationConfig)| {
            let mut config = http("http://localhost/");
            change(&mut config);
            config.check().unwrap_err().message().to_owned()
        };
        let with_headers = |given: Vec<(String, String)>| {
            change(&move |config| {
                let Transport::Http { headers, .. } = &mut config.transport else { return };
                headers.clone_from(&given);
            })
        };
        assert!(http("ftp://example.com/").check().unwrap_err().message().contains("http://"));
        assert!(change(&|config| config.concurrency = 0).contains("concurrency"));
        assert!(with_headers(lines(65)).contains("headers"));
        assert!(with_headers(vec![("x y".to_owned(), String::new())]).contains("x y"));
        let lease = |lease| change(&move |config| config.transport = Transport::Handler { lease });
        assert!(lease(0).contains("time for one attempt"));
        assert!(lease(ATTEMPT_MAX + 1).contains("time for one attempt"));
    }
}
