//! Counters for `/metrics`: relaxed, because nobody reads them together with anything else.

use std::fmt::Write as _;

use trunkline_engine::Engine;
use trunkline_types::sync::atomic::{AtomicU64, Ordering};

use crate::codec::xml;
use crate::services::sqs::Operation;

const NAMES: [(&str, Operation); 7] = [
    ("SendMessage", Operation::Send),
    ("SendMessageBatch", Operation::SendBatch),
    ("ReceiveMessage", Operation::Receive),
    ("DeleteMessage", Operation::Delete),
    ("DeleteMessageBatch", Operation::DeleteBatch),
    ("ChangeMessageVisibility", Operation::Extend),
    ("ChangeMessageVisibilityBatch", Operation::ExtendBatch),
];

/// What was counted since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    data: [AtomicU64; 7],
    control: AtomicU64,
    /// Connections that are open.
    pub connections: AtomicU64,
    /// Long polls that wait.
    pub polls: AtomicU64,
}

impl Metrics {
    pub(super) fn count(&self, operation: Operation) {
        if let Some(place) = NAMES.iter().position(|(_, named)| *named == operation) {
            self.data[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn count_control(&self) {
        self.control.fetch_add(1, Ordering::Relaxed);
    }

    /// Everything in the text form that Prometheus reads.
    pub fn render(&self, engine: &Engine) -> String {
        let mut out = String::from("# TYPE trunkline_requests_total counter\n");
        let mut line = |text: std::fmt::Arguments<'_>| {
            // Writing to a string cannot fail.
            let _ = out.write_fmt(text);
            out.push('\n');
        };
        for ((name, _), count) in NAMES.iter().zip(&self.data) {
            let count = count.load(Ordering::Relaxed);
            line(format_args!(
                "trunkline_requests_total{{service=\"sqs\",operation=\"{name}\"}} {count}"
            ));
        }
        let control = self.control.load(Ordering::Relaxed);
        line(format_args!("trunkline_requests_total{{plane=\"control\"}} {control}"));
        line(format_args!("# TYPE trunkline_connections gauge"));
        line(format_args!("trunkline_connections {}", self.connections.load(Ordering::Relaxed)));
        line(format_args!("# TYPE trunkline_long_polls gauge"));
        line(format_args!("trunkline_long_polls {}", self.polls.load(Ordering::Relaxed)));
        line(format_args!("# TYPE trunkline_queue_messages gauge"));
        // A closed engine has no queues to show.
        for queue in engine.queues(None, None, "").unwrap_or_default() {
            let Ok(statistics) = queue.statistics() else { continue };
            let name = queue.name();
            let mut label = String::new();
            xml::escape(&name.name, &mut label);
            for (state, count) in [
                ("visible", statistics.visible),
                ("in_flight", statistics.in_flight),
                ("delayed", statistics.delayed),
            ] {
                line(format_args!(
                    "trunkline_queue_messages{{account=\"{}\",region=\"{}\",queue=\"{label}\",\
                     state=\"{state}\"}} {count}",
                    name.account, name.region
                ));
            }
        }
        out
    }
}
