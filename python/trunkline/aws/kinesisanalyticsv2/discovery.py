"""DiscoverInputSchema: which columns the records of a stream have."""

from __future__ import annotations

import csv
import json
import re

from trunkline.aws.arns import read_resource
from trunkline.aws.kinesisanalyticsv2.configuration import check_stream
from trunkline.aws.kinesisanalyticsv2.errors import invalid, no_schema, unsupported
from trunkline.aws.kinesisanalyticsv2.registry import operations
from trunkline.aws.limits import (
    ANALYTICS_NAME_CHARS_MAX,
    ANALYTICS_SAMPLE_MAX,
    ANALYTICS_SHOWN_MAX,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call

_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?")
_NAME = re.compile(r"\W+")
_INTEGER_MAX = 2**31


def _sample(call: Call, arn: str) -> list[str]:
    found = read_resource(arn)
    assert found is not None, "the stream was checked"
    stream = call.store.core.find_stream((found.account, found.region, found.name))
    if stream is None:
        return []
    texts = []
    for shard in stream.shards():
        batch = stream.read(shard.id, "earliest", None, ANALYTICS_SAMPLE_MAX, 0)
        texts += [record.data.decode("utf-8", "replace") for record in batch]
    return texts[:ANALYTICS_SAMPLE_MAX]


def type_of(values: list[Any]) -> str:
    """The type of the dialect that takes all of these values.

    >>> [type_of(given) for given in ([1, 2], [1, 2.5], ["a"], [True], [1, "a"])]
    ['INTEGER', 'DOUBLE', 'VARCHAR(4)', 'BOOLEAN', 'VARCHAR(4)']
    """
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool) for value in known):
        return "BOOLEAN"
    if known and all(isinstance(value, int) and not isinstance(value, bool) for value in known):
        return "INTEGER" if all(abs(value) < _INTEGER_MAX for value in known) else "BIGINT"
    if known and all(isinstance(value, int | float) for value in known):
        return "DOUBLE"
    texts = [value if isinstance(value, str) else json.dumps(value) for value in known]
    if texts and all(_TIME.fullmatch(text) for text in texts):
        return "TIMESTAMP"
    longest = max((len(text) for text in texts), default=1)
    size = 4
    while size < longest:
        size *= 2
    return f"VARCHAR({size})"


def _paths(value: dict[str, Any], at: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """The values of an object by their paths; those of objects within it too."""
    found: dict[tuple[str, ...], Any] = {}
    for name, inner in value.items():
        if isinstance(inner, dict) and inner:
            found |= _paths(inner, (*at, name))
        else:
            found[(*at, name)] = inner
    return found


def _json(texts: list[str]) -> tuple[dict[str, Any], list[list[str]]] | None:
    try:
        rows = [json.loads(text) for text in texts]
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(row, dict) for row in rows):
        return None
    flat = [_paths(row) for row in rows]
    paths = list(dict.fromkeys(path for row in flat for path in row))
    columns = [
        {
            "Name": _NAME.sub("_", "_".join(path))[:ANALYTICS_NAME_CHARS_MAX] or "COL",
            "Mapping": "$"
            + "".join(f'."{part}"' if _NAME.search(part) else f".{part}" for part in path),
            "SqlType": type_of([row.get(path) for row in flat]),
        }
        for path in paths
    ]
    given = {"JSONMappingParameters": {"RecordRowPath": "$"}}
    format = {"RecordFormatType": "JSON", "MappingParameters": given}
    parsed = [[_shown(row.get(path)) for path in paths] for row in flat]
    return {"RecordFormat": format, "RecordColumns": columns}, parsed


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _csv(texts: list[str]) -> tuple[dict[str, Any], list[list[str]]] | None:
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    for delimiter in (",", "|", "\t", ";"):
        rows = list(csv.reader(lines, delimiter=delimiter))
        if rows and len(rows[0]) > 1 and len({len(row) for row in rows}) == 1:
            break
    else:
        return None
    columns = [
        {"Name": f"COL_{place + 1}", "SqlType": type_of([_value(row[place]) for row in rows])}
        for place in range(len(rows[0]))
    ]
    given = {"RecordRowDelimiter": "\n", "RecordColumnDelimiter": delimiter}
    mapping = {"CSVMappingParameters": given}
    format = {"RecordFormatType": "CSV", "MappingParameters": mapping}
    return {"RecordFormat": format, "RecordColumns": columns}, rows


@operations.add("DiscoverInputSchema")
def discover_input_schema(
    call: Call,
    *,
    service_execution_role: str,
    resource_arn: str | None = None,
    input_starting_position_configuration: Mapping[str, Any] | None = None,
    **foreign: Any,
) -> dict[str, Any]:
    """Looks at the oldest records of a stream, and makes a schema that fits all of them."""
    if foreign:
        raise unsupported("A schema is discovered from a Kinesis stream here: give ResourceARN.")
    if resource_arn is None:
        raise invalid("ResourceARN must be given.")
    check_stream(call, resource_arn)
    texts = _sample(call, resource_arn)
    if not texts:
        raise no_schema(f"The stream {resource_arn} has no records.", [])
    found = _json(texts) or _csv(texts)
    if found is None or not found[0]["RecordColumns"]:
        raise no_schema(
            "The records are neither JSON objects nor rows of CSV.", texts[:ANALYTICS_SHOWN_MAX]
        )
    schema, parsed = found
    return {
        "InputSchema": {**schema, "RecordEncoding": "UTF-8"},
        "ParsedInputRecords": parsed[:ANALYTICS_SHOWN_MAX],
        "ProcessedInputRecords": texts[:ANALYTICS_SHOWN_MAX],
        "RawInputRecords": texts[:ANALYTICS_SHOWN_MAX],
    }
