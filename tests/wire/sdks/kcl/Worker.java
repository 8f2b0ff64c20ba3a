import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.MetricsLevel;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.fanout.FanOutConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * A worker of the Kinesis Client Library: prints one line for each thing that happens to it, as
 * words that spaces divide, checkpoints after every batch, and stops at the end of its input.
 *
 * <p>Arguments: the endpoint of Kinesis, the endpoint of DynamoDB, the stream, the
 * application, the worker's name, and `polling` or `fan-out`.
 */
public final class Worker {
  private static final InitialPositionInStreamExtended START =
      InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);

  public static void main(String[] arguments) throws Exception {
    URI kinesisAt = URI.create(arguments[0]);
    URI storeAt = URI.create(arguments[1]);
    String stream = arguments[2];
    String application = arguments[3];
    String worker = arguments[4];
    boolean polls = arguments[5].equals("polling");

    KinesisAsyncClient kinesis =
        KinesisClientUtil.createKinesisAsyncClient(
            KinesisAsyncClient.builder().endpointOverride(kinesisAt));
    DynamoDbAsyncClient dynamo =
        DynamoDbAsyncClient.builder().endpointOverride(storeAt).build();
    CloudWatchAsyncClient cloudWatch =
        CloudWatchAsyncClient.builder().endpointOverride(storeAt).build();

    ConfigsBuilder configs =
        new ConfigsBuilder(
            new SingleStreamTracker(stream, START),
            application,
            kinesis,
            dynamo,
            cloudWatch,
            worker,
            Processor::new);
    // The client of CloudWatch is never called: metrics are off.
    // Seconds of AWS's defaults become tenths, so that a test need not wait for them.
    Scheduler scheduler =
        new Scheduler(
            configs.checkpointConfig(),
            configs
                .coordinatorConfig()
                .parentShardPollIntervalMillis(200)
                .shardConsumerDispatchPollIntervalMillis(100),
            configs.leaseManagementConfig().failoverTimeMillis(10_000).shardSyncIntervalMillis(1_000),
            configs.lifecycleConfig(),
            configs.metricsConfig().metricsLevel(MetricsLevel.NONE),
            configs.processorConfig(),
            configs
                .retrievalConfig()
                .retrievalSpecificConfig(
                    polls
                        ? new PollingConfig(stream, kinesis).idleTimeBetweenReadsInMillis(200)
                        : new FanOutConfig(kinesis)
                            .streamName(stream)
                            .applicationName(application)));

    Thread thread = new Thread(scheduler, "scheduler");
    thread.setDaemon(true);
    thread.start();
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    while (input.readLine() != null) {}
    boolean graceful = scheduler.startGracefulShutdown().get(60, TimeUnit.SECONDS);
    say("stopped", String.valueOf(graceful));
    System.exit(0);
  }

  private static synchronized void say(String... words) {
    System.out.println(String.join(" ", words));
    System.out.flush();
  }

  /** Prints the records of one shard. */
  private static final class Processor implements ShardRecordProcessor {
    private String shard;

    @Override
    public void initialize(InitializationInput input) {
      shard = input.shardId();
      say("begins", shard, input.extendedSequenceNumber().sequenceNumber());
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
      for (KinesisClientRecord record : input.records()) {
        String data = StandardCharsets.UTF_8.decode(record.data()).toString();
        say("record", shard, record.partitionKey(), data, record.sequenceNumber());
      }
      if (!input.records().isEmpty()) {
        checkpoint(input.checkpointer());
      }
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
      say("lost", shard);
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
      checkpoint(input.checkpointer());
      say("ended", shard);
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
      checkpoint(input.checkpointer());
    }

    private void checkpoint(RecordProcessorCheckpointer checkpointer) {
      try {
        checkpointer.checkpoint();
        say("checkpointed", shard);
      } catch (ShutdownException | InvalidStateException error) {
        say("failed", shard, error.getClass().getSimpleName());
      }
    }
  }
}
