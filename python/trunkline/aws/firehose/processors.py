"""Processors of records: which there are, what each takes, and in which order they work."""

from __future__ import annotations

import base64
import binascii

from trunkline.aws.firehose.errors import invalid
from trunkline.aws.firehose.queries import check_query
from trunkline.aws.limits import (
    FIREHOSE_LAMBDA_MBS,
    FIREHOSE_LAMBDA_RETRIES_RANGE,
    FIREHOSE_LAMBDA_SECONDS,
)
from trunkline.functions.names import read_arn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Parameters = dict[str, str]

_TAKES = {
    "RecordDeAggregation": ("SubRecordType", "Delimiter"),
    "Decompression": ("CompressionFormat",),
    "CloudWatchLogProcessing": ("DataMessageExtraction",),
    "Lambda": (
        *("LambdaArn", "NumberOfRetries", "RoleArn"),
        *("BufferSizeInMBs", "BufferIntervalInSeconds"),
    ),
    "MetadataExtraction": ("MetadataExtractionQuery", "JsonParsingEngine"),
    "AppendDelimiterToRecord": ("Delimiter",),
}
_NEEDS = {
    "RecordDeAggregation": ("SubRecordType",),
    "Lambda": ("LambdaArn",),
    "MetadataExtraction": ("MetadataExtractionQuery", "JsonParsingEngine"),
}


def processors_of(processing: Mapping[str, Any] | None) -> dict[str, Parameters]:
    """The parameters of each processor that works, by its type."""
    if processing is None or not processing.get("Enabled", False):
        return {}
    return {
        one["Type"]: {
            given["ParameterName"]: given["ParameterValue"] for given in one.get("Parameters", ())
        }
        for one in processing.get("Processors", ())
    }


def check_processing(
    processing: Mapping[str, Any] | None, names: Sequence[tuple[str, str]]
) -> None:
    """Raises for processors that cannot work, or do not give the partition keys of a prefix."""
    found = processors_of(processing)
    given = [one["Type"] for one in (processing or {}).get("Processors", ())]
    if len(set(given)) < len(given):
        raise invalid("There can be only one processor of each type.")
    for kind, parameters in found.items():
        foreign = next((name for name in parameters if name not in _TAKES[kind]), None)
        if foreign is not None:
            raise invalid(f"Processor {kind} does not take the parameter {foreign}.")
        lacking = next((name for name in _NEEDS.get(kind, ()) if name not in parameters), None)
        if lacking is not None:
            raise invalid(f"Processor {kind} must have the parameter {lacking}.")
        if kind in _CHECKS:
            _CHECKS[kind](parameters)
    for namespace, kind in (
        ("partitionKeyFromQuery", "MetadataExtraction"),
        ("partitionKeyFromLambda", "Lambda"),
    ):
        if any(name == namespace for name, _ in names) and kind not in found:
            raise invalid(f"Prefix with !{{{namespace}:...}} needs the processor {kind}.")


def _check_lambda(given: Parameters) -> None:
    if read_arn(given["LambdaArn"]) is None:
        raise invalid(f"LambdaArn {given['LambdaArn']} is not in correct format.")
    for name, low, high in (
        ("NumberOfRetries", *FIREHOSE_LAMBDA_RETRIES_RANGE),
        ("BufferSizeInMBs", *FIREHOSE_LAMBDA_MBS),
        ("BufferIntervalInSeconds", *FIREHOSE_LAMBDA_SECONDS),
    ):
        text = given.get(name)
        try:
            fits = text is None or low <= float(text) <= high
        except ValueError:
            fits = False
        if not fits:
            raise invalid(f"{name} {text} is not between {low} and {high}.")


def _check_aggregation(given: Parameters) -> None:
    kind = given["SubRecordType"]
    if kind not in ("JSON", "DELIMITED"):
        raise invalid(f"SubRecordType {kind} is not one of JSON, DELIMITED.")
    if (kind == "DELIMITED") != ("Delimiter" in given):
        raise invalid(
            "Delimiter must be specified for the SubRecordType DELIMITED, and for it alone."
        )
    if kind == "DELIMITED":
        sub_record_delimiter(given)


def sub_record_delimiter(given: Parameters) -> bytes:
    """The delimiter of aggregated records, which is given in Base64."""
    try:
        found = base64.b64decode(given["Delimiter"], validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not found:
        raise invalid("Delimiter of RecordDeAggregation must be text in Base64.")
    return found


def _check_extraction(given: Parameters) -> None:
    if given["JsonParsingEngine"] != "JQ-1.6":
        raise invalid(f"JsonParsingEngine {given['JsonParsingEngine']} is not JQ-1.6.")
    check_query(given["MetadataExtractionQuery"])


def _check_decompression(given: Parameters) -> None:
    if given.get("CompressionFormat", "GZIP") != "GZIP":
        raise invalid("CompressionFormat of Decompression must be GZIP.")


_CHECKS = {
    "Lambda": _check_lambda,
    "RecordDeAggregation": _check_aggregation,
    "MetadataExtraction": _check_extraction,
    "Decompression": _check_decompression,
}
