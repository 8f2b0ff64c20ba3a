/*
 * Orders through a FIFO queue, from C: send, receive, delete what went well, release what did not,
 * and find it in the dead-letter queue.
 *
 *   cc -std=c99 orders.c -o orders \
 *      -I "$(python -c 'from trunkline import capi; print(capi.include_dir())')" \
 *      "$(python -c 'from trunkline import capi; print(capi.library_path())')"
 *   ./orders orders-data
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trunkline.h"

#define DELIVERIES_MAX 2

/* Ends the program if a call failed; the library says in words what went wrong. */
static void check(trunkline_status status, const char *what)
{
    if (status != TRUNKLINE_OK) {
        fprintf(stderr, "%s: %s: %s\n", what, trunkline_status_name(status),
                trunkline_last_error_message());
        exit(1);
    }
}

static void send_order(trunkline_queue *orders, const char *customer, const char *order)
{
    trunkline_send_options how = TRUNKLINE_SEND_OPTIONS_INIT;
    trunkline_sent sent = TRUNKLINE_SENT_INIT;

    how.group = customer;
    check(trunkline_send(orders, order, strlen(order), &how, &sent), "send");
    printf("sent %s as %s\n", order, sent.sequence_number);
}

/* What the shop cannot do. */
static int is_impossible(const trunkline_message *message)
{
    return strstr(message->body, "unicorn") != NULL;
}

/* Works until nothing is left. */
static void work(trunkline_queue *orders)
{
    trunkline_receive_options how = TRUNKLINE_RECEIVE_OPTIONS_INIT;
    trunkline_messages messages;
    size_t i;

    how.max = 10;
    for (;;) {
        check(trunkline_receive(orders, &how, &messages), "receive");
        if (messages.count == 0)
            break;
        for (i = 0; i < messages.count; i++) {
            const trunkline_message *message = messages.items[i];

            if (is_impossible(message)) {
                printf("cannot make %s\n", (const char *)message->body);
                check(trunkline_release(orders, message->receipt), "release");
            } else {
                printf("made %s for %s\n", (const char *)message->body, message->group);
                check(trunkline_delete(orders, message->receipt), "delete");
            }
        }
        trunkline_messages_free(&messages);
    }
}

/* The queue, created when the program runs for the first time. */
static void open_queue(trunkline_engine *engine, const char *name,
                       const trunkline_queue_options *options, trunkline_queue **queue)
{
    trunkline_status status = trunkline_queue_find(engine, name, queue);

    if (status == TRUNKLINE_QUEUE_DOES_NOT_EXIST) {
        status = trunkline_queue_create(engine, name, options, queue);
    }
    check(status, name);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : NULL;
    trunkline_engine *engine;
    trunkline_queue *orders, *dead;
    trunkline_queue_options options = TRUNKLINE_QUEUE_OPTIONS_INIT;
    trunkline_statistics left = TRUNKLINE_STATISTICS_INIT;

    check(trunkline_open(path, TRUNKLINE_DURABILITY_DEFAULT, NULL, &engine), "open");
    open_queue(engine, "dead-orders.fifo", NULL, &dead);
    options.content_based_dedup = 1;
    options.dead_letter = "dead-orders.fifo";
    options.max_receive_count = DELIVERIES_MAX;
    open_queue(engine, "orders.fifo", &options, &orders);

    send_order(orders, "ada", "espresso");
    send_order(orders, "bob", "unicorn milk");
    send_order(orders, "ada", "cappuccino");
    work(orders);

    check(trunkline_get_statistics(dead, &left), "statistics");
    printf("dead letters: %d\n", (int)left.visible);

    trunkline_queue_free(orders);
    trunkline_queue_free(dead);
    check(trunkline_close(engine), "close");
    return 0;
}
