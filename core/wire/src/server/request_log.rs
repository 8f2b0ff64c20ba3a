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

use crate::codec::form::Form;
use crate::codec::time;
use crate::message::Response;
use crate::model::TimeFormat;

/// Lines that wait to be written; more are left out, and counted.
const WAITING_MAX: usize = 4_096;
/// Longest name of an operation in a line.
const NAME_CHARS_MAX: usize = 128;

/// The form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogForm {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Where lines go. The thread ends when this is dropped.
pub(super) struct RequestLog {
    form: LogForm,
    lines: SyncSender<String>,
    left_out: AtomicU64,
    clock: Clock,
}

impl RequestLog {
    /// A log on standard output.
    pub fn start(form: LogForm) -> std::io::Result<Self> {
        let (log, lines) = Self::new(form);
        std::thread::Builder::new().name("trunkline-log".to_owned()).spawn(move || write(lines))?;
        Ok(log)
    }

    fn new(form: LogForm) -> (Self, Receiver<String>) {
        let (lines, waiting) = sync_channel(WAITING_MAX);
        let log = Self { form, lines, left_out: AtomicU64::new(0), clock: Clock::system() };
        (log, waiting)
    }

    /// Writes the line of a request.
    pub fn note(&self, operation: &str, client: IpAddr, answer: &Response, took: Duration) {
        let left_out = self.left_out.swap(0, Ordering::Relaxed);
        let time = time::write(self.clock.now() as f64 / 1_000.0, TimeFormat::Iso);
        let (status, error) = (answer.status, error_of(answer));
        let operation = plain(operation);
        let line = match self.form {
            LogForm::Json => serde_json::json!({
                "time": time,
                "event": "request",
                "operation": operation,
                "client": client.to_string(),
                "status": status,
                "error": error,
                "seconds": took.as_secs_f64(),
                "left_out": left_out,
            })
            .to_string(),
            LogForm::Text => {
                let error = error.map_or_else(String::new, |code| format!(" {code}"));
                let took = took.as_secs_f64() * 1_000.0;
                let gap = match left_out {
                    0 => String::new(),
                    count => format!(" ({count} lines before this one are left out)"),
                };
                format!("{time} {operation} {status} {took:.1}ms{error}{gap}")
            }
        };
        if self.lines.try_send(line).is_err() {
            self.left_out.fetch_add(left_out + 1, Ordering::Relaxed);
        }
    }
}

fn write(lines: Receiver<String>) {
    for line in lines {
        // A terminal that is gone is no reason to stop serving.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

/// The name of the operation as the head of a request shows it.
pub(super) fn operation_of(head: &Parts) -> String {
    let target = head.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let action = || action_of(head.uri.query().unwrap_or("").as_bytes());
    match target.map(str::to_owned).or_else(action) {
        Some(name) => name,
        None => format!("{} {}", head.method, head.uri.path()),
    }
}

/// The name of the operation in a form.
pub(super) fn action_of(form: &[u8]) -> Option<String> {
    Form::read(form).ok()?.get("Action").map(str::to_owned)
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

// The code of an error, in the forms of all protocols.
fn error_of(answer: &Response) -> Option<String> {
    if answer.status < 400 {
        return None;
    }
    let header = answer.header("x-amzn-query-error").and_then(|value| value.split(';').next());
    let header = header.or_else(|| answer.header("x-amzn-errortype"));
    let body = String::from_utf8_lossy(&answer.body);
    let between = |start: &str, end: &str| {
        let (_, rest) = body.split_once(start)?;
        Some(rest.split_once(end)?.0)
    };
    let code = header
        .or_else(|| between("\"__type\":\"", "\""))
        .or_else(|| between("\"error\":\"", "\""))
        .or_else(|| between("<Code>", "</Code>"));
    code.map(|code| plain(code).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(form: LogForm, operation: &str, answer: &Response) -> String {
        let (log, lines) = RequestLog::new(form);
        log.note(operation, [127, 0, 0, 1].into(), answer, Duration::from_micros(1_240));
        lines.recv().unwrap()
    }

    #[test]
    fn a_line_tells_the_operation_and_how_it_ended() {
        let fine = Response::new(200, "application/json", "{}");
        let text = line(LogForm::Text, "AmazonSQS.SendMessage", &fine);
        assert!(text.ends_with(" AmazonSQS.SendMessage 200 1.2ms"), "{text}");
        for body in [r#"{"__type":"Bad","message":""}"#, "<Code>Bad</Code>", r#"{"error":"Bad"}"#] {
            let failed = Response::new(400, "text/xml", body);
            assert!(line(LogForm::Text, "a", &failed).ends_with(" a 400 1.2ms Bad"), "{body}");
            let json: serde_json::Value =
                serde_json::from_str(&line(LogForm::Json, "a", &failed)).unwrap();
            assert_eq!((&json["status"], &json["error"]), (&400.into(), &"Bad".into()));
        }
    }

    #[test]
    fn a_caller_cannot_write_a_line_of_its_own() {
        let fine = Response::new(200, "application/json", "{}");
        let text = line(LogForm::Text, "a\n2026 forged \u{1b}[2J", &fine);
        assert!(text.contains(" a?2026 forged ?[2J 200 ") && !text.contains('\n'), "{text}");
        assert!(line(LogForm::Text, &"x".repeat(10_000), &fine).len() < 200);
    }

    #[test]
    fn unread_lines_are_counted_and_hold_nothing_up() {
        let (log, lines) = RequestLog::new(LogForm::Text);
        let fine = Response::new(200, "application/json", "{}");
        let note = || log.note("a", [127, 0, 0, 1].into(), &fine, Duration::ZERO);
        (0..WAITING_MAX + 3).for_each(|_| note());
        assert_eq!(lines.try_iter().count(), WAITING_MAX);
        note();
        assert!(lines.recv().unwrap().ends_with("(3 lines before this one are left out)"));
    }
}
