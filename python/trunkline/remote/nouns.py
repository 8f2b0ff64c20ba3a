"""What works over a connection: one table for both of its ends.

The client makes a method or a property of each name, and the server answers no other. What a kind
has in the process and not here is refused with its reason; ``tests/wire/test_connect_parity.py``
holds the table against the classes themselves.
"""

from __future__ import annotations

from trunkline._dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_FILES = "it writes files, which lie on the server's machine; use the command trunkline there"
_TICKET = "a call over a connection waits for its answer; use send()"
_RENAMED = "it is an old name"


@dataclass(frozen=True)
class Noun:
    """A kind of resource: where its class is, and which of its names are asked of the server."""

    of: str
    verbs: tuple[str, ...]
    facts: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NOUNS: dict[str, Noun] = {
    "engine": Noun(
        "trunkline.engine:Engine",
        _words(
            "queue queues topic topics bus buses stream streams machine machines schedule "
            "schedules bucket buckets function functions event_source delivery_stream "
            "delivery_streams api apis "
            "send_task_success send_task_failure send_task_heartbeat flush"
        ),
        ("durability",),
        {
            "clock": "the clock is the server's; move it with `trunkline advance --at URL`",
            "faults": "they are the server's; set them with `trunkline faults --at URL`",
            "trace": "ask for it with `trunkline trace ID --at URL`",
            "tracing": "it is the server's; start it with `trunkline serve --trace`",
            "fork": "the copy would be in the server's process; take a snapshot",
            "snapshot": _FILES,
            "watch_folder": "the folder is on the server's machine; watch it in that process",
        },
    ),
    "queue": Noun(
        "trunkline.queues.queue:Queue",
        _words(
            "send delete extend send_batch peek purge remove configure settings statistics "
            "dead_letter_sources start_redrive redrive_message redrive_tasks delete_batch "
            "extend_batch"
        ),
        refused={"send_nowait": _TICKET, "start_move": _RENAMED, "moves": _RENAMED},
    ),
    "redrive-task": Noun(
        "trunkline.queues.redrive:RedriveTask",
        _words("cancel as_dict"),
        _words("status moved total failure"),
    ),
    "topic": Noun(
        "trunkline.topics.topic:Topic",
        _words(
            "publish publish_batch subscribe subscriptions settings configure archive statistics "
            "remove"
        ),
        _words("arn fifo created_at"),
    ),
    "subscription": Noun(
        "trunkline.topics.subscription:Subscription",
        _words("configure replay remove"),
        _words("arn name target raw filter filter_scope dead_letter current_replay"),
    ),
    "topic-replay": Noun(
        "trunkline.topics.replay:TopicReplay", ("stop",), _words("status replayed failure")
    ),
    "bus": Noun(
        "trunkline.buses.bus:Bus",
        _words("put put_batch rule rules explain archive archives statistics remove"),
        ("created_at",),
    ),
    "rule": Noun(
        "trunkline.buses.rule:Rule",
        _words("enable disable add_target remove_target targets statistics remove"),
        _words("pattern enabled"),
    ),
    "archive": Noun(
        "trunkline.buses.archive:Archive",
        _words("replay replays remove"),
        _words("pattern retention events created_at"),
    ),
    "replay": Noun(
        "trunkline.buses.archive:Replay", ("cancel",), _words("name status replayed failure")
    ),
    "stream": Noun(
        "trunkline.streams.stream:Stream",
        _words(
            "put put_batch read readers remove_reader shards split merge resize configure "
            "statistics remove reader"
        ),
        ("retention",),
        {
            "to_parquet": "it writes a file from the journal; read() the records, or open the "
            "folder",
            "write_arrow": "its tables lie in memory; put_batch() the rows",
        },
    ),
    "reader": Noun("trunkline.streams.reader:Reader", _words("fetch commit close")),
    "machine": Noun(
        "trunkline.machines.machine:StateMachine",
        _words("start run execution executions remove"),
        ("arn",),
    ),
    "execution": Noun(
        "trunkline.machines.machine:Execution",
        _words("history stop redrive"),
        _words("arn status input output error cause"),
    ),
    "schedule": Noun(
        "trunkline.schedules.schedule:Schedule",
        _words("settings statistics next configure pause resume remove"),
    ),
    "bucket": Noun(
        "trunkline.buckets.bucket:Bucket",
        _words("head list copy delete configure statistics remove"),
        _words("arn account region created_at versioned"),
    ),
    "function": Noun(
        "trunkline.functions.function:Function",
        _words("invoke invoke_async settings statistics failures remove"),
        ("arn",),
    ),
    "event-source": Noun(
        "trunkline.functions.source:EventSource",
        _words("settings enable disable remove"),
        ("enabled",),
    ),
    "delivery-stream": Noun(
        "trunkline.delivery_streams.delivery_stream:DeliveryStream",
        _words("put put_batch flush settings statistics remove"),
        ("arn",),
    ),
    "api": Noun(
        "trunkline.apis.api:Api",
        _words("route routes request remove"),
        _words("id path"),
        {"serve": "the server serves it: its address is the server's and `path`"},
    ),
}
"""Every kind by its name. Names that are not here are made by the client itself, such as `name`."""
