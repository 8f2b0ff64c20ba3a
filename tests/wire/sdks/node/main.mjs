// What a program with the AWS SDK for JavaScript does, as its guides write it. The client is told
// nothing but the four AWS_ variables. Prints one JSON document; tests/wire/test_sdks.py reads it.

import { setTimeout as sleep } from "node:timers/promises";

import {
  EventBridgeClient, PutEventsCommand, PutRuleCommand, PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import {
  CreateStreamCommand, GetRecordsCommand, GetShardIteratorCommand, KinesisClient,
  ListShardsCommand, PutRecordsCommand, waitUntilStreamExists,
} from "@aws-sdk/client-kinesis";
import {
  CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client,
} from "@aws-sdk/client-s3";
import {
  CreateStateMachineCommand, DescribeExecutionCommand, SFNClient, StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand, DeleteMessageBatchCommand, GetQueueAttributesCommand, GetQueueUrlCommand,
  ReceiveMessageCommand, SQSClient,
} from "@aws-sdk/client-sqs";

const sqs = new SQSClient();
const sns = new SNSClient();

async function makeQueue(name) {
  const { QueueUrl: url } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const asked = { QueueUrl: url, AttributeNames: ["QueueArn"] };
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand(asked));
  return { url, arn: Attributes.QueueArn };
}

async function take(queue, count) {
  const bodies = [];
  while (bodies.length < count) {
    const asked = { QueueUrl: queue.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 };
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(asked));
    if (Messages.length === 0) break;
    bodies.push(...Messages.map((message) => message.Body));
    const entries = Messages.map((one, id) => ({ Id: `${id}`, ReceiptHandle: one.ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queue.url, Entries: entries }));
  }
  return bodies.sort();
}

async function fanOut() {
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "orders" }));
  const queues = [];
  for (const name of ["billing", "shipping", "books"]) {
    const queue = await makeQueue(name);
    const attributes = { RawMessageDelivery: "true" };
    if (name === "books") attributes.FilterPolicy = JSON.stringify({ kind: ["book"] });
    await sns.send(new SubscribeCommand({
      TopicArn, Protocol: "sqs", Endpoint: queue.arn, Attributes: attributes,
    }));
    queues.push(queue);
  }
  for (const kind of ["book", "tea"]) {
    await sns.send(new PublishCommand({
      TopicArn,
      Message: `one ${kind}`,
      MessageAttributes: { kind: { DataType: "String", StringValue: kind } },
    }));
  }
  return [await take(queues[0], 2), await take(queues[1], 2), await take(queues[2], 1)];
}

async function publishForEachProtocol() {
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "news" }));
  const queue = await makeQueue("readers");
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queue.arn }));
  await sns.send(new PublishCommand({
    TopicArn,
    Subject: "today",
    MessageStructure: "json",
    Message: JSON.stringify({ default: "to all", sqs: "to queues" }),
    MessageAttributes: { price: { DataType: "Number", StringValue: "12.5" } },
  }));
  const { Type, Subject, Message, MessageAttributes } = JSON.parse((await take(queue, 1))[0]);
  return { Type, Subject, Message, MessageAttributes };
}

async function putEvents() {
  const events = new EventBridgeClient();
  const queue = await makeQueue("placed");
  const pattern = { source: ["shop"], "detail-type": ["OrderPlaced"] };
  await events.send(new PutRuleCommand({ Name: "placed", EventPattern: JSON.stringify(pattern) }));
  await events.send(new PutTargetsCommand({
    Rule: "placed", Targets: [{ Id: "queue", Arn: queue.arn }],
  }));
  const entries = ["OrderPlaced", "OrderPaid"].map((type) => ({
    Source: "shop", DetailType: type, Detail: JSON.stringify({ order: 1 }),
  }));
  const { FailedEntryCount } = await events.send(new PutEventsCommand({ Entries: entries }));
  const found = (await take(queue, 1)).map((body) => JSON.parse(body));
  const shown = found.map((event) => [event.source, event["detail-type"], event.detail]);
  return { FailedEntryCount, found: shown };
}

async function stream() {
  const kinesis = new KinesisClient();
  const StreamName = "clicks";
  await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  await waitUntilStreamExists({ client: kinesis, maxWaitTime: 30 }, { StreamName });
  const records = ["a", "b", "c"].map((text) => ({
    Data: new TextEncoder().encode(text), PartitionKey: "k",
  }));
  const put = await kinesis.send(new PutRecordsCommand({ StreamName, Records: records }));
  const { Shards } = await kinesis.send(new ListShardsCommand({ StreamName }));
  const { ShardIterator } = await kinesis.send(new GetShardIteratorCommand({
    StreamName, ShardId: Shards[0].ShardId, ShardIteratorType: "TRIM_HORIZON",
  }));
  const { Records } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
  const data = Records.map((record) => new TextDecoder().decode(record.Data));
  return { FailedRecordCount: put.FailedRecordCount, data };
}

async function machine() {
  const states = new SFNClient();
  const definition = { StartAt: "Tea", States: { Tea: { Type: "Pass", Result: "hot", End: true } } };
  const { stateMachineArn } = await states.send(new CreateStateMachineCommand({
    name: "tea",
    roleArn: "arn:aws:iam::000000000000:role/states",
    definition: JSON.stringify(definition),
  }));
  const { executionArn } = await states.send(new StartExecutionCommand({ stateMachineArn }));
  for (;;) {
    const asked = new DescribeExecutionCommand({ executionArn });
    const { status, output } = await states.send(asked);
    if (status !== "RUNNING") return { status, output };
    await sleep(20);
  }
}

async function bucket() {
  const s3 = new S3Client();
  const Bucket = "reports";
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "a/1", Body: "one", Metadata: { by: "me" } }));
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: "a/1" }));
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "a/" }));
  const body = await got.Body.transformToString();
  return { body, by: got.Metadata.by, keys: Contents.map((one) => one.Key) };
}

async function errors() {
  const calls = [
    sqs.send(new GetQueueUrlCommand({ QueueName: "absent" })),
    sns.send(new PublishCommand({
      TopicArn: "arn:aws:sns:us-east-1:000000000000:absent", Message: "m",
    })),
    new S3Client().send(new GetObjectCommand({ Bucket: "reports", Key: "absent" })),
  ];
  // Handled from the start: a call that fails before another one is answered would end the program.
  return Promise.all(calls.map((call) => call.then(() => "none", (error) => error.name)));
}

const steps = { fanOut, publishForEachProtocol, putEvents, stream, machine, bucket, errors };
const found = {};
for (const [name, step] of Object.entries(steps)) found[name] = await step();
console.log(JSON.stringify(found));
