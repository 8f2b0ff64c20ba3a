"""Verbs that send and show messages and events."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from trunkline.cli.backend import add_at, given, open_at
from trunkline.cli.errors import UsageError
from trunkline.cli.output import is_json, line, rows
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

COLUMNS = ("sent_at", "message_id", "receive_count", "group", "body")


def _show(options: argparse.Namespace, found: list[dict[str, Any]]) -> None:
    # Messages of a standard queue seldom have a group.
    has_group = any("group" in one for one in found)
    found = found if is_json(options) else [one | {"body": _shown(one)} for one in found]
    rows(options, found, [name for name in COLUMNS if has_group or name != "group"])


def _shown(message: dict[str, Any]) -> str:
    return str(message.get("body", message.get("body_base64")))


def _body(parser: argparse.ArgumentParser, what: str) -> None:
    help = f"{what}; @FILE reads a file, and - the standard input"
    parser.add_argument("body", metavar="BODY", help=help)


def _read(text: str) -> bytes:
    if text == "-":
        return sys.stdin.buffer.read()
    if text.startswith("@"):
        try:
            return Path(text[1:]).read_bytes()
        except OSError as error:
            raise InvalidParameterValue(f"{text[1:]}: {error.strerror}.") from error
    return text.encode(errors="surrogateescape")


def _attributes(given: list[str]) -> dict[str, str] | None:
    found = {}
    for one in given:
        name, separator, value = one.partition("=")
        if not separator:
            text = f"--attribute {one!r} is not NAME=VALUE."
            raise UsageError("InvalidParameterValue", text)
        found[name] = value
    return found or None


def _fifo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--group", help="FIFO: the group of the message")
    parser.add_argument("--dedup-id", help="FIFO: the deduplication id")
    attribute = "an attribute of type String; may be given several times"
    parser.add_argument(
        "--attribute", action="append", default=[], metavar="NAME=VALUE", help=attribute
    )


def send(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("queue", metavar="QUEUE", help="the name of the queue")
    _body(parser, "the body of the message")
    _fifo(parser)
    parser.add_argument("--delay", type=float, help="seconds until it may be received")
    parser.add_argument("--create", action="store_true", help="create the queue if need be")
    add_at(parser)
    parser.set_defaults(run=_send)


def _send(options: argparse.Namespace) -> int:
    from trunkline.queues.rows import content

    arguments = given(options, "queue", "group", "dedup_id", "delay")
    arguments |= content(_read(options.body))
    attributes = _attributes(options.attribute)
    if attributes is not None:
        arguments["attributes"] = attributes
    if options.create:
        arguments["create"] = True
    with open_at(options, writes=True) as at:
        return _tell(options, at.call("send", **arguments))


def _tell(options: argparse.Namespace, answer: dict[str, Any]) -> int:
    """Prints a small answer: as JSON, or its values alone."""
    if is_json(options):
        line(answer)
    else:
        print(" ".join(str(value) for value in answer.values()))
    return 0


def publish(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("topic", metavar="TOPIC", help="the name of the topic")
    _body(parser, "the message")
    parser.add_argument("--subject", help="the subject, for mails")
    _fifo(parser)
    add_at(parser)
    parser.set_defaults(run=_publish)


def _publish(options: argparse.Namespace) -> int:
    from trunkline.queues.rows import content

    arguments = given(options, "topic", "subject", "group", "dedup_id")
    arguments |= content(_read(options.body))
    attributes = _attributes(options.attribute)
    if attributes is not None:
        arguments["attributes"] = attributes
    with open_at(options, writes=True) as at:
        return _tell(options, at.call("publish", **arguments))


def put(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    _body(parser, "an event as JSON, or the data of a record")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--bus", default="default", help="the bus (default: %(default)s)")
    where.add_argument("--stream", help="put a record into this stream")
    parser.add_argument("--key", help="the partition key of the record")
    add_at(parser)
    parser.set_defaults(run=_put)


def _put(options: argparse.Namespace) -> int:
    from trunkline.queues.rows import content

    body = _read(options.body)
    with open_at(options, writes=True) as at:
        if options.stream is None:
            try:
                event = json.loads(body)
            except (ValueError, RecursionError) as error:
                raise InvalidParameterValue(f"The event is not JSON: {error}.") from error
            return _tell(options, at.call("put", event=event, **given(options, "bus")))
        if options.key is None:
            raise InvalidParameterValue("A record needs --key, which chooses its shard.")
        arguments = given(options, "stream", "key") | content(body, "data")
        return _tell(options, at.call("put-record", **arguments))


def peek(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("queue", metavar="QUEUE", help="the name of the queue")
    parser.add_argument("--max", type=int, default=10, help="how many (default: %(default)s)")
    parser.add_argument("--search", metavar="TEXT", help="those with this in body or attributes")
    parser.add_argument("--in-flight", action="store_true", help="show leased messages, too")
    add_at(parser)
    parser.set_defaults(run=_peek)


def _peek(options: argparse.Namespace) -> int:
    arguments = given(options, "queue", "max", "search")
    arguments["include_in_flight"] = options.in_flight
    with open_at(options) as at:
        _show(options, at.call("peek", **arguments)["messages"])
    return 0


def receive(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("queue", metavar="QUEUE", help="the name of the queue")
    parser.add_argument("--max", type=int, default=1, help="how many (default: %(default)s)")
    parser.add_argument("--wait", type=float, default=0, help="seconds to wait, 20 at most")
    lease = "seconds of the lease (default: the queue's)"
    parser.add_argument("--visibility-timeout", type=float, metavar="SECONDS", help=lease)
    parser.add_argument("--delete", action="store_true", help="delete what was received")
    add_at(parser)
    parser.set_defaults(run=_receive)


def _receive(options: argparse.Namespace) -> int:
    arguments = given(options, "queue", "max", "wait", "visibility_timeout", "delete")
    with open_at(options, writes=True) as at:
        _show(options, at.call("receive", **arguments)["messages"])
    return 0


def purge(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("queue", metavar="QUEUE", help="the name of the queue")
    add_at(parser)
    parser.set_defaults(run=_purge)


def _purge(options: argparse.Namespace) -> int:
    with open_at(options, writes=True) as at:
        return _tell(options, at.call("purge", **given(options, "queue")))
