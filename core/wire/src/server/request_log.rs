//! One line for each request, on standard output, written by a thread of its own: a terminal that
//! is slow must not make callers slow.

use std::borrow::Cow;
use std::io::Write;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use http::request::Parts;
use trunkline_types::Clock;

use super::error;
use crate::codec::form::Form;
use crate::codec::time;
use crate::counters::OperationCounters;
use crate::dispatch::is_health_path;
use crate::message::Response;
use crate::model::TimeFormat;

/// Lines that wait to be written; more are left out, and counted.
const WAITING_MAX: usize = 4_096;
/// Lines that are written together.
const TOGETHER_MAX: usize = 256;
/// Longest name, and longest text of an error, in a line.
const NAME_CHARS_MAX: usize = 200;

/// The form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogForm {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Which requests get a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Those that failed by the server's fault.
    Error,
    /// Those that were refused, too.
    Warning,
    /// All of them, but for those that ask for health or metrics.
    Info,
    /// All of them.
    Debug,
}

impl LogLevel {
    /// The level of this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "error" => Self::Error,
            "warning" => Self::Warning,
            "info" => Self::Info,
            "debug" => Self::Debug,
            _ => return None,
        })
    }

    fn of(path: &str, status: u16) -> Self {
        match status {
            500.. => Self::Error,
            400.. => Self::Warning,
            _ if is_health_path(path) || path.contains("/metrics") => Self::Debug,
            _ => Self::Info,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// The request that a line is about.
pub(super) struct Subject<'a> {
    pub head: &'a Parts,
    /// Its operation, if it reached one.
    pub counted: Option<&'a OperationCounters>,
    pub resource: Option<&'a str>,
    pub client: IpAddr,
}

impl Subject<'_> {
    fn operation(&self) -> String {
        match self.counted {
            Some(counted) => format!("{}.{}", counted.service, counted.operation),
            None => format!("{} {}", self.head.method, self.head.uri.path()),
        }
    }
}

/// Where lines go. The thread ends when this is dropped.
pub(super) struct RequestLog {
    form: LogForm,
    level: LogLevel,
    lines: SyncSender<String>,
    left_out: AtomicU64,
    clock: Clock,
}

impl RequestLog {
    /// A log on standard output.
    pub fn start(form: LogForm, level: LogLevel) -> std::io::Result<Self> {
        let (log, lines) = Self::new(form, level);
        std::thread::Builder::new().name("trunkline-log".to_owned()).spawn(move || write(lines))?;
        Ok(log)
    }

    fn new(form: LogForm, level: LogLevel) -> (Self, Receiver<String>) {
        let (lines, waiting) = sync_channel(WAITING_MAX);
        let log = Self { form, level, lines, left_out: AtomicU64::new(0), clock: Clock::system() };
        (log, waiting)
    }

    /// Whether a request that ended so gets a line.
    pub fn wants(&self, head: &Parts, status: u16) -> bool {
        LogLevel::of(head.uri.path(), status) <= self.level
    }

    /// Whether requests that go well have lines: only then their resources are looked for.
    pub fn shows_resources(&self) -> bool {
        self.level >= LogLevel::Info
    }

    /// Writes the line of a request.
    pub fn note(&self, subject: &Subject<'_>, answer: &Response, took: Duration) {
        let left_out = self.left_out.swap(0, Ordering::Relaxed);
        let time = time::write(self.clock.now() as f64 / 1_000.0, TimeFormat::Iso);
        let operation = subject.operation();
        let operation = plain(&operation);
        let resource = subject.resource.map(plain);
        let error = error::of(answer);
        let line = match self.form {
            LogForm::Json => serde_json::json!({
                "time": time,
                "level": LogLevel::of(subject.head.uri.path(), answer.status).as_str(),
                "event": "request",
                "operation": operation,
                "resource": resource,
                "client": subject.client.to_string(),
                "status": answer.status,
                "error": error.as_ref().and_then(|(code, _)| code.as_deref()).map(plain),
                "message": error.as_ref().map(|(_, message)| plain(message)),
                "seconds": took.as_secs_f64(),
                "bytes": answer.body.len(),
                "left_out": left_out,
            })
            .to_string(),
            LogForm::Text => {
                let error = error.map_or_else(String::new, |(code, message)| {
                    let code = code.unwrap_or_default();
                    format!(" {}: {}", plain(&code), plain(&message))
                });
                let resource = resource.map_or_else(String::new, |name| format!(" {name}"));
                let took = took.as_secs_f64() * 1_000.0;
                let gap = match left_out {
                    0 => String::new(),
                    count => format!(" ({count} lines before this one are left out)"),
                };
                let status = answer.status;
                format!("{time} {operation}{resource} {status} {took:.1}ms{error}{gap}")
            }
        };
        self.send(line, left_out);
    }

    /// Writes a line of what failed behind the start of an answer, whatever the level.
    pub fn fail(&self, event: &str, message: &str) {
        let time = time::write(self.clock.now() as f64 / 1_000.0, TimeFormat::Iso);
        let message = plain(message);
        let line = match self.form {
            LogForm::Json => serde_json::json!({
                "time": time, "level": "error", "event": event, "message": message,
            })
            .to_string(),
            LogForm::Text => format!("{time} {event}: {message}"),
        };
        self.send(line, 0);
    }

    fn send(&self, line: String, left_out: u64) {
        if self.lines.try_send(line).is_err() {
            self.left_out.fetch_add(left_out + 1, Ordering::Relaxed);
        }
    }
}

fn write(lines: Receiver<String>) {
    let mut text = String::new();
    while let Ok(line) = lines.recv() {
        text.clear();
        // What waits by now is written with it: one system call for all, when many come.
        for line in std::iter::once(line).chain(lines.try_iter().take(TOGETHER_MAX)) {
            text.push_str(&line);
            text.push('\n');
        }
        // A terminal that is gone is no reason to stop serving.
        let _ = std::io::stdout().write_all(text.as_bytes());
    }
}

/// The members of inputs that name a resource, the most telling first.
const RESOURCE_MEMBERS: [&str; 18] = [
    "QueueUrl",
    "QueueName",
    "TopicArn",
    "TargetArn",
    "StreamName",
    "StreamARN",
    "EventBusName",
    "stateMachineArn",
    "executionArn",
    "mapRunArn",
    "activityArn",
    "FunctionName",
    "DeliveryStreamName",
    "ApplicationName",
    "logGroupName",
    "GroupName",
    "Name",
    "name",
];
/// How far into a body a resource is looked for.
const LOOKED_AT_BYTES: usize = 2_048;

/// The name of the resource that an input is about, as far as its text shows without a model: the
/// last part of an address or a name.
pub(super) fn resource_of(body: &[u8]) -> Option<String> {
    let start = &body[..body.len().min(LOOKED_AT_BYTES)];
    let found = if start.first() == Some(&b'{') {
        let text = String::from_utf8_lossy(start);
        RESOURCE_MEMBERS.iter().find_map(|member| string_of(&text, member))
    } else {
        let form = Form::read(start).ok()?;
        RESOURCE_MEMBERS.iter().find_map(|member| form.get(member).map(str::to_owned))
    };
    let found = found?;
    let last = found.rsplit(['/', ':']).next().unwrap_or(&found);
    (!last.is_empty()).then(|| last.to_owned())
}

fn string_of(text: &str, member: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("\"{member}\""))?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    Some(rest.split_once('"')?.0.to_owned())
}

// Callers choose the name: it must not begin a line of its own, nor fill the screen.
fn plain(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_graphic() || c == ' ';
    if text.len() <= NAME_CHARS_MAX && text.chars().all(is_plain) {
        return text.into();
    }
    let kept = text.chars().take(NAME_CHARS_MAX);
    kept.map(|c| if is_plain(c) { c } else { '?' }).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(path: &str) -> Parts {
        http::Request::builder().method("POST").uri(path).body(()).unwrap().into_parts().0
    }

    fn line(
        form: LogForm,
        path: &str,
        counted: Option<&OperationCounters>,
        answer: &Response,
    ) -> String {
        let (log, lines) = RequestLog::new(form, LogLevel::Info);
        let head = head(path);
        let client = [127, 0, 0, 1].into();
        let subject = Subject { head: &head, counted, resource: Some("orders"), client };
        log.note(&subject, answer, Duration::from_micros(1_240));
        lines.recv().unwrap()
    }

    #[test]
    fn a_line_tells_the_operation_and_how_it_ended() {
        let fine = Response::new(200, "application/json", "{}");
        let counted = OperationCounters::new("sqs", "SendMessage");
        let text = line(LogForm::Text, "/", Some(&counted), &fine);
        assert!(text.ends_with(" sqs.SendMessage orders 200 1.2ms"), "{text}");
        let failed = Response::new(400, "text/xml", r#"{"__type":"a#Bad","message":"why"}"#);
        let text = line(LogForm::Text, "/a", None, &failed);
        assert!(text.ends_with(" POST /a orders 400 1.2ms Bad: why"), "{text}");
        let json = line(LogForm::Json, "/a", None, &failed);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["status"], &json["error"]), (&400.into(), &"Bad".into()));
        assert_eq!((&json["level"], &json["message"]), (&"warning".into(), &"why".into()));
    }

    #[test]
    fn the_level_says_which_requests_get_a_line() {
        let wants = |level, path, status| {
            RequestLog::new(LogForm::Text, level).0.wants(&head(path), status)
        };
        assert!(wants(LogLevel::Error, "/", 500) && !wants(LogLevel::Error, "/", 400));
        assert!(wants(LogLevel::Warning, "/", 404) && !wants(LogLevel::Warning, "/", 200));
        assert!(wants(LogLevel::Info, "/", 200));
        for path in ["/_trunkline/health", "/metrics"] {
            assert!(!wants(LogLevel::Info, path, 200) && wants(LogLevel::Debug, path, 200));
        }
    }

    #[test]
    fn a_resource_is_named_by_the_last_part_of_its_address() {
        let json = br#"{"MessageBody": "x", "QueueUrl" : "http://a:1/000000000000/orders"}"#;
        assert_eq!(resource_of(json).as_deref(), Some("orders"));
        let form = b"Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A1%3Anews";
        assert_eq!(resource_of(form).as_deref(), Some("news"));
        let json = br#"{"activityArn":"arn:aws:states:us-east-1:1:activity:ship"}"#;
        assert_eq!(resource_of(json).as_deref(), Some("ship"));
        for body in [&b""[..], b"{}", b"{\"QueueUrl\":1}", b"\xff\xfe", b"{\"QueueUrl\":\"\"}"] {
            assert_eq!(resource_of(body), None);
        }
    }

    #[test]
    fn a_caller_cannot_write_a_line_of_its_own() {
        let forged = r#"{"__type":"Bad","message":"a\n2026 forged \u001b[2J"}"#;
        let text = line(LogForm::Text, "/", None, &Response::new(400, "text/xml", forged));
        assert!(text.contains(" a?2026 forged ?[2J") && !text.contains('\n'), "{text}");
        let fine = Response::new(200, "application/json", "{}");
        assert!(line(LogForm::Text, &format!("/{}", "x".repeat(10_000)), None, &fine).len() < 300);
    }

    #[test]
    fn unread_lines_are_counted_and_hold_nothing_up() {
        let (log, lines) = RequestLog::new(LogForm::Text, LogLevel::Info);
        let fine = Response::new(200, "application/json", "{}");
        let head = head("/");
        let client = [127, 0, 0, 1].into();
        let subject = Subject { head: &head, counted: None, resource: None, client };
        let note = || log.note(&subject, &fine, Duration::ZERO);
        (0..WAITING_MAX + 3).for_each(|_| note());
        assert_eq!(lines.try_iter().count(), WAITING_MAX);
        note();
        assert!(lines.recv().unwrap().ends_with("(3 lines before this one are left out)"));
    }
}
