//! Every bound of the wire, with its reason.

/// Deepest nesting of an input. serde_json stops at 128 by itself; real inputs stay below 20.
pub const DEPTH_MAX: usize = 64;
/// Largest body of a request to an API that is served without the control plane: no template
/// exceeds its bounds with that.
pub const DIRECT_API_BODY_BYTES_MAX: usize = 256 * 1024;
/// Stages of APIs that are kept compiled; all are compiled again beyond that.
pub const COMPILED_STAGES_MAX: usize = 1_000;
/// Token buckets of APIs that are remembered.
pub const TOKEN_BUCKETS_MAX: usize = 100_000;
/// Largest request body. SQS takes 1 MiB of message, which JSON escapes and base64 may enlarge.
pub const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest request with the code of a function or a layer (AWS): 50 MiB of archive in base64.
pub const CODE_BODY_BYTES_MAX: usize = 70_167_211;
/// Large bodies of requests and answers that are held at once, over all connections. 32 of the
/// largest fit; one more is told to try again.
pub const BODIES_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Most parameters of a form; a batch of ten with ten attributes each needs below 500.
pub const FORM_PARAMETERS_MAX: usize = 10_000;
/// Highest index of a list in a form (`X.member.N`). The list holds only what was sent, so this
/// bounds nothing but nonsense.
pub const FORM_INDEX_MAX: usize = 1_000_000;
/// Most values of one CBOR body: each takes 32 bytes of memory for at least one byte of body.
pub const CBOR_VALUES_MAX: usize = 1_000_000;
/// Most validation errors reported at once, so that an answer stays readable.
pub const VIOLATIONS_MAX: usize = 20;
/// Longest quotation of a caller's value in a message.
pub const QUOTE_CHARS_MAX: usize = 1_024;
/// Headers of one event stream message (the format's own bound).
pub const EVENT_HEADERS_BYTES_MAX: usize = 128 * 1024;
/// Payload of one event stream message (newer SDKs take 24 MiB).
pub const EVENT_PAYLOAD_BYTES_MAX: usize = 24 * 1024 * 1024;
/// Difference between a signature's time and ours, in seconds, that is still accepted.
pub const SKEW_SECONDS_MAX: i64 = 300;
/// The same for S3.
pub const SKEW_SECONDS_MAX_S3: i64 = 900;
/// Longest life of a presigned request, in seconds (AWS: seven days).
pub const PRESIGNED_SECONDS_MAX: i64 = 604_800;
/// Largest compiled pattern of a service model.
pub const PATTERN_BYTES_MAX: usize = 256 * 1024;
/// Most messages that one look into a queue shows; the response is made in one piece.
pub const PEEK_MESSAGES_MAX: usize = 10_000;
/// Most bytes of such a look; messages beyond them are left out, and the response says so.
pub const PEEK_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Longest id of an entry in a batch; it is the caller's own and names nothing.
pub const BATCH_ID_CHARS_MAX: usize = 80;
/// Longest type of a message attribute.
pub const ATTRIBUTE_TYPE_BYTES_MAX: usize = 256;
/// Longest trace header of an entry of PutEvents.
pub const TRACE_HEADER_CHARS_MAX: usize = 500;
/// Most bytes of a message that is published over the wire, and of a batch of them: SNS's bound,
/// whatever queues take.
pub const PUBLISH_BYTES_MAX: usize = 262_144;
/// Longest name of an attribute of a message that is published.
pub const PUBLISH_ATTRIBUTE_NAME_BYTES_MAX: usize = 256;
/// Longest subject of a message that is published: SNS's bound.
pub const SUBJECT_CHARS_MAX: usize = 100;
/// Identifiers that a data protection policy defines itself: SNS's bounds.
pub const IDENTIFIERS_MAX: usize = 10;
/// How many of a hundred messages an audit looks at at most: SNS's bound.
pub const SAMPLE_RATE_MAX: u8 = 99;
/// Longest name of such an identifier.
pub const IDENTIFIER_NAME_CHARS_MAX: usize = 128;
/// Longest pattern of such an identifier.
pub const IDENTIFIER_REGEX_CHARS_MAX: usize = 200;
/// Most memory of such a pattern when it is compiled.
pub const COMPILED_IDENTIFIER_BYTES_MAX: usize = 1 << 20;
/// Messages to people and devices that are kept to be looked at; the oldest go first.
pub const OUTBOX_MESSAGES_MAX: usize = 10_000;
/// Longest name of a stream, a shard or a consumer.
pub const STREAM_NAME_CHARS_MAX: usize = 128;
/// Largest data blob of a record: what AWS's model allows; a stream may take less.
pub const RECORD_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Most records of one PutRecords.
pub const PUT_RECORDS_MAX: usize = 500;
/// Most bytes of data and partition keys of one PutRecords.
pub const PUT_RECORDS_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Largest buffer of decoded data that a thread keeps for its next PutRecords.
pub const DECODED_BYTES_KEPT: usize = 2 * 1024 * 1024;
/// Most bytes of data and partition keys of one event of a subscription; one record is always told.
pub const SUBSCRIPTION_EVENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How long a subscription lasts at most, in milliseconds (AWS: five minutes).
pub const SUBSCRIPTION_LIFETIME: u64 = 300_000;
/// How old a subscription has to be before another one takes it over, in milliseconds.
pub const SUBSCRIPTION_TAKE_OVER_MIN: u64 = 5_000;
/// The longest time between two events of a subscription: clients give up after 30 seconds.
pub const SUBSCRIPTION_HEARTBEAT: std::time::Duration = std::time::Duration::from_secs(5);
/// Bytes of events after which a stream ends that a caller in this process gets at once.
pub const GATHERED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most records of one GetRecords.
pub const GET_RECORDS_MAX: i64 = 10_000;
/// Most records that one receive from a queue of a stream returns, and the default.
pub const QUEUE_RECORDS_MAX: i64 = 10;
/// Most entries of a request about records of such a queue.
pub const QUEUE_ENTRIES_MAX: usize = 10;
/// The longest wait of a receive from such a queue.
pub const QUEUE_WAIT_SECONDS: i64 = 20;
/// The longest visibility timeout of such a queue: 12 hours.
pub const QUEUE_VISIBILITY_SECONDS: i64 = 43_200;
/// Longest receipt handle of such a queue.
pub const RECEIPT_CHARS_MAX: usize = 1_024;
/// Longest resource name.
pub const ARN_CHARS_MAX: usize = 2_048;
/// Longest shard iterator.
pub const SHARD_ITERATOR_CHARS_MAX: usize = 512;
/// The range of explicit hash keys, as messages tell it.
pub const HASH_KEY_RANGE: &str = "[0, 2^128-1]";
/// What the sizes of requests are told in.
pub const MIB: usize = 1 << 20;
/// Longest sequence number, in digits.
pub const SEQUENCE_CHARS_MAX: usize = 129;
/// Longest explicit hash key, in digits.
pub const HASH_KEY_CHARS_MAX: usize = 39;
/// Most bytes of data and partition keys of one answer of GetRecords; one record is always told.
pub const GET_RECORDS_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Largest object that is put in one piece, and largest part (AWS: 5 GiB).
pub const OBJECT_BYTES_MAX: u64 = 5 << 30;
/// Largest document of an S3 request: ten thousand parts, or a thousand keys (AWS has no number).
pub const S3_DOCUMENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most metadata of an object, in bytes of names and values.
pub const METADATA_BYTES_MAX: usize = 2_048;
/// Most tags of an object, and of a bucket.
pub const OBJECT_TAGS_MAX: usize = 10;
/// See above.
pub const BUCKET_TAGS_MAX: usize = 50;
/// Longest key and value of a tag, in characters.
pub const TAG_KEY_CHARS_MAX: usize = 128;
/// See above.
pub const TAG_VALUE_CHARS_MAX: usize = 256;
/// Most keys of a page of a list, and of one DeleteObjects.
pub const LIST_KEYS_MAX: usize = 1_000;
/// See above.
pub const DELETE_KEYS_MAX: usize = 1_000;
/// Most buckets of a page of a list.
pub const LIST_BUCKETS_MAX: usize = 10_000;
/// Longest line of a body in chunks, and longest chunk: its signature is checked at its end only.
pub const CHUNK_LINE_BYTES_MAX: usize = 4 * 1024;
/// See above.
pub const CHUNK_BYTES_MAX: u64 = 1 << 30;
/// Bytes of an object that are read at once.
pub const OBJECT_PIECE_BYTES: usize = 256 * 1024;
/// How long a poll for a task waits (SWF: a minute).
pub const SWF_POLL_WAIT_MAX: u64 = 60_000;
/// Most events of a page of a history.
pub const SWF_PAGE_MAX: u64 = 1_000;
/// Longest name of a domain, a task list or a worker, and longest workflow id.
pub const SWF_NAME_CHARS_MAX: usize = 256;
/// Longest name of an execution of a state machine.
pub const STATES_NAME_CHARS_MAX: usize = 80;
/// Longest input of one.
pub const STATES_PAYLOAD_BYTES_MAX: usize = 256 * 1024;
/// Longest id of a run.
pub const SWF_RUN_ID_CHARS_MAX: usize = 64;
/// Longest token of a page.
pub const SWF_PAGE_TOKEN_CHARS_MAX: usize = 2_048;
/// Largest message of a WebSocket API, in either direction (AWS: 128 KB).
pub const SOCKET_MESSAGE_BYTES_MAX: usize = 128 * 1024;
/// Largest frame that a client of a WebSocket API sends; longer messages come in several (AWS).
pub const SOCKET_FRAME_BYTES_MAX: usize = 32 * 1024;
/// How long nothing may come or go on a connection to a WebSocket API, in milliseconds (AWS: ten
/// minutes).
pub const SOCKET_IDLE_MAX: u64 = 600_000;
/// How long such a connection lasts at most, in milliseconds (AWS: two hours).
pub const SOCKET_LIFETIME: u64 = 7_200_000;
