"""``trunkline tail``: the records of a stream, as they are put."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

from trunkline.errors import ResourceNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

DESCRIPTION = """
Print the records of a stream of a running server, one a line. With --follow it goes on with what is
put from now on, until it is interrupted. Needs boto3: pip install 'trunkline[aws]'.
"""
PAUSE_SECONDS = 0.2
"""Between two looks at shards that had nothing new."""
PAGE = 1_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes.

    >>> parser = argparse.ArgumentParser()
    >>> add_arguments(parser)
    >>> parser.parse_args(["clicks", "--follow"]).follow
    True
    """
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("name", metavar="NAME", help="the name of the stream")
    add("--follow", action="store_true", help="begin at the end, and go on until interrupted")
    add("--all", action="store_true", help="with --follow: begin with the oldest record")
    add("--json", action="store_true", help="print each record as a JSON object")
    url = os.environ.get("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    add("--url", default=url, help="the server (default: %(default)s)")
    add("--region", default="us-east-1", help="the region (default: %(default)s)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print records; return the status to exit with."""
    client = _client(options)
    try:
        for record in _records(client, options):
            print(_line(record, as_json=options.json), flush=True)
    except KeyboardInterrupt:
        return 0
    except client.exceptions.ResourceNotFoundException as error:
        raise ResourceNotFound(error.response["Error"]["Message"]) from None
    return 0


def _client(options: argparse.Namespace) -> Any:
    from trunkline.aws.remote import client_of

    try:
        return client_of("kinesis", options.url, options.region)
    except ImportError:
        print("trunkline: tail needs boto3: pip install 'trunkline[aws]'", file=sys.stderr)
        raise SystemExit(1) from None


def _records(client: Any, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The records of all shards; a shard that ends goes on in its children."""
    kind = "LATEST" if options.follow and not options.all else "TRIM_HORIZON"
    shards = client.list_shards(StreamName=options.name)["Shards"]
    shown = {shard["ShardId"] for shard in shards}
    tokens = {shard: _start(client, options.name, shard, kind) for shard in sorted(shown)}
    while tokens:
        is_idle = True
        for shard, token in list(tokens.items()):
            answer = client.get_records(ShardIterator=token, Limit=PAGE)
            for record in answer["Records"]:
                is_idle = False
                yield record | {"ShardId": shard}
            tokens[shard] = answer.get("NextShardIterator")
            if tokens[shard] is None:
                del tokens[shard]
                for child in answer.get("ChildShards", ()):
                    if child["ShardId"] not in shown:
                        shown.add(child["ShardId"])
                        begin = _start(client, options.name, child["ShardId"], "TRIM_HORIZON")
                        tokens[child["ShardId"]] = begin
            elif not answer["Records"] and not options.follow:
                del tokens[shard]
        if is_idle and tokens:
            time.sleep(PAUSE_SECONDS)


def _start(client: Any, name: str, shard: str, kind: str) -> str:
    answer = client.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType=kind)
    return str(answer["ShardIterator"])


def _line(record: dict[str, Any], *, as_json: bool) -> str:
    moment = record["ApproximateArrivalTimestamp"].isoformat(timespec="milliseconds")
    data = record["Data"].decode("utf-8", "backslashreplace")
    if not as_json:
        return f"{moment} {record['PartitionKey']} {data}"
    return json.dumps(
        {
            "sequence": record["SequenceNumber"],
            "timestamp": moment,
            "key": record["PartitionKey"],
            "data": data,
            "shard": record["ShardId"],
        }
    )
