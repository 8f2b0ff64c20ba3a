"""Amazon Kinesis Data Streams: streams, their consumers, queues and channels."""
