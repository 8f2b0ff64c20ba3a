/*
 * Trunkline: queues, topics, event buses and streams with the semantics of Amazon SQS, SNS,
 * EventBridge and Kinesis, in this process, durable on this disk.
 *
 * Generated from core/capi/src; do not edit. C99 and C++.
 *
 * Every function may be called from any thread, on the same handles. Texts are UTF-8 with a closing
 * NUL. Times are in milliseconds. A function that can fail returns a trunkline_status; then
 * trunkline_last_error_message, called on the same thread, tells in words what went wrong. Handles
 * that were given back, and NULL where a value is required, are refused with an error.
 *
 * Structs that you fill in start from their INIT macro, which sets every field to "not given":
 * TRUNKLINE_UNSET for numbers, NULL for pointers. Later versions add fields at the end; a program
 * that was compiled with an older header keeps working.
 */
#ifndef TRUNKLINE_H
#define TRUNKLINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- declarations --- */

/* An open engine. */
typedef struct trunkline_engine trunkline_engine;

/* A queue of an open engine. */
typedef struct trunkline_queue trunkline_queue;

/* A topic of an open engine. */
typedef struct trunkline_topic trunkline_topic;

/* An event bus of an open engine. */
typedef struct trunkline_bus trunkline_bus;

/* A stream of an open engine. */
typedef struct trunkline_stream trunkline_stream;

/*
 * The outcome of a call: 0, or what went wrong. Numbers keep their meaning for ever, and later
 * versions add to them.
 */
typedef enum trunkline_status {
    /* The call did what it says. */
    TRUNKLINE_OK = 0,
    /* No queue has this name, or the queue was removed. */
    TRUNKLINE_QUEUE_DOES_NOT_EXIST = 1,
    /* A queue of this name exists with a different value for an option that was given. */
    TRUNKLINE_QUEUE_NAME_EXISTS = 2,
    /* The name was removed less than 60 seconds ago. */
    TRUNKLINE_QUEUE_DELETED_RECENTLY = 3,
    /* A purge of this queue ran less than 60 seconds ago. */
    TRUNKLINE_PURGE_QUEUE_IN_PROGRESS = 4,
    /* The receipt was not issued by this queue, or is damaged. */
    TRUNKLINE_RECEIPT_HANDLE_IS_INVALID = 5,
    /* A value is outside its range, does not fit this kind of queue, or is not a handle. */
    TRUNKLINE_INVALID_PARAMETER_VALUE = 6,
    /* A pointer or a value that is required is absent. */
    TRUNKLINE_MISSING_PARAMETER = 7,
    /* This option does not exist for this kind of queue. */
    TRUNKLINE_INVALID_ATTRIBUTE_NAME = 8,
    /* An option's value is outside its range. */
    TRUNKLINE_INVALID_ATTRIBUTE_VALUE = 9,
    /* The body holds characters that the queue does not accept. */
    TRUNKLINE_INVALID_MESSAGE_CONTENTS = 10,
    /* A limit is reached. */
    TRUNKLINE_OVER_LIMIT = 11,
    /* The message is not in flight. */
    TRUNKLINE_MESSAGE_NOT_INFLIGHT = 12,
    /* The entries of a batch are larger together than allowed. */
    TRUNKLINE_BATCH_REQUEST_TOO_LONG = 13,
    /* A resource named by an argument does not exist. */
    TRUNKLINE_RESOURCE_NOT_FOUND_EXCEPTION = 14,
    /* The operation does not apply here. */
    TRUNKLINE_UNSUPPORTED_OPERATION = 15,
    /* The engine was closed. */
    TRUNKLINE_ENGINE_CLOSED = 16,
    /* The process was forked after the engine was opened; open a new engine in the child. */
    TRUNKLINE_ENGINE_FORKED = 17,
    /* The engine was opened read-only. */
    TRUNKLINE_ENGINE_READ_ONLY = 18,
    /* An earlier write failed, so nothing more is accepted; reopening replays what is durable. */
    TRUNKLINE_ENGINE_POISONED = 19,
    /* Another process, or another engine of this one, owns the data folder. */
    TRUNKLINE_DATA_FOLDER_IN_USE = 20,
    /* The data folder cannot be used: missing, not a folder, or without permission. */
    TRUNKLINE_DATA_FOLDER_UNUSABLE = 21,
    /* The disk is full. */
    TRUNKLINE_STORAGE_FULL = 22,
    /* The disk or the operating system refused an operation. */
    TRUNKLINE_STORAGE_FAILURE = 23,
    /* The folder holds files that are not Trunkline's. */
    TRUNKLINE_FOREIGN_FORMAT = 24,
    /* The folder was written by a newer version of the format. */
    TRUNKLINE_NEWER_FORMAT = 25,
    /* Bytes that were durable are damaged or missing. */
    TRUNKLINE_CORRUPT_JOURNAL = 26,
    /* A fault that was injected on purpose. */
    TRUNKLINE_INJECTED_FAULT = 27,
    /* A mistake of ours: please report it. */
    TRUNKLINE_INTERNAL_ERROR = 28,
    /* A resource of this name exists with a different value for an option that was given. */
    TRUNKLINE_RESOURCE_IN_USE_EXCEPTION = 29,
    /* Another member of the reader has taken the shard over. */
    TRUNKLINE_LEASE_LOST = 30,
    /* A field of a request is invalid. */
    TRUNKLINE_VALIDATION_EXCEPTION = 31,
    /* A resource of this name exists, or is being changed. */
    TRUNKLINE_CONFLICT_EXCEPTION = 32,
    /* No bucket has this name, or the bucket behind this handle was removed. */
    TRUNKLINE_NO_SUCH_BUCKET = 33,
    /* A bucket that is to be removed has objects or versions. */
    TRUNKLINE_BUCKET_NOT_EMPTY = 34,
    /* The bucket has no object of this key, or the object no version of this id. */
    TRUNKLINE_NO_SUCH_KEY = 35,
    /* The upload was completed or aborted, or never began. */
    TRUNKLINE_NO_SUCH_UPLOAD = 36,
    /* An upload has no such part, or one that is too small. */
    TRUNKLINE_INVALID_PART = 37,
    /* An object is not as the condition of a call says. */
    TRUNKLINE_PRECONDITION_FAILED = 38
} trunkline_status;

/* The value of a number that is not given. */
enum { TRUNKLINE_UNSET = -1 };

/* What "acknowledged" means. */
typedef enum trunkline_durability {
    /*
     * What the place implies: the disk for a folder, memory without one; for a call, what the
     * engine was opened with.
     */
    TRUNKLINE_DURABILITY_DEFAULT = -1,
    /* Applied in memory; the disk follows some time later, if there is a folder. */
    TRUNKLINE_DURABILITY_MEMORY = 0,
    /* Written to the operating system: survives the process, not the machine. */
    TRUNKLINE_DURABILITY_OS = 1,
    /* The disk has it: survives the machine. */
    TRUNKLINE_DURABILITY_DISK = 2
} trunkline_durability;

/* Where a deduplication id has to be unique. */
typedef enum trunkline_dedup_scope {
    /* In the whole queue. */
    TRUNKLINE_DEDUP_SCOPE_QUEUE = 0,
    /* In its message group. */
    TRUNKLINE_DEDUP_SCOPE_GROUP = 1
} trunkline_dedup_scope;

/* How an engine is opened. */
typedef struct trunkline_open_options {
    /* Set by TRUNKLINE_OPEN_OPTIONS_INIT. */
    size_t size;
    /* 1 to look without changing anything. */
    int64_t read_only;
    /* Makes message ids repeatable; NULL for chance. */
    const uint64_t *seed;
    /*
     * The start of a virtual clock, which moves only by trunkline_advance, in milliseconds since
     * 1970; unset to follow the system's time.
     */
    int64_t virtual_start_ms;
    /*
     * 1 if a receive returns only once its leases are as durable as the engine promises, so that no
     * crash forgets them; unset or 0 if it does not wait for the disk.
     */
    int64_t durable_receives;
} trunkline_open_options;

/* The rules of a queue. A new queue gets the value named here for a field that is not set. */
typedef struct trunkline_queue_options {
    /* Set by TRUNKLINE_QUEUE_OPTIONS_INIT. */
    size_t size;
    /* Delay of messages that bring none of their own: 0 to 15 minutes; 0. */
    int64_t delay_ms;
    /* Age at which a message is dropped: 1 minute to 14 days; 4 days. */
    int64_t retention_ms;
    /* Lease of a receive that names none: 0 to 12 hours; 30 seconds. */
    int64_t visibility_ms;
    /* Wait of a receive that names none: 0 to 20 seconds; 0. */
    int64_t receive_wait_ms;
    /* Largest body with its attributes: 1,024 bytes to 1 MiB; 1 MiB. */
    int64_t message_bytes_max;
    /* FIFO: 1 if the SHA-256 of the body stands in for an absent deduplication id; 0. */
    int64_t content_based_dedup;
    /* FIFO: a trunkline_dedup_scope; the queue. */
    int64_t dedup_scope;
    /*
     * The name of the queue for messages that were delivered too often; none. It exists already and
     * is of the same kind.
     */
    const char *dead_letter;
    /* Deliveries after which a message goes there: 1 to 1,000; given together with dead_letter. */
    int64_t max_receive_count;
} trunkline_queue_options;

/* How a message is sent. */
typedef struct trunkline_send_options {
    /* Set by TRUNKLINE_SEND_OPTIONS_INIT. */
    size_t size;
    /* FIFO: the group, required. Standard: the tenant of a fair queue, or NULL. */
    const char *group;
    /* FIFO: what tells a repeated message from a new one, or NULL where the body does. */
    const char *dedup_id;
    /* Standard: how long the message stays invisible, instead of the queue's delay. */
    int64_t delay_ms;
    /* A trunkline_durability that is not above the engine's. */
    int64_t durability;
} trunkline_send_options;

/* How messages are received. */
typedef struct trunkline_receive_options {
    /* Set by TRUNKLINE_RECEIVE_OPTIONS_INIT. */
    size_t size;
    /* At most this many messages; 1. */
    int64_t max;
    /* How long the calling thread waits for the first message; what the queue says. */
    int64_t wait_ms;
    /* How long the messages are leased, 0 to 12 hours; what the queue says. */
    int64_t visibility_ms;
    /* FIFO: repeats the receive that first named this id, or NULL. */
    const char *attempt_id;
} trunkline_receive_options;

/* What a rule of faults says beside its verb and its effect. */
typedef struct trunkline_fault {
    /* Set by TRUNKLINE_FAULT_INIT. */
    size_t size;
    /* The name of the queue that it strikes; NULL for all. */
    const char *queue;
    /* What an error says; "injected". */
    const char *message;
    /* How long a delay lasts, at most an hour; 0. */
    int64_t delay_ms;
    /* How many calls pass first; 0. */
    int64_t after;
    /* How many calls it strikes; unset for all. */
    int64_t times;
} trunkline_fault;

/* A message that was accepted. */
typedef struct trunkline_sent {
    /* Set by TRUNKLINE_SENT_INIT. */
    size_t size;
    /* The id of the message, 36 characters. */
    char message_id[40];
    /* FIFO: 20 digits that grow as text; "" on a standard queue. */
    char sequence_number[24];
    /* 1 if an earlier message stands for this one and nothing was added, else 0. */
    int64_t duplicate;
} trunkline_sent;

/* How a queue stands. */
typedef struct trunkline_statistics {
    /* Set by TRUNKLINE_STATISTICS_INIT. */
    size_t size;
    /* Messages that a receive may deliver, or that wait behind their group. */
    uint64_t visible;
    /* Messages that are leased. */
    uint64_t in_flight;
    /* Messages whose delay has not ended. */
    uint64_t delayed;
    /* FIFO: groups with a leased message. */
    uint64_t groups_in_flight;
    /* The age of the oldest message; -1 if there is none. */
    int64_t oldest_age_ms;
} trunkline_statistics;

/* An attribute of a message. */
typedef struct trunkline_attribute {
    /* Its name. */
    const char *name;
    /* "String", "Number" or "Binary", perhaps with a suffix behind a dot. */
    const char *data_type;
    /* Its value, behind which there is a NUL that does not count. */
    const void *value;
    /* The bytes of its value. */
    size_t value_length;
} trunkline_attribute;

/* A message that was received. Texts that do not apply are NULL. */
typedef struct trunkline_message {
    /* The body as it was sent, behind which there is a NUL that does not count. */
    const void *body;
    /* The bytes of the body. */
    size_t body_length;
    /* The id that the sender got. */
    const char *message_id;
    /* Names this delivery: for trunkline_delete, trunkline_extend and trunkline_release. */
    const char *receipt;
    /* FIFO: 20 digits that grow as text. */
    const char *sequence_number;
    /* The group it was sent with. */
    const char *group;
    /* The deduplication id it was sent with, or the hash that stood in for it. */
    const char *dedup_id;
    /* The name of the queue that gave the message up, if this is a dead letter. */
    const char *dead_letter_source;
    /* Which delivery of the message this is, from 1. */
    uint64_t receive_count;
    /* When it was sent, in milliseconds since 1970. */
    int64_t sent_ms;
    /* When it was first received. */
    int64_t first_received_ms;
    /* Its attributes; NULL if there are none. */
    const trunkline_attribute *attributes;
    /* How many attributes there are. */
    size_t attribute_count;
} trunkline_message;

/* Messages that were received together: items[0] to items[count - 1]. */
typedef struct trunkline_messages {
    /* The messages; NULL if there are none. */
    const trunkline_message *const *items;
    /* How many there are. */
    size_t count;
    /* The library's own. */
    void *owner;
} trunkline_messages;

/* The rules of a topic. A new topic gets the value named here for a field that is not set. */
typedef struct trunkline_topic_options {
    /* Set by TRUNKLINE_TOPIC_OPTIONS_INIT. */
    size_t size;
    /* FIFO: 1 if the SHA-256 of the body stands in for an absent deduplication id; 0. */
    int64_t content_based_dedup;
    /* FIFO: a trunkline_dedup_scope, where QUEUE stands for the whole topic; the whole topic. */
    int64_t dedup_scope;
} trunkline_topic_options;

/* How a queue is subscribed. */
typedef struct trunkline_subscribe_options {
    /* Set by TRUNKLINE_SUBSCRIBE_OPTIONS_INIT. */
    size_t size;
    /* The filter policy as JSON; NULL for every message. */
    const char *filter;
    /* 1 if the filter is matched against the body instead of the attributes; 0. */
    int64_t filters_body;
    /*
     * 0 if messages come in the JSON envelope of Amazon SNS instead of as they were published; 1.
     */
    int64_t raw;
    /* A name of its own, unique in the topic, or NULL. */
    const char *name;
} trunkline_subscribe_options;

/* How a message is published. */
typedef struct trunkline_publish_options {
    /* Set by TRUNKLINE_PUBLISH_OPTIONS_INIT. */
    size_t size;
    /* The subject in envelopes, or NULL. */
    const char *subject;
    /* FIFO: the group, required. Standard: the tenant in fair queues, or NULL. */
    const char *group;
    /* FIFO: what tells a repeated message from a new one, or NULL where the body does. */
    const char *dedup_id;
} trunkline_publish_options;

/* A message that was published. */
typedef struct trunkline_published {
    /* Set by TRUNKLINE_PUBLISHED_INIT. */
    size_t size;
    /* The id of the message, 36 characters. */
    char message_id[40];
    /* FIFO: 20 digits that grow as text; "" for a standard topic. */
    char sequence_number[24];
    /* How many subscriptions it was for. */
    uint64_t matched;
    /* How many of their targets took it. */
    uint64_t delivered;
    /* 1 if an earlier message stands for this one and nothing was added, else 0. */
    int64_t duplicate;
} trunkline_published;

/* What a rule says beside its pattern and its queue. */
typedef struct trunkline_rule_options {
    /* Set by TRUNKLINE_RULE_OPTIONS_INIT. */
    size_t size;
    /* The group of its messages, for a FIFO queue; or NULL. */
    const char *group;
} trunkline_rule_options;

/* An event that was accepted. */
typedef struct trunkline_event_accepted {
    /* Set by TRUNKLINE_EVENT_ACCEPTED_INIT. */
    size_t size;
    /* The id of the event, 36 characters unless it brought its own; a longer one is cut. */
    char event_id[64];
    /* How many rules matched. */
    uint64_t matched;
    /* How many targets took the event. */
    uint64_t delivered;
    /* How many targets took nothing. */
    uint64_t failed;
} trunkline_event_accepted;

/* A record that was read. */
typedef struct trunkline_record {
    /* The data as it was put, behind which there is a NUL that does not count. */
    const void *data;
    /* The bytes of the data. */
    size_t data_length;
    /* Its partition key. */
    const char *key;
    /* The shard it is in. */
    const char *shard;
    /* Its sequence number, which grows within the shard. */
    const char *sequence;
    /* When it was put, in milliseconds since 1970. */
    int64_t time_ms;
} trunkline_record;

/* Records that were read together: items[0] to items[count - 1]. */
typedef struct trunkline_records {
    /* The records; NULL if there are none. */
    const trunkline_record *const *items;
    /* How many there are. */
    size_t count;
    /* The library's own. */
    void *owner;
} trunkline_records;

/* The rules of a stream. A new stream gets the value named here for a field that is not set. */
typedef struct trunkline_stream_options {
    /* Set by TRUNKLINE_STREAM_OPTIONS_INIT. */
    size_t size;
    /* Shards of equal width; 1. */
    int64_t shards;
    /* How long records are kept; a day. */
    int64_t retention_ms;
} trunkline_stream_options;

/* How a record is put. */
typedef struct trunkline_record_options {
    /* Set by TRUNKLINE_RECORD_OPTIONS_INIT. */
    size_t size;
    /* A decimal number below 2^128 that takes the place of the hash of the key, or NULL. */
    const char *hash_key;
    /* A trunkline_durability that is not above the engine's. */
    int64_t durability;
} trunkline_record_options;

/* A record that was put. */
typedef struct trunkline_record_put {
    /* Set by TRUNKLINE_RECORD_PUT_INIT. */
    size_t size;
    /* The shard it is in, such as "shardId-000000000000". */
    char shard[24];
    /* Its sequence number, 56 digits that grow within the shard. */
    char sequence[64];
} trunkline_record_put;

/* What is read of a stream. */
typedef struct trunkline_read_options {
    /* Set by TRUNKLINE_READ_OPTIONS_INIT. */
    size_t size;
    /*
     * The shard; NULL for the one that the sequence number names, or for all of them, in the order
     * of the records' times.
     */
    const char *shard;
    /* "earliest", "latest", or the sequence number of the first record; NULL for "earliest". */
    const char *start;
    /* The sequence number of the last record that was read; goes before start. NULL for none. */
    const char *after;
    /* The time of the first record; goes before start. */
    int64_t start_ms;
    /* At most this many records; 1,000. */
    int64_t max;
    /* How long the calling thread waits for the first record; 0. */
    int64_t wait_ms;
} trunkline_read_options;

/*
 * Opens an engine on the folder `path`, which is created if need be, or in memory if `path` is
 * NULL. `durability` is a trunkline_durability, and says what "acknowledged" means: when a call
 * that changes something returns TRUNKLINE_OK, the change is that durable. `options` may be NULL.
 */
trunkline_status trunkline_open(
    const char *path,
    int32_t durability,
    const trunkline_open_options *options,
    trunkline_engine **engine);

/*
 * Writes everything out, lets go of the folder, and gives the handle back. Receives that wait
 * return TRUNKLINE_ENGINE_CLOSED, and so does every later call on a queue of the engine. A failure
 * tells that the disk refused what it was given last; the engine is closed all the same. NULL is
 * allowed.
 */
trunkline_status trunkline_close(trunkline_engine *engine);

/*
 * Returns when everything that was accepted so far is on disk. Fails after that, with the reason,
 * while disk space cannot be given back and the journal only grows.
 */
trunkline_status trunkline_flush(trunkline_engine *engine);

/*
 * Moves the virtual clock of an engine forward, runs everything that falls due on the way, in
 * order, and wakes who waits for it. Only for an engine that was opened with virtual_start_ms.
 */
trunkline_status trunkline_advance(trunkline_engine *engine, int64_t by_ms);

/*
 * Creates the queue `name`; a name that ends in ".fifo" is a FIFO queue's. A queue that exists
 * already is TRUNKLINE_QUEUE_NAME_EXISTS. `options` may be NULL; those that are not set get their
 * defaults. The handle is given back with trunkline_queue_free.
 */
trunkline_status trunkline_queue_create(
    trunkline_engine *engine,
    const char *name,
    const trunkline_queue_options *options,
    trunkline_queue **queue);

/*
 * Finds the queue `name`; if there is none, that is TRUNKLINE_QUEUE_DOES_NOT_EXIST. The handle is
 * given back with trunkline_queue_free.
 */
trunkline_status trunkline_queue_find(
    trunkline_engine *engine,
    const char *name,
    trunkline_queue **queue);

/*
 * Changes the options of the queue that are set, and no others. A `dead_letter` of "" without a
 * max_receive_count ends dead-lettering.
 */
trunkline_status trunkline_queue_configure(
    trunkline_queue *queue,
    const trunkline_queue_options *options);

/*
 * Gives the handle back; the queue itself stays. NULL, and a handle that was given back, do
 * nothing.
 */
void trunkline_queue_free(trunkline_queue *queue);

/* Removes the queue and everything in it. The handle stays to be given back. */
trunkline_status trunkline_queue_remove(trunkline_queue *queue);

/* Sends a message. `options` may be NULL on a standard queue; `sent` may be NULL. */
trunkline_status trunkline_send(
    trunkline_queue *queue,
    const void *body,
    size_t body_length,
    const trunkline_send_options *options,
    trunkline_sent *sent);

/* Deletes the message that `receipt` names. A message that is gone already is a success. */
trunkline_status trunkline_delete(trunkline_queue *queue, const char *receipt);

/*
 * Lets the lease that `receipt` names end `visibility_ms` from now, at most 12 hours after the
 * receive.
 */
trunkline_status trunkline_extend(
    trunkline_queue *queue,
    const char *receipt,
    int64_t visibility_ms);

/* Ends the lease that `receipt` names, so that the message is visible at once. */
trunkline_status trunkline_release(trunkline_queue *queue, const char *receipt);

/* Deletes every message of the queue, leased and delayed ones too. */
trunkline_status trunkline_purge(trunkline_queue *queue);

/* Tells how the queue stands. Set `statistics` to TRUNKLINE_STATISTICS_INIT first. */
trunkline_status trunkline_get_statistics(trunkline_queue *queue, trunkline_statistics *statistics);

/*
 * Adds a rule of faults. `verb` is "send", "receive", "delete", "extend", which a release is too,
 * or "commit": the wait for the disk that follows each of them, in memory the moment where it would
 * be. `effect` is "error" (the call fails with TRUNKLINE_INJECTED_FAULT before it does anything; a
 * commit fails after), "delay" (it starts later), "duplicate" (a receive leaves its messages
 * visible) or "crash" (the process ends as by a kill). `options` may be NULL.
 */
trunkline_status trunkline_add_fault(
    trunkline_engine *engine,
    const char *verb,
    const char *effect,
    const trunkline_fault *options);

/* Takes every rule of faults back. */
trunkline_status trunkline_clear_faults(trunkline_engine *engine);

/*
 * Leases messages and hands them over in `messages`, none if none came in time. Blocks the calling
 * thread, if at all, for wait_ms. `options` may be NULL. The old content of `messages` is not
 * looked at; whatever the outcome, give it back with trunkline_messages_free.
 */
trunkline_status trunkline_receive(
    trunkline_queue *queue,
    const trunkline_receive_options *options,
    trunkline_messages *messages);

/*
 * Gives the memory of received messages back, and empties `messages`. Their leases are not touched.
 * NULL and empty messages do nothing, so once more does no harm.
 */
void trunkline_messages_free(trunkline_messages *messages);

/*
 * Creates the topic `name`; a name that ends in ".fifo" is a FIFO topic's. A topic that exists
 * already is TRUNKLINE_RESOURCE_IN_USE_EXCEPTION. `options` may be NULL. The handle is given back
 * with trunkline_topic_free.
 */
trunkline_status trunkline_topic_create(
    trunkline_engine *engine,
    const char *name,
    const trunkline_topic_options *options,
    trunkline_topic **topic);

/*
 * Finds the topic `name`; if there is none, that is TRUNKLINE_RESOURCE_NOT_FOUND_EXCEPTION. The
 * handle is given back with trunkline_topic_free.
 */
trunkline_status trunkline_topic_find(
    trunkline_engine *engine,
    const char *name,
    trunkline_topic **topic);

/*
 * Gives the handle back; the topic itself stays. NULL, and a handle that was given back, do
 * nothing.
 */
void trunkline_topic_free(trunkline_topic *topic);

/* Removes the topic and its subscriptions. The handle stays to be given back. */
trunkline_status trunkline_topic_remove(trunkline_topic *topic);

/*
 * Subscribes a queue of the same engine to the topic. A queue that is subscribed in the same way
 * already stays subscribed. `options` may be NULL.
 */
trunkline_status trunkline_subscribe(
    trunkline_topic *topic,
    trunkline_queue *queue,
    const trunkline_subscribe_options *options);

/*
 * Publishes a message to every subscription whose filter lets it pass, in one step: a crash leaves
 * it in all of their queues or in none. `options` may be NULL for a standard topic; `published` may
 * be NULL.
 */
trunkline_status trunkline_publish(
    trunkline_topic *topic,
    const void *body,
    size_t body_length,
    const trunkline_publish_options *options,
    trunkline_published *published);

/*
 * Creates the event bus `name`. A bus that exists already is TRUNKLINE_RESOURCE_IN_USE_EXCEPTION.
 * The handle is given back with trunkline_bus_free.
 */
trunkline_status trunkline_bus_create(
    trunkline_engine *engine,
    const char *name,
    trunkline_bus **bus);

/*
 * Finds the event bus `name`; if there is none, that is TRUNKLINE_RESOURCE_NOT_FOUND_EXCEPTION. The
 * handle is given back with trunkline_bus_free.
 */
trunkline_status trunkline_bus_find(
    trunkline_engine *engine,
    const char *name,
    trunkline_bus **bus);

/*
 * Gives the handle back; the bus itself stays. NULL, and a handle that was given back, do nothing.
 */
void trunkline_bus_free(trunkline_bus *bus);

/* Removes the bus with its rules and archives. The handle stays to be given back. */
trunkline_status trunkline_bus_remove(trunkline_bus *bus);

/*
 * Puts the rule `name`, in the place of one of that name: events that match `pattern`, an event
 * pattern of EventBridge as JSON, go to `queue`, which is of the same engine. `options` may be
 * NULL.
 */
trunkline_status trunkline_rule_put(
    trunkline_bus *bus,
    const char *name,
    const char *pattern,
    trunkline_queue *queue,
    const trunkline_rule_options *options);

/* Removes the rule `name`. */
trunkline_status trunkline_rule_remove(trunkline_bus *bus, const char *name);

/*
 * Puts an event, a JSON object with at least source, detail-type and detail; what else belongs to
 * the envelope of an event (id, time, account, region) is completed. `accepted` may be NULL.
 */
trunkline_status trunkline_event_put(
    trunkline_bus *bus,
    const void *event,
    size_t event_length,
    trunkline_event_accepted *accepted);

/*
 * Creates the stream `name`. A stream that exists already is TRUNKLINE_RESOURCE_IN_USE_EXCEPTION.
 * `options` may be NULL. The handle is given back with trunkline_stream_free.
 */
trunkline_status trunkline_stream_create(
    trunkline_engine *engine,
    const char *name,
    const trunkline_stream_options *options,
    trunkline_stream **stream);

/*
 * Finds the stream `name`; if there is none, that is TRUNKLINE_RESOURCE_NOT_FOUND_EXCEPTION. The
 * handle is given back with trunkline_stream_free.
 */
trunkline_status trunkline_stream_find(
    trunkline_engine *engine,
    const char *name,
    trunkline_stream **stream);

/*
 * Gives the handle back; the stream itself stays. NULL, and a handle that was given back, do
 * nothing.
 */
void trunkline_stream_free(trunkline_stream *stream);

/* Removes the stream with its records and readers. The handle stays to be given back. */
trunkline_status trunkline_stream_remove(trunkline_stream *stream);

/*
 * Puts a record. Records of one partition key go to one shard, in the order in which they are put.
 * `options` and `put` may be NULL.
 */
trunkline_status trunkline_stream_put(
    trunkline_stream *stream,
    const char *key,
    const void *data,
    size_t data_length,
    const trunkline_record_options *options,
    trunkline_record_put *put);

/*
 * Reads records and hands them over in `records`, none if none came in time. Blocks the calling
 * thread, if at all, for wait_ms. Read on with `after`, the sequence number of the last record of
 * the shard. `options` may be NULL. The old content of `records` is not looked at; whatever the
 * outcome, give it back with trunkline_records_free.
 */
trunkline_status trunkline_stream_read(
    trunkline_stream *stream,
    const trunkline_read_options *options,
    trunkline_records *records);

/*
 * Gives the memory of records back, and empties `records`. NULL and empty records do nothing, so
 * once more does no harm.
 */
void trunkline_records_free(trunkline_records *records);

/*
 * The name of the last failure on this thread, such as "QueueDoesNotExist"; "" if there was none.
 * Calls that succeed leave it alone. Valid until the next call on this thread.
 */
const char *trunkline_last_error_code(void);

/*
 * What went wrong at the last failure on this thread, and what to do about it; "" if there was
 * none. Valid until the next call on this thread.
 */
const char *trunkline_last_error_message(void);

/* The name of a status, such as "Ok" or "QueueDoesNotExist"; "Unknown" for any other number. */
const char *trunkline_status_name(int32_t status);

/* The version of the library, such as "1.2.3". */
const char *trunkline_version(void);

/* --- end of declarations --- */

#define TRUNKLINE_OPEN_OPTIONS_INIT \
    {sizeof(trunkline_open_options), \
     TRUNKLINE_UNSET, \
     NULL, \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET}

#define TRUNKLINE_QUEUE_OPTIONS_INIT \
    {sizeof(trunkline_queue_options), \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET, \
     NULL, \
     TRUNKLINE_UNSET}

#define TRUNKLINE_SEND_OPTIONS_INIT \
    {sizeof(trunkline_send_options), \
     NULL, \
     NULL, \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET}

#define TRUNKLINE_RECEIVE_OPTIONS_INIT \
    {sizeof(trunkline_receive_options), \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET, \
     NULL}

#define TRUNKLINE_FAULT_INIT \
    {sizeof(trunkline_fault), \
     NULL, \
     NULL, \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET}

#define TRUNKLINE_SENT_INIT \
    {sizeof(trunkline_sent), \
     {0}, \
     {0}, \
     TRUNKLINE_UNSET}

#define TRUNKLINE_STATISTICS_INIT \
    {sizeof(trunkline_statistics), \
     0, \
     0, \
     0, \
     0, \
     TRUNKLINE_UNSET}

#define TRUNKLINE_TOPIC_OPTIONS_INIT \
    {sizeof(trunkline_topic_options), \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET}

#define TRUNKLINE_SUBSCRIBE_OPTIONS_INIT \
    {sizeof(trunkline_subscribe_options), \
     NULL, \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET, \
     NULL}

#define TRUNKLINE_PUBLISH_OPTIONS_INIT \
    {sizeof(trunkline_publish_options), \
     NULL, \
     NULL, \
     NULL}

#define TRUNKLINE_PUBLISHED_INIT \
    {sizeof(trunkline_published), \
     {0}, \
     {0}, \
     0, \
     0, \
     TRUNKLINE_UNSET}

#define TRUNKLINE_RULE_OPTIONS_INIT \
    {sizeof(trunkline_rule_options), \
     NULL}

#define TRUNKLINE_EVENT_ACCEPTED_INIT \
    {sizeof(trunkline_event_accepted), \
     {0}, \
     0, \
     0, \
     0}

#define TRUNKLINE_STREAM_OPTIONS_INIT \
    {sizeof(trunkline_stream_options), \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET}

#define TRUNKLINE_RECORD_OPTIONS_INIT \
    {sizeof(trunkline_record_options), \
     NULL, \
     TRUNKLINE_UNSET}

#define TRUNKLINE_RECORD_PUT_INIT \
    {sizeof(trunkline_record_put), \
     {0}, \
     {0}}

#define TRUNKLINE_READ_OPTIONS_INIT \
    {sizeof(trunkline_read_options), \
     NULL, \
     NULL, \
     NULL, \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET, \
     TRUNKLINE_UNSET}

#ifdef __cplusplus
}
#endif

#endif
