"""AWS's bounds that no engine's limits raise: they protect the control plane, not the messages."""

from __future__ import annotations

TAGS_MAX = 50
TAG_KEY_CHARS_MAX = 128
TAG_VALUE_CHARS_MAX = 256

POLICY_BYTES_MAX = 8_192
"""The longest policy of a queue."""
POLICY_ACTIONS_MAX = 7
"""The most actions of one statement."""

KMS_REUSE_DEFAULT = "300"
"""The KmsDataKeyReusePeriodSeconds of a queue that names none."""
KMS_REUSE_SECONDS = (60, 86_400)
"""The range of KmsDataKeyReusePeriodSeconds."""

REDRIVE_SOURCES_MAX = 10
"""The most queues that a dead-letter queue names as its sources."""

QUEUES_MAX = 1_000
"""The most queues of one page."""
MOVE_TASKS_MAX = 10
"""The most move tasks of one answer."""

SESSION_SECONDS_DEFAULT = 3_600
"""How long the sessions of a role last."""

EVENTS_PAGE_MAX = 100
"""The most buses, rules, targets and the like of one page of EventBridge."""
RULE_TARGETS_MAX = 5
"""The most targets of one rule."""
BUS_POLICY_BYTES_MAX = 10_240
"""The longest policy of an event bus."""

SCHEDULES_PAGE_MAX = 100
"""The most schedules or groups of one page of EventBridge Scheduler."""
SCHEDULE_RETRY = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
"""The retry policy of a schedule that names none."""
DAY_SECONDS = 86_400
"""The seconds of a day, in which the retention of archives is given."""

INVOCATION_RATE_DEFAULT = 300
"""The InvocationRateLimitPerSecond of an API destination that names none."""
DOCUMENTS_PAGE_MAX = 1_000
"""The most documents that are read at once."""

QUOTE_CHARS_MAX = 128
"""How much of a caller's value an error of SNS quotes."""
TOPIC_NAME_CHARS_MAX = 256
"""The longest name of a topic, or of a platform application."""
SUBSCRIPTION_NAME_BYTES_MAX = 256
"""The longest name by which the engine finds a subscription; others are hashed."""
CONFIRMATION_SECONDS = 172_800
"""How long a token confirms a subscription: two days."""
RETRY_DELAY_SECONDS_DEFAULT = 20
"""Between two attempts at a URL, if no delivery policy says otherwise."""
RETRY_DELAY_SECONDS_MAX = 3_600
"""The longest time between two attempts at a URL."""
RETRIES_MAX = 100
"""How often a delivery to a URL is tried again at most."""
RETRY_AGE_MS_MAX = 3_600_000
"""How old a delivery to a URL may be at most when it is tried again."""
USER_DATA_BYTES_MAX = 2_048
"""The longest CustomUserData of an endpoint."""

SPEND_LIMIT_DEFAULT = "1"
"""The MonthlySpendLimit, in dollars, of an account that set none."""

LOGS_PAGE_MAX = 50
"""The most log groups or log streams of one page."""
LOG_EVENTS_MAX = 10_000
"""The most log events of one page."""
LOG_BATCH_BYTES_MAX = 1_048_576
"""The largest batch of log events; each counts with :data:`LOG_EVENT_BYTES_EXTRA` bytes more."""
LOG_EVENT_BYTES_EXTRA = 26

EVENT_SOURCE_PENDING_SECONDS = 1_209_600.0
"""How long a partner event source may be PENDING."""
API_DESTINATION_MS = 5_000
"""How long an API destination or an authorization endpoint may take."""
OAUTH_ANSWER_BYTES_MAX = 65_536
"""The longest answer of an authorization endpoint."""

OAUTH_UNTIL_REFUSED_SECONDS = 315_360_000.0
"""How long a token is used whose answer does not say when it ends: until an endpoint refuses it."""

PIPES_PAGE_MAX = 100
"""The most pipes of one page."""
PIPE_FILTERS_MAX = 5
"""The most patterns of one filter."""
PIPE_BATCH_DEFAULT = 10
"""The BatchSize of a queue that names none; a larger one needs a batching window."""
PIPE_STREAM_BATCH_DEFAULT = 100
"""The BatchSize of a stream that names none."""
PIPE_ENTRIES_MAX = 10
"""The most messages or events of one call of a target."""
PIPE_RECORDS_MAX = 500
"""The most records of one put into a stream."""
PIPE_ANSWER_BYTES_MAX = 6_291_456
"""The longest answer of an API destination to a pipe."""
PIPE_EXECUTION_SECONDS = 300.0
"""How long a batch may take, its enrichment included."""
PIPE_WAIT_SECONDS = 20
"""How long one long poll of a source takes."""
PIPE_RECEIVE_MAX = 10
"""The most messages of one long poll."""

SCHEMA_CONTENT_CHARS_MAX = 100_000
"""The longest content of a schema that a discoverer writes."""
RULE_NAME_CHARS_MAX = 64
"""The longest name of a rule."""

STATES_PAGE_MAX = 1_000
"""The most items of one page of Step Functions."""
STATES_PAGE_DEFAULT = 100
"""The items of a page of Step Functions that names no number."""
STATE_MACHINE_ALIASES_MAX = 100
"""The most aliases of one state machine."""
STATE_MACHINE_VERSIONS_MAX = 1_000
"""The most versions of one state machine."""
STATES_NAME_CHARS_MAX = 80
"""The longest name of a state machine, an alias, an activity or an execution."""

FUNCTIONS_PAGE_MAX = 50
"""The most functions, versions or aliases of one page."""
CODE_PIECE_BYTES = 262_144
"""How much of an archive of code one document holds."""

ON_DEMAND_SHARDS = 4
"""The shards of a stream that is created on demand."""
KINESIS_PAGE_DEFAULT = 100
"""The streams, shards of a description, or consumers of one page."""
SHARD_ID_CHARS_MAX = 128
"""The longest id of a shard."""
LIST_SHARDS_DEFAULT = 1_000
"""The shards of one page of ListShards."""
KINESIS_TOKEN_SECONDS = 300
"""How long a NextToken of ListShards can be used."""
SHARDS_PER_SCALING_MAX = 10_000
"""The most shards that UpdateShardCount makes."""
CONSUMERS_MAX = 20
"""The most consumers and queues of one stream."""
CONSUMERS_ADVANTAGE_MAX = 50
"""The same for an account that has committed itself to a least throughput."""
CHANNEL_FRESHNESS_SECONDS = 300
"""How old undelivered data of a channel is at most, unless the channel says."""
CHANNEL_OBJECT_BYTES = 67_108_864
"""After so many bytes a channel writes an object before that time."""
CHANNELS_PAGE = 100
"""The most channels of one page, and the default."""
ACCOUNT_CHANNELS = 50
"""The quota of channels that DescribeLimits tells."""
QUEUE_PLACE_BYTES_MAX = 1_024
"""The longest place of a record in a queue of a stream."""
ACCOUNT_SHARDS = 20_000
"""The quota of shards that DescribeLimits tells."""
ON_DEMAND_STREAMS = 50
"""The quota of on-demand streams that DescribeLimits tells."""
HOUR_MS = 3_600_000
"""The milliseconds of an hour, in which the retention of streams is given."""
MIB = 1_048_576
"""The bytes of a MiB, in which buffers are given."""
KIB = 1_024
"""The bytes of a KiB, in which the largest record of a stream is given."""

MAILS_AT_ONCE = 10
"""The most mails that are leased together to be handed to an SMTP server."""
MAIL_LEASE_MS = 120_000
"""For how long an SMTP server may take over a mail."""
S3_PAGE_KEYS_MAX = 1_000
"""The most objects on a page of a list that a task asks for."""
STATES_PAYLOAD_BYTES_MAX = 262_144
"""The longest input or output of an execution."""
STATES_HTTP_TASK_MS = 60_000
"""How long a task waits for the answer of an HTTP API, as on AWS."""
TEMPLATE_CHARS_MAX = 307_200
"""The longest mapping template: 300 KB."""
TEMPLATE_LOOP_MAX = 1_000
"""How often one #foreach of a mapping template runs at most."""
TEMPLATE_STEPS_MAX = 1_000_000
"""The most steps of one mapping template; AWS stops a template by a time that it does not tell."""
TEMPLATE_DEPTH_MAX = 48
"""The most levels of blocks, parentheses and values in values of a mapping template."""
TEMPLATE_OUTPUT_CHARS_MAX = 10_485_760
"""The longest text that a mapping template makes: the largest payload of an API."""
AUTHORIZER_TTL_DEFAULT = 300
"""Seconds for which what an authorizer said is remembered, if it does not say."""
AUTHORIZER_TTL_MAX = 3_600
"""The longest such time."""
CACHE_TTL_DEFAULT = 300
"""Seconds for which a method's answers are cached, if it does not say."""
STAGE_NAME_CHARS_MAX = 128
"""The longest name of a stage of an API."""
API_KEY_CHARS = (20, 128)
"""The length of an API key."""
API_KEY_NAME_CHARS_MAX = 1_024
"""The longest name of an API key."""
API_KEY_DESCRIPTION_CHARS_MAX = 125_000
"""The longest description of an API key."""
API_PAYLOAD_BYTES_MAX = 10_485_760
"""The longest body of a request to a REST API, and of its answer."""
API_BURST_DEFAULT = 5_000
"""Requests at once to all APIs of an account in a region."""
API_RATE_DEFAULT = 10_000
"""Requests a second to all APIs of an account in a region."""
API_ID_CHARS = 10
"""The length of the id of an API."""
FIREHOSE_BUFFER = {"SizeInMBs": 5, "IntervalInSeconds": 300}
"""The buffering of a delivery stream that names none."""
FIREHOSE_CONVERSION_MBS_DEFAULT = 128
"""The SizeInMBs of a destination that converts formats and names none."""
FIREHOSE_PARTITIONED_MBS_MIN = 64
"""The least SizeInMBs with dynamic partitioning or format conversion."""
FIREHOSE_RECORD_BYTES_MAX = 1_024_000
"""The largest record: 1,000 KiB."""
FIREHOSE_BATCH_BYTES_MAX = 4_194_304
"""The most bytes of one PutRecordBatch: 4 MiB."""
FIREHOSE_PREFIX_CHARS_MAX = 512
"""The longest prefix once it is evaluated."""
FIREHOSE_PREFIX_BYTES_MAX = 874
"""The same in bytes: of the 1,024 of a key, 150 are left for the name of the object."""
FIREHOSE_NAME_CHARS_MAX = 150
"""The longest name of an object behind its prefix, in a folder."""
FILE_NAME_BYTES_MAX = 255
"""The longest name of a file or a folder."""
FIREHOSE_LAMBDA_BYTES_MAX = 6_291_456
"""The longest answer of a function that transforms records."""
FIREHOSE_LAMBDA_RETRIES = 3
"""How often a function is called again that failed, if its processor does not say."""
FIREHOSE_LAMBDA_RETRIES_RANGE = (0, 300)
"""The range of NumberOfRetries."""
FIREHOSE_LAMBDA_MBS = (0.2, 3.0)
"""The range of the BufferSizeInMBs of a function."""
FIREHOSE_LAMBDA_SECONDS = (0, 900)
"""The range of the BufferIntervalInSeconds of a function."""
FIREHOSE_DECOMPRESSED_BYTES_MAX = 10_485_760
"""The largest record once it is decompressed: 10 MiB."""
FIREHOSE_RETRY_SECONDS_DEFAULT = 300
"""For how long an endpoint that fails is tried again, if nothing else is said."""
FIREHOSE_ENDPOINT_MS = 180_000
"""How long an endpoint may take to answer: three minutes."""
FIREHOSE_ENDPOINT_ANSWER_BYTES_MAX = 1_048_576
"""The longest answer of an endpoint."""
FIREHOSE_BACKOFF_SECONDS = (5.0, 120.0)
"""Between two attempts at an endpoint: at first, and at most."""
FIREHOSE_LIST_DEFAULT = 10
"""The delivery streams of one page."""
HIVE_DECIMAL = (10, 0)
"""The digits of Hive's decimal that names none, and how many are behind the point."""

STATES_HISTORY_MAX = 25_000
"""The most events of a history."""

SWF_PAGE_MAX = 1_000
"""The most items of one page of SWF."""
SWF_RETENTION_DAYS_MAX = 90
"""The longest time, in days, that executions are kept which have ended."""
SWF_DATA_CHARS_MAX = 32_768
"""The longest result of a task, and the longest details."""
SWF_REASON_CHARS_MAX = 256
"""The longest reason of a failure."""
SWF_LAMBDA_THREADS = 16
"""How many functions are called at once for executions of workflows."""
JQ_BYTES_MAX = 536_870_912
"""The memory of a process that evaluates a query: 512 MiB."""
JQ_START_SECONDS = 60.0
"""How long such a process may take to start."""
JQ_SECONDS = 5.0
"""How long a query may take over one record."""
DEFINITION_BYTES_MAX = 6_291_456
"""The largest definition of an API that is imported: 6 MB."""
HTTP_API_TIMEOUT_MS_MIN = 50
HTTP_API_TIMEOUT_MS_MAX = 30_000
"""How long an integration of an HTTP API may take."""
HTTP_API_BURST_DEFAULT = 5_000
"""The requests that a stage takes at once, if it sets no limit."""
HTTP_API_RATE_DEFAULT = 10_000
"""The requests a second that a stage takes, if it sets no limit."""
JWKS_SECONDS = 300
"""For how long the keys of an issuer of tokens are remembered."""
JWKS_BYTES_MAX = 262_144
"""The largest set of keys of an issuer of tokens."""
LOG_STREAM_CHARS = 32
"""How long the names of the streams of access logs are."""

ANALYTICS_PARTS_MAX = {"inputs": 1, "outputs": 3, "references": 1, "logging": 1}
"""How many of each a SQL application has at most."""
ANALYTICS_LIST_DEFAULT = 50
"""The applications of one page."""
ANALYTICS_SAMPLE_MAX = 100
"""The records that a schema is discovered from."""
ANALYTICS_SHOWN_MAX = 10
"""The records that are told with a schema."""
ANALYTICS_NAME_CHARS_MAX = 256
"""The longest name of a column."""
SOCKET_TIMEOUT_MS_MIN = 50
SOCKET_TIMEOUT_MS_MAX = 29_000
"""How long an integration of a WebSocket API may take."""

# Quotas of an account, of which `account_quotas_percent` of the engine's limits enforces a share.
# What AWS's models say comes before the page of the quotas where they differ.
ACCOUNT_CALLS_A_SECOND = {
    "firehose": {
        "CreateDeliveryStream": 5,
        "DeleteDeliveryStream": 5,
        "DescribeDeliveryStream": 5,
        "ListDeliveryStreams": 5,
        "ListTagsForDeliveryStream": 5,
        "StartDeliveryStreamEncryption": 5,
        "StopDeliveryStreamEncryption": 5,
        "TagDeliveryStream": 5,
        "UntagDeliveryStream": 5,
        "UpdateDestination": 5,
    },
    "kinesis": {
        "AddTagsToStream": 5,
        "CreateChannel": 5,
        "CreateStream": 5,
        "DeleteChannel": 5,
        "DeleteStream": 5,
        "DescribeAccountSettings": 5,
        "DescribeChannel": 5,
        "DescribeLimits": 1,
        "DescribeStream": 10,
        "DescribeStreamSummary": 20,
        "ListChannels": 5,
        "ListStreams": 5,
        "ListTagsForStream": 5,
        "MergeShards": 5,
        "RegisterStreamConsumer": 5,
        "RemoveTagsFromStream": 5,
        "SplitShard": 5,
        "UpdateAccountSettings": 5,
        "UpdateChannel": 5,
        "UpdateShardCount": 10,
        "UpdateStreamWarmThroughput": 5,
    },
}
"""The calls of an operation that an account makes in a region in a second."""
RESOURCE_CALLS_A_SECOND = {
    "kinesis": {
        "DecreaseStreamRetentionPeriod": 5,
        "DeregisterStreamConsumer": 5,
        "DescribeStreamConsumer": 20,
        "DisableEnhancedMonitoring": 5,
        "EnableEnhancedMonitoring": 5,
        "IncreaseStreamRetentionPeriod": 5,
        "ListShards": 1_000,
        "ListStreamConsumers": 5,
        "StartStreamEncryption": 5,
        "StopStreamEncryption": 5,
        "UpdateStreamMode": 5,
    },
}
"""The same for each stream."""
CHANGES_A_DAY = {
    # Starting and stopping count together.
    "firehose": {"DeliveryStreamEncryption": 25},
    "kinesis": {
        "StartStreamEncryption": 25,
        "StopStreamEncryption": 25,
        "UpdateShardCount": 10,
        "UpdateStreamMode": 2,
    },
}
"""The changes of a resource within 24 hours."""
STREAMS_CREATING_MAX = 5
"""The streams of an account that are CREATING at once."""
