//! A queue's configuration as a frozen value: milliseconds, bytes and queue ids.

use pyo3::prelude::*;
use trunkline_engine::{QUEUE_OPTIONS, QueueOption, Unit};
use trunkline_types::{DeadLetter, DedupScope, Millis, QueueConfig, QueueKind, ResourceId};

/// The rules of one queue as the engine keeps them: milliseconds, bytes and queue ids.
#[pyclass(frozen, eq, module = "trunkline._core")]
#[derive(PartialEq, Eq)]
pub(crate) struct QueueSettings(pub QueueConfig);

#[pymethods]
impl QueueSettings {
    #[new]
    #[pyo3(signature = (*, fifo, delay, retention, visibility_timeout, receive_wait,
        max_message_size, content_based_dedup, dedup_per_group, dead_letter))]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the Python method")]
    fn new(
        fifo: bool,
        delay: Millis,
        retention: Millis,
        visibility_timeout: Millis,
        receive_wait: Millis,
        max_message_size: u32,
        content_based_dedup: bool,
        dedup_per_group: bool,
        dead_letter: Option<(u32, u32)>,
    ) -> Self {
        Self(QueueConfig {
            kind: if fifo { QueueKind::Fifo } else { QueueKind::Standard },
            delay,
            retention,
            visibility: visibility_timeout,
            receive_wait,
            message_bytes_max: max_message_size,
            content_based_dedup,
            dedup_scope: if dedup_per_group { DedupScope::Group } else { DedupScope::Queue },
            dead_letter: dead_letter.map(|(queue, max_receive_count)| DeadLetter {
                queue: ResourceId(queue),
                max_receive_count,
            }),
        })
    }

    #[getter]
    fn fifo(&self) -> bool {
        self.0.kind == QueueKind::Fifo
    }

    #[getter]
    fn delay(&self) -> Millis {
        self.0.delay
    }

    #[getter]
    fn retention(&self) -> Millis {
        self.0.retention
    }

    #[getter]
    fn visibility_timeout(&self) -> Millis {
        self.0.visibility
    }

    #[getter]
    fn receive_wait(&self) -> Millis {
        self.0.receive_wait
    }

    #[getter]
    fn max_message_size(&self) -> u32 {
        self.0.message_bytes_max
    }

    #[getter]
    fn content_based_dedup(&self) -> bool {
        self.0.content_based_dedup
    }

    #[getter]
    fn dedup_per_group(&self) -> bool {
        self.0.dedup_scope == DedupScope::Group
    }

    #[getter]
    fn dead_letter(&self) -> Option<(u32, u32)> {
        self.0.dead_letter.map(|dead| (dead.queue.0, dead.max_receive_count))
    }
}

/// An option as plain data: name, AWS's name, unit, default, the limits that are its least and its
/// greatest value, and whether only a FIFO queue has it.
type PlainOption = (
    &'static str,
    &'static str,
    &'static str,
    u64,
    Option<&'static str>,
    Option<&'static str>,
    bool,
);

/// The table of options; `dead_letter` and what surfaces keep in the document are not in it.
#[pyfunction]
fn queue_options() -> Vec<PlainOption> {
    let plain = |option: &QueueOption| {
        let unit = match option.unit {
            Unit::Milliseconds => "milliseconds",
            Unit::Bytes => "bytes",
            Unit::Flag => "flag",
            Unit::Scope => "scope",
        };
        let QueueOption { name, aws_name, default, least, most, fifo_only, .. } = *option;
        (name, aws_name, unit, default, least, most, fifo_only)
    };
    QUEUE_OPTIONS.iter().map(plain).collect()
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(queue_options, module)?)?;
    module.add_class::<QueueSettings>()
}
