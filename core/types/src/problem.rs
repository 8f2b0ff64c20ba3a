//! What is wrong with a call, as data. The engine says it in its own names; a surface that has
//! other names or sentences, like AWS's, words it anew.

use std::fmt;

use crate::clock::Millis;
use crate::code::Code;

/// A part of a call that something is wrong with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The group of a message.
    Group,
    /// The deduplication id of a message.
    DedupId,
    /// The source of a redrive.
    Source,
    /// The destination of a redrive.
    Destination,
}

impl Field {
    /// Its name in the engine's own interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::DedupId => "dedup_id",
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }
}

/// What is wrong, with the values that matter.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The queue does not exist, or was removed.
    NoSuchQueue {
        /// Its name.
        name: String,
    },
    /// The receipt is none, or one of another queue.
    BadReceipt {
        /// Its text.
        receipt: String,
        /// Whether another queue of the engine issued it.
        is_foreign: bool,
    },
    /// A resource that is named does not exist.
    NoSuchResource(Field),
    /// A value that is required is absent.
    Missing(Field),
    /// This kind of queue takes no value here.
    NotForThisKind {
        /// The part.
        field: Field,
        /// Its value.
        value: String,
    },
    /// A message of a FIFO queue has no deduplication id, and the queue makes none of its body.
    NoDedupId,
    /// A message of a FIFO queue has a delay of its own.
    DelayOfMessage(Millis),
    /// A message is larger than its queue takes.
    TooLarge {
        /// What the queue takes, in bytes.
        max: usize,
    },
    /// A lease is longer than any may be.
    LeaseTooLong {
        /// What was asked for.
        lease: Millis,
        /// What is allowed.
        max: Millis,
    },
    /// A lease would end later after its receive than any may.
    LeaseBeyondMax {
        /// What was asked for.
        lease: Millis,
        /// What is allowed in all.
        max: Millis,
    },
    /// The lease of the receipt has ended.
    ReceiptExpired,
    /// The message of the receipt is not in flight, or is gone.
    NotInFlight,
}

impl Problem {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::NoSuchQueue { .. } => Code::QueueDoesNotExist,
            Self::BadReceipt { .. } => Code::ReceiptHandleIsInvalid,
            Self::NoSuchResource(_) => Code::ResourceNotFoundException,
            Self::Missing(_) => Code::MissingParameter,
            _ => Code::InvalidParameterValue,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |millis: &Millis| *millis as f64 / 1_000.0;
        match self {
            Self::NoSuchQueue { name } => {
                write!(f, "The queue '{name}' does not exist; it was removed.")
            }
            Self::BadReceipt { receipt, is_foreign: false } => {
                write!(f, "The receipt \"{receipt}\" is not a valid receipt handle.")
            }
            Self::BadReceipt { receipt, is_foreign: true } => write!(
                f,
                "The receipt \"{receipt}\" is one of another queue. Reason: A message is deleted, \
                 extended and released at the queue that it was received from."
            ),
            Self::NoSuchResource(field) => {
                write!(f, "The queue that was given as {} does not exist.", field.name())
            }
            Self::Missing(field) => {
                write!(f, "The request must contain the parameter {}.", field.name())
            }
            Self::NotForThisKind { field, value } => write!(
                f,
                "Value {value} for parameter {} is invalid. Reason: This kind of queue does not \
                 take it.",
                field.name()
            ),
            Self::DelayOfMessage(delay) => write!(
                f,
                "Value {} for parameter delay is invalid. Reason: A FIFO queue has one delay for \
                 all of its messages.",
                seconds(delay)
            ),
            Self::TooLarge { max } => write!(
                f,
                "The message is too large. Reason: Body and attributes must be shorter than {max} \
                 bytes together; the queue's max_message_size says so."
            ),
            Self::LeaseTooLong { lease, max } => write!(
                f,
                "Value {} for parameter visibility_timeout is invalid. Reason: Must be between 0 \
                 and {} seconds.",
                seconds(lease),
                seconds(max)
            ),
            Self::LeaseBeyondMax { lease, max } => write!(
                f,
                "Value {} for parameter visibility_timeout is invalid. Reason: A lease may last {} \
                 seconds in all, counted from the receive.",
                seconds(lease),
                seconds(max)
            ),
            Self::NoDedupId => f.write_str(
                "The message needs a dedup_id. Reason: The queue makes none of the body; give one, \
                 or configure the queue with content_based_dedup=True.",
            ),
            Self::ReceiptExpired => f.write_str(
                "The receipt has expired. Reason: Its lease has ended, so the message may be \
                 delivered to another receiver; receive it again.",
            ),
            Self::NotInFlight => f.write_str(
                "The message of this receipt is not in flight. Reason: It was deleted, or its \
                 lease has ended.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn a_problem_becomes_an_error_that_still_has_it_as_data() {
        let problem = Problem::Missing(Field::Group);
        let error = Error::from(problem.clone());
        assert_eq!(error.code(), Code::MissingParameter);
        assert_eq!(error.message(), "The request must contain the parameter group.");
        assert_eq!(error.problem(), Some(&problem));
    }
}
