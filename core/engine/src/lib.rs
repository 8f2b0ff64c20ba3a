//! The engine of Trunkline: queues with the semantics of Amazon SQS, in this process, durable on
//! this disk.
//!
//! Every verb *decides* what should happen, hands records to the *journal*, *applies* them, and
//! with every lock released *notifies* waiting receivers. Opening a folder reads the records and
//! rebuilds the same state from them.
//!
//! It is not a server, knows no Python, and parses no AWS protocol.
//!
//! ```
//! use trunkline_engine::{Engine, OpenOptions, Outgoing, Receive, queue_name, standard_queue};
//!
//! let engine = Engine::open(OpenOptions::memory())?;
//! let name = queue_name("orders");
//! let queue = engine.create_queue(name, standard_queue(), b"")?;
//! queue.send(&Outgoing { body: b"hello", ..Outgoing::default() })?;
//! let mut receipts = Vec::new();
//! queue.try_receive(&Receive::default(), |message| receipts.push(message.receipt))?;
//! queue.delete(&receipts[0])?;
//! # Ok::<(), trunkline_engine::Error>(())
//! ```

mod archive;
pub mod attributes;
mod bucket;
mod bus;
mod components;
mod engine;
mod extensions;
mod inspect;
mod json_path;
mod machine;
mod outbox;
mod queue;
mod router;
mod schedule;
mod signing;
mod stream;
mod topic;
mod workflow;

pub use archive::ReplayState;
pub use bucket::{
    Attributes, BUCKET, Bucket, BucketConfig, BucketStatistics, Cause, CompletedPart, Condition,
    Content as ObjectContent, ContentWriter, Deleted, Entry, ExpiryRule, KEY_BYTES_MAX,
    ListRequest, NO_SUCH_VERSION, Notification as ObjectNotification, Object, ObjectReader,
    PART_BYTES_MIN, PART_NUMBER_MAX, Page, Pairs, Part, Piece, PutOutcome as ObjectPut, TOO_SMALL,
    Upload, UploadPage, VersionEntry, VersionRef, Versioning, operation as bucket_operation,
};
pub use bus::{
    Archive, BUS, Bus, BusStatistics, DEFAULT_BUS, EventFields, Input, PUT as PUT_EVENT, PutEvent,
    PutOutcome, ReplayRequest, ReplayStatus, RuleExplanation, RuleSource, RuleStatus, ServiceEvent,
    TargetDefinition, Used as UsedTarget, bus_name,
};
pub use components::KINDS;
pub use engine::{Engine, advance};
pub use inspect::{QueueReport, RepairReport, Report, inspect, repair, verify};
pub use machine::{
    AskedTask, Ended as TaskEnded, ExecutionStatus, MACHINE, Machine, Machines, StartRequest,
    Started as StartedExecution, Status as ExecutionState, TaskEnd, TaskToken, machine_name,
};
pub use outbox::{
    AttemptRef, Backlog, BacklogCounts, DestinationConfig, DestinationStatistics, FailedDelivery,
    HandlerGuard, HttpOptions, LeasedDelivery, OUTBOX_KIND, Outbox, Parameter as HttpParameter,
    Place as HttpPlace, Rate as HttpRate, TokenSource, Transport, Value as HttpValue,
};
pub use queue::{
    Delivery, Grant, Outgoing, QUEUE, QUEUE_OPTIONS, Queue, QueueOption, Receive, Received,
    RedriveState, RedriveStatus, Sent, SharedPayload, Statistics, Unit, check_id, check_queue_name,
    default_config, fifo_queue, is_id, operation, queue_name, sequence_number, standard_queue,
};

pub use router::{
    Authorizer, DeliverySource, FanOut, FanTarget, NamePage, NewRule, NewSubscription, NewTarget,
    ReplayOfBus, Target, TargetResource,
};
pub use schedule::{Progress, SCHEDULE, Schedule, ScheduleConfig, ScheduleStatus};
pub use signing::{Signature, Signer};
pub use stream::{
    FetchRequest, MemberWait, NewRecord, PutRecord, ReadOutcome, ReadRequest, Reader,
    ReaderStatistics, STREAM, ShardPosition, ShardStatistics, Stream, StreamChange, StreamConfig,
    StreamMember, StreamRecord, StreamStatistics, operation as stream_operation, stream_name,
};
pub use topic::{
    ArchiveStatus, Notification, PUBLISH, Protocol, Publication, SubscriptionReplay,
    SubscriptionStatus, TOPIC, Topic, TopicConfig, TopicStatistics, topic_name,
};
pub use trunkline_delivery as delivery;
pub use trunkline_host::{
    Accepted, Admission, Admitted, Awaited, Content, Effect, Faults, Held, Host, LongPoll, Needs,
    OpenOptions, Operation, Parker, Polled, Rendered, Renderer, ResourcePattern, ResourceReport,
    Routed, Rule, Settled, Settling, Subscription, TimerKey, Trace, TraceStatistics, Traced,
    TracedEntry, WaitEnd, Waiters, What,
};
pub use trunkline_journal::retained::ReadBuffer;
pub use trunkline_journal::{Signal, Storage, Ticket};
pub use trunkline_schedule as timetable;
pub use trunkline_states as states;
pub use trunkline_stream::{
    HashKey, HashKeyError, HashKeyRange, IteratorError, SequenceError, SequenceNumber, Shard,
    ShardFilter, ShardId, ShardIterator, Shards, Start, Taken,
};
pub use trunkline_types::{
    Clock, Code, DeadLetter, DedupScope, Durability, Error, IdKey, Limits, MessageId, Millis,
    QueueConfig, QueueKind, Receipt, ResourceId, ResourceKind, ResourceName, Result, Seq,
};
pub use trunkline_workflow as workflows;
pub use workflow::{
    ActivityEnd, ActivityTask, DOMAIN, DecisionAnswer, DecisionTask, Defaults as TypeDefaults,
    Domain, DomainSettings, Domains, Failure as WorkflowFailure, Filter as ExecutionFilter,
    HistoryPage, HistoryRange, LambdaTask, OrderedBy, Outcome as WorkflowOutcome, RegisteredType,
    Target as ExecutionTarget, TaskList, TypeKind, Visible as VisibleExecution, VisiblePage,
    details as execution_details, info as execution_info, open_counts, read_defaults, read_filter,
    read_policy, read_start, type_details, type_info,
};
