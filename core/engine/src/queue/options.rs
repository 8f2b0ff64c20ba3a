//! The options of a queue: names, units, defaults and ranges, in the one table that every surface
//! reads. The Python package, the C ABI and the AWS service differ in how they word them only.

use trunkline_types::{DedupScope, Limits, Millis, QueueConfig, QueueKind};

/// What the number of an option counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A span of time.
    Milliseconds,
    /// A size.
    Bytes,
    /// 1 for yes, 0 for no.
    Flag,
    /// Where a deduplication id has to be unique: 0 in the queue, 1 in its message group.
    Scope,
}

/// One option of a queue.
#[derive(Debug, Clone, Copy)]
pub struct QueueOption {
    /// The name in the process.
    pub name: &'static str,
    /// The attribute of Amazon SQS.
    pub aws_name: &'static str,
    /// What its number counts.
    pub unit: Unit,
    /// The value of a queue that names none, unless a limit is below it.
    pub default: u64,
    /// The limit that is the least value; 0 is the least where there is none.
    pub least: Option<&'static str>,
    /// The limit that is the greatest value; 1 is the greatest where there is none.
    pub most: Option<&'static str>,
    /// Whether only a FIFO queue has it.
    pub fifo_only: bool,
    bounds: fn(&Limits) -> (u64, u64),
    get: fn(&QueueConfig) -> u64,
    set: fn(&mut QueueConfig, u64),
}

impl QueueOption {
    /// The least and the greatest value under `limits`.
    pub fn bounds(&self, limits: &Limits) -> (u64, u64) {
        (self.bounds)(limits)
    }

    /// The value in `config`.
    pub fn get(&self, config: &QueueConfig) -> u64 {
        (self.get)(config)
    }

    /// Changes the value in `config`; it lies within the bounds.
    pub fn set(&self, config: &mut QueueConfig, value: u64) {
        (self.set)(config, value);
    }
}

const DAY: Millis = 86_400_000;

/// Every option but the dead-letter queue, which is not a number.
pub const QUEUE_OPTIONS: [QueueOption; 7] = [
    QueueOption {
        name: "delay",
        aws_name: "DelaySeconds",
        unit: Unit::Milliseconds,
        default: 0,
        least: None,
        most: Some("delay_max"),
        fifo_only: false,
        bounds: |limits| (0, limits.delay_max),
        get: |config| config.delay,
        set: |config, value| config.delay = value,
    },
    QueueOption {
        name: "retention",
        aws_name: "MessageRetentionPeriod",
        unit: Unit::Milliseconds,
        default: 4 * DAY,
        least: Some("retention_min"),
        most: Some("retention_max"),
        fifo_only: false,
        bounds: |limits| (limits.retention_min, limits.retention_max),
        get: |config| config.retention,
        set: |config, value| config.retention = value,
    },
    QueueOption {
        name: "visibility_timeout",
        aws_name: "VisibilityTimeout",
        unit: Unit::Milliseconds,
        default: 30_000,
        least: None,
        most: Some("visibility_max"),
        fifo_only: false,
        bounds: |limits| (0, limits.visibility_max),
        get: |config| config.visibility,
        set: |config, value| config.visibility = value,
    },
    QueueOption {
        name: "receive_wait",
        aws_name: "ReceiveMessageWaitTimeSeconds",
        unit: Unit::Milliseconds,
        default: 0,
        least: None,
        most: Some("receive_wait_max"),
        fifo_only: false,
        bounds: |limits| (0, limits.receive_wait_max),
        get: |config| config.receive_wait,
        set: |config, value| config.receive_wait = value,
    },
    QueueOption {
        name: "max_message_size",
        aws_name: "MaximumMessageSize",
        unit: Unit::Bytes,
        // As large as the limit allows, also when the limit is raised.
        default: u64::MAX,
        least: Some("message_bytes_min"),
        most: Some("message_bytes_max"),
        fifo_only: false,
        bounds: |limits| (limits.message_bytes_min.into(), limits.message_bytes_max.into()),
        get: |config| config.message_bytes_max.into(),
        // The bounds are those of a u32.
        set: |config, value| config.message_bytes_max = value as u32,
    },
    QueueOption {
        name: "content_based_dedup",
        aws_name: "ContentBasedDeduplication",
        unit: Unit::Flag,
        default: 0,
        least: None,
        most: None,
        fifo_only: true,
        bounds: |_| (0, 1),
        get: |config| config.content_based_dedup.into(),
        set: |config, value| config.content_based_dedup = value == 1,
    },
    QueueOption {
        name: "dedup_scope",
        aws_name: "DeduplicationScope",
        unit: Unit::Scope,
        default: 0,
        least: None,
        most: None,
        fifo_only: true,
        bounds: |_| (0, 1),
        get: |config| (config.dedup_scope == DedupScope::Group).into(),
        set: |config, value| {
            config.dedup_scope = if value == 1 { DedupScope::Group } else { DedupScope::Queue };
        },
    },
];

/// The rules of a queue that names no option, under `limits`.
pub fn default_config(kind: QueueKind, limits: &Limits) -> QueueConfig {
    let mut config = QueueConfig {
        kind,
        delay: 0,
        retention: 0,
        visibility: 0,
        receive_wait: 0,
        message_bytes_max: 0,
        content_based_dedup: false,
        dedup_scope: DedupScope::Queue,
        dead_letter: None,
    };
    for option in &QUEUE_OPTIONS {
        let (least, most) = option.bounds(limits);
        option.set(&mut config, option.default.min(most).max(least));
    }
    config
}

/// The rules of a standard queue as AWS sets them.
pub fn standard_queue() -> QueueConfig {
    default_config(QueueKind::Standard, &Limits::default())
}

/// The rules of a FIFO queue as AWS sets them.
pub fn fifo_queue() -> QueueConfig {
    default_config(QueueKind::Fifo, &Limits::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_aws() {
        let config = standard_queue();
        assert_eq!((config.delay, config.receive_wait), (0, 0));
        assert_eq!((config.retention, config.visibility), (345_600_000, 30_000));
        assert_eq!(config.message_bytes_max, 1_048_576);
        assert_eq!(fifo_queue().kind, QueueKind::Fifo);
    }

    #[test]
    fn a_default_follows_its_limits() {
        let limits = Limits {
            retention_max: DAY,
            visibility_max: 5_000,
            message_bytes_max: 16_000_000,
            ..Limits::default()
        };
        let config = default_config(QueueKind::Standard, &limits);
        assert_eq!((config.retention, config.visibility), (DAY, 5_000));
        assert_eq!(config.message_bytes_max, 16_000_000);
    }

    #[test]
    fn what_is_set_is_what_is_got() {
        for option in &QUEUE_OPTIONS {
            let mut config = fifo_queue();
            let (least, most) = option.bounds(&Limits::default());
            for value in [least, most] {
                option.set(&mut config, value);
                assert_eq!(option.get(&config), value, "{}", option.name);
            }
        }
    }
}
