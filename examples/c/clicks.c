/*
 * One topic, one event bus and one stream, from C: a click is put into a stream; what is read from
 * it is published to a topic and put on a bus, and a queue gets both.
 *
 *   cc -std=c99 clicks.c -o clicks \
 *      -I "$(python -c 'from trunkline import capi; print(capi.include_dir())')" \
 *      "$(python -c 'from trunkline import capi; print(capi.library_path())')"
 *   ./clicks
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trunkline.h"

#define CLICK "{\"page\": \"home\"}"
#define EVENT "{\"source\": \"shop\", \"detail-type\": \"Click\", \"detail\": " CLICK "}"

/* Ends the program if a call failed; the library says in words what went wrong. */
static void check(trunkline_status status, const char *what)
{
    if (status != TRUNKLINE_OK) {
        fprintf(stderr, "%s: %s: %s\n", what, trunkline_status_name(status),
                trunkline_last_error_message());
        exit(1);
    }
}

/* Hands a record on. */
static void forward(trunkline_topic *topic, trunkline_bus *bus, const trunkline_record *record)
{
    trunkline_publish_options how = TRUNKLINE_PUBLISH_OPTIONS_INIT;
    trunkline_published published = TRUNKLINE_PUBLISHED_INIT;
    trunkline_event_accepted accepted = TRUNKLINE_EVENT_ACCEPTED_INIT;

    how.subject = record->key;
    check(trunkline_publish(topic, record->data, record->data_length, &how, &published), "publish");
    printf("published to %d\n", (int)published.delivered);
    check(trunkline_event_put(bus, EVENT, strlen(EVENT), &accepted), "put event");
    printf("matched %d\n", (int)accepted.matched);
}

static void show(trunkline_queue *queue)
{
    trunkline_receive_options how = TRUNKLINE_RECEIVE_OPTIONS_INIT;
    trunkline_messages messages;

    how.max = 10;
    check(trunkline_receive(queue, &how, &messages), "receive");
    printf("the queue got %d\n", (int)messages.count);
    trunkline_messages_free(&messages);
}

int main(void)
{
    trunkline_stream_options two = TRUNKLINE_STREAM_OPTIONS_INIT;
    trunkline_subscribe_options pages = TRUNKLINE_SUBSCRIBE_OPTIONS_INIT;
    trunkline_read_options all = TRUNKLINE_READ_OPTIONS_INIT;
    trunkline_record_put put = TRUNKLINE_RECORD_PUT_INIT;
    trunkline_engine *engine;
    trunkline_queue *queue;
    trunkline_topic *topic;
    trunkline_bus *bus;
    trunkline_stream *stream;
    trunkline_records records;
    size_t i;

    check(trunkline_open(NULL, TRUNKLINE_DURABILITY_DEFAULT, NULL, &engine), "open");
    check(trunkline_queue_create(engine, "pages", NULL, &queue), "create queue");
    check(trunkline_topic_create(engine, "clicks", NULL, &topic), "create topic");
    check(trunkline_bus_create(engine, "shop", &bus), "create bus");
    two.shards = 2;
    check(trunkline_stream_create(engine, "clicks", &two, &stream), "create stream");

    pages.filter = "{\"page\": [\"home\"]}";
    pages.filters_body = 1;
    check(trunkline_subscribe(topic, queue, &pages), "subscribe");
    check(trunkline_rule_put(bus, "home", "{\"detail\": {\"page\": [\"home\"]}}", queue, NULL),
          "put rule");

    check(trunkline_stream_put(stream, "user-1", CLICK, strlen(CLICK), NULL, &put), "put");
    printf("put into %s\n", put.shard);
    check(trunkline_stream_read(stream, &all, &records), "read");
    for (i = 0; i < records.count; i++)
        forward(topic, bus, records.items[i]);
    trunkline_records_free(&records);
    show(queue);

    trunkline_stream_free(stream);
    trunkline_bus_free(bus);
    trunkline_topic_free(topic);
    trunkline_queue_free(queue);
    check(trunkline_close(engine), "close");
    return 0;
}
