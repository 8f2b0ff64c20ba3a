// What a program with the AWS SDK for Go does, as its guides write it. The clients are told nothing
// but the four AWS_ variables. Prints one JSON document; tests/wire/test_sdks.py reads it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

var ctx = context.Background()

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

type queue struct{ url, arn string }

type program struct {
	aws aws.Config
	sqs *sqs.Client
	sns *sns.Client
}

func (p *program) makeQueue(name string) queue {
	made := must(p.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name}))
	asked := &sqs.GetQueueAttributesInput{
		QueueUrl:       made.QueueUrl,
		AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"},
	}
	got := must(p.sqs.GetQueueAttributes(ctx, asked))
	return queue{*made.QueueUrl, got.Attributes["QueueArn"]}
}

func (p *program) take(from queue, count int) []string {
	bodies := []string{}
	for len(bodies) < count {
		got := must(p.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &from.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 5,
		}))
		if len(got.Messages) == 0 {
			break
		}
		entries := []sqstypes.DeleteMessageBatchRequestEntry{}
		for number, message := range got.Messages {
			bodies = append(bodies, *message.Body)
			entries = append(entries, sqstypes.DeleteMessageBatchRequestEntry{
				Id: aws.String(fmt.Sprint(number)), ReceiptHandle: message.ReceiptHandle,
			})
		}
		must(p.sqs.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{
			QueueUrl: &from.url, Entries: entries,
		}))
	}
	sort.Strings(bodies)
	return bodies
}

func (p *program) fanOut() any {
	topic := must(p.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("orders")}))
	queues := []queue{}
	for _, name := range []string{"billing", "shipping", "books"} {
		made := p.makeQueue(name)
		attributes := map[string]string{"RawMessageDelivery": "true"}
		if name == "books" {
			attributes["FilterPolicy"] = `{"kind": ["book"]}`
		}
		must(p.sns.Subscribe(ctx, &sns.SubscribeInput{
			TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: &made.arn,
			Attributes: attributes,
		}))
		queues = append(queues, made)
	}
	for _, kind := range []string{"book", "tea"} {
		must(p.sns.Publish(ctx, &sns.PublishInput{
			TopicArn: topic.TopicArn,
			Message:  aws.String("one " + kind),
			MessageAttributes: map[string]snstypes.MessageAttributeValue{
				"kind": {DataType: aws.String("String"), StringValue: aws.String(kind)},
			},
		}))
	}
	return [][]string{p.take(queues[0], 2), p.take(queues[1], 2), p.take(queues[2], 1)}
}

func (p *program) publishForEachProtocol() any {
	topic := must(p.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("news")}))
	readers := p.makeQueue("readers")
	must(p.sns.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: &readers.arn,
	}))
	must(p.sns.Publish(ctx, &sns.PublishInput{
		TopicArn:         topic.TopicArn,
		Subject:          aws.String("today"),
		MessageStructure: aws.String("json"),
		Message:          aws.String(`{"default": "to all", "sqs": "to queues"}`),
		MessageAttributes: map[string]snstypes.MessageAttributeValue{
			"price": {DataType: aws.String("Number"), StringValue: aws.String("12.5")},
		},
	}))
	var got struct {
		Type, Subject, Message string
		MessageAttributes      map[string]map[string]string
	}
	if err := json.Unmarshal([]byte(p.take(readers, 1)[0]), &got); err != nil {
		log.Fatal(err)
	}
	return got
}

func (p *program) putEvents() any {
	events := eventbridge.NewFromConfig(p.aws)
	placed := p.makeQueue("placed")
	must(events.PutRule(ctx, &eventbridge.PutRuleInput{
		Name:         aws.String("placed"),
		EventPattern: aws.String(`{"source": ["shop"], "detail-type": ["OrderPlaced"]}`),
	}))
	must(events.PutTargets(ctx, &eventbridge.PutTargetsInput{
		Rule:    aws.String("placed"),
		Targets: []eventtypes.Target{{Id: aws.String("queue"), Arn: &placed.arn}},
	}))
	entries := []eventtypes.PutEventsRequestEntry{}
	for _, kind := range []string{"OrderPlaced", "OrderPaid"} {
		entries = append(entries, eventtypes.PutEventsRequestEntry{
			Source: aws.String("shop"), DetailType: &kind, Detail: aws.String(`{"order": 1}`),
		})
	}
	put := must(events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries}))
	found := [][]any{}
	for _, body := range p.take(placed, 1) {
		var event map[string]any
		if err := json.Unmarshal([]byte(body), &event); err != nil {
			log.Fatal(err)
		}
		found = append(found, []any{event["source"], event["detail-type"], event["detail"]})
	}
	return map[string]any{"FailedEntryCount": put.FailedEntryCount, "found": found}
}

func (p *program) stream() any {
	client := kinesis.NewFromConfig(p.aws)
	name := aws.String("clicks")
	must(client.CreateStream(ctx, &kinesis.CreateStreamInput{
		StreamName: name, ShardCount: aws.Int32(1),
	}))
	waiter := kinesis.NewStreamExistsWaiter(client)
	described := &kinesis.DescribeStreamInput{StreamName: name}
	if err := waiter.Wait(ctx, described, 30*time.Second); err != nil {
		log.Fatal(err)
	}
	records := []kinesistypes.PutRecordsRequestEntry{}
	for _, text := range []string{"a", "b", "c"} {
		records = append(records, kinesistypes.PutRecordsRequestEntry{
			Data: []byte(text), PartitionKey: aws.String("k"),
		})
	}
	put := must(client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: name, Records: records}))
	shards := must(client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: name}))
	iterator := must(client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: name, ShardId: shards.Shards[0].ShardId, ShardIteratorType: "TRIM_HORIZON",
	}))
	got := must(client.GetRecords(ctx, &kinesis.GetRecordsInput{
		ShardIterator: iterator.ShardIterator,
	}))
	data := []string{}
	for _, record := range got.Records {
		data = append(data, string(record.Data))
	}
	return map[string]any{"FailedRecordCount": put.FailedRecordCount, "data": data}
}

func (p *program) machine() any {
	states := sfn.NewFromConfig(p.aws)
	made := must(states.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{
		Name:    aws.String("tea"),
		RoleArn: aws.String("arn:aws:iam::000000000000:role/states"),
		Definition: aws.String(
			`{"StartAt": "Tea", "States": {"Tea": {"Type": "Pass", "Result": "hot", "End": true}}}`,
		),
	}))
	started := must(states.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: made.StateMachineArn,
	}))
	for {
		got := must(states.DescribeExecution(ctx, &sfn.DescribeExecutionInput{
			ExecutionArn: started.ExecutionArn,
		}))
		if got.Status != sfntypes.ExecutionStatusRunning {
			return map[string]any{"status": got.Status, "output": got.Output}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (p *program) bucket() any {
	client := s3.NewFromConfig(p.aws)
	bucket, key := aws.String("reports"), aws.String("a/1")
	must(client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))
	must(client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: bucket, Key: key, Body: strings.NewReader("one"),
		Metadata: map[string]string{"by": "me"},
	}))
	got := must(client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key}))
	body := must(io.ReadAll(got.Body))
	listed := must(client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: bucket, Prefix: aws.String("a/"),
	}))
	keys := []string{}
	for _, object := range listed.Contents {
		keys = append(keys, *object.Key)
	}
	return map[string]any{"body": string(body), "by": got.Metadata["by"], "keys": keys}
}

func (p *program) errors() any {
	absent := aws.String("absent")
	_, noQueue := p.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: absent})
	_, noTopic := p.sns.Publish(ctx, &sns.PublishInput{
		TopicArn: aws.String("arn:aws:sns:us-east-1:000000000000:absent"), Message: absent,
	})
	_, noObject := s3.NewFromConfig(p.aws).GetObject(ctx, &s3.GetObjectInput{
		Bucket: aws.String("reports"), Key: absent,
	})
	var typed *sqstypes.QueueDoesNotExist
	names := []string{}
	if errors.As(noQueue, &typed) {
		names = append(names, "QueueDoesNotExist")
	}
	for _, err := range []error{noTopic, noObject} {
		var failed smithy.APIError
		if errors.As(err, &failed) {
			names = append(names, failed.ErrorCode())
		}
	}
	return names
}

func main() {
	loaded := must(config.LoadDefaultConfig(ctx))
	p := &program{loaded, sqs.NewFromConfig(loaded), sns.NewFromConfig(loaded)}
	found := map[string]any{
		"fanOut":                 p.fanOut(),
		"publishForEachProtocol": p.publishForEachProtocol(),
		"putEvents":              p.putEvents(),
		"stream":                 p.stream(),
		"machine":                p.machine(),
		"bucket":                 p.bucket(),
	}
	found["errors"] = p.errors()
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		log.Fatal(err)
	}
}
