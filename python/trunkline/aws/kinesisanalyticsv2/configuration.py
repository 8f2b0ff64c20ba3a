"""The configuration of an application: what is taken, how it is kept, and how it is told."""

from __future__ import annotations

from hashlib import md5

from trunkline.aws.arns import read_resource
from trunkline.aws.kinesisanalyticsv2.errors import bad_code, invalid, unsupported
from trunkline.aws.kinesisanalyticsv2.sql import schema
from trunkline.aws.kinesisanalyticsv2.sql.plan import plan
from trunkline.aws.limits import ANALYTICS_PARTS_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.kinesisanalyticsv2.documents import Document
    from trunkline.aws.kinesisanalyticsv2.sql.code import Code
    from trunkline.aws.kinesisanalyticsv2.sql.plan import Step
    from trunkline.aws.operation import Call

_OUTPUTS = {"KinesisStreamsOutput": "kinesis", "KinesisFirehoseOutput": "firehose"}
_NAMES = {"outputs": "Name", "references": "TableName"}
"""What has to differ among those of one kind."""
_FLINK = (
    "FlinkApplicationConfiguration",
    "EnvironmentProperties",
    "ApplicationSnapshotConfiguration",
    "ApplicationSystemRollbackConfiguration",
    "VpcConfigurations",
    "ZeppelinApplicationConfiguration",
    "ApplicationEncryptionConfiguration",
)


def owned(call: Call, arn: str, service: str) -> None:
    """Refuses a resource name of another service, account or region."""
    found = read_resource(arn)
    if found is None or found.service != service:
        raise invalid(f"{arn} is no resource name of {service}.")
    if found.owner != (call.account, call.region):
        raise invalid(f"{arn} is not of the application's account and region.")


def check_stream(call: Call, arn: str) -> None:
    """Refuses the resource name of a stream that is not there."""
    owned(call, arn, "kinesis")
    found = read_resource(arn)
    name = None if found is None else (found.account, found.region, found.name)
    if name is None or call.store.core.find_stream(name) is None:
        raise invalid(f"The stream {arn} does not exist.")


def check_input(call: Call, given: Mapping[str, Any]) -> None:
    """Refuses an input that cannot be read."""
    if "KinesisFirehoseInput" in given:
        raise invalid("Inputs of Firehose are not served here. There is: KinesisStreamsInput.")
    if "InputProcessingConfiguration" in given:
        raise invalid("InputProcessingConfiguration is not served here.")
    if "KinesisStreamsInput" not in given:
        raise invalid("An input needs KinesisStreamsInput.")
    if given.get("InputParallelism", {}).get("Count", 1) != 1:
        raise invalid("InputParallelism of more than 1 is not served here.")
    check_stream(call, given["KinesisStreamsInput"]["ResourceARN"])
    schema.check(given["InputSchema"])


def check_output(call: Call, given: Mapping[str, Any]) -> None:
    """Refuses an output that nothing can be written to."""
    if "LambdaOutput" in given:
        raise invalid(f"LambdaOutput is not served here. There are: {', '.join(_OUTPUTS)}.")
    chosen = [name for name in _OUTPUTS if name in given]
    if len(chosen) != 1:
        raise invalid(f"An output needs one of {', '.join(_OUTPUTS)}.")
    arn = given[chosen[0]]["ResourceARN"]
    if chosen[0] == "KinesisStreamsOutput":
        check_stream(call, arn)
    else:
        owned(call, arn, "firehose")


def check_reference(given: Mapping[str, Any]) -> None:
    """Refuses reference data that cannot be read."""
    if "S3ReferenceDataSource" not in given:
        raise invalid("Reference data needs S3ReferenceDataSource.")
    missing = [one for one in ("BucketARN", "FileKey") if one not in given["S3ReferenceDataSource"]]
    if missing:
        raise invalid(f"S3ReferenceDataSource needs {missing[0]}.")
    schema.check(given["ReferenceSchema"])


def code_of(given: Mapping[str, Any]) -> str:
    """The text of ApplicationCodeConfiguration."""
    if given["CodeContentType"] != "PLAINTEXT":
        raise invalid("The code of a SQL application is PLAINTEXT.")
    content = given.get("CodeContent", {})
    if "S3ContentLocation" in content or "ZipFileContent" in content:
        raise unsupported("The code of a SQL application is given as TextContent.")
    text: str = content.get("TextContent", "")
    return text


def create(call: Call, document: Document, given: Mapping[str, Any]) -> None:
    """Takes over ApplicationConfiguration."""
    foreign = next((name for name in _FLINK if name in given), None)
    if foreign is not None:
        raise unsupported(f"{foreign} belongs to applications of Flink, which are not served here.")
    sql = given.get("SqlApplicationConfiguration", {})
    document["code"] = code_of(given.get("ApplicationCodeConfiguration", _NO_CODE))
    for one in sql.get("Inputs", ()):
        add(document, "inputs", one)
        check_input(call, one)
    for one in sql.get("Outputs", ()):
        add(document, "outputs", one)
        check_output(call, one)
    for one in sql.get("ReferenceDataSources", ()):
        add(document, "references", one)
        check_reference(one)


_NO_CODE: Mapping[str, Any] = {"CodeContentType": "PLAINTEXT"}


def add(document: Document, kind: str, given: Mapping[str, Any]) -> str:
    """Adds an input, an output, a reference or a log stream; returns its id."""
    known, most = document[kind], ANALYTICS_PARTS_MAX[kind]
    if len(known) >= most:
        raise invalid(f"An application has at most {most} {kind}.")
    name = _NAMES.get(kind)
    if name is not None and any(one[name] == given[name] for one in known):
        raise invalid(f"The application has {given[name]} among its {kind} already.")
    document["ids"] += 1
    id = f"{document['version']}.{document['ids']}"
    known.append({"id": id, **given})
    return id


def compiled(document: Document) -> tuple[Code, list[Step]]:
    """The plan of an application; raises for code that cannot run."""
    inputs = {f"{one['NamePrefix']}_001": one["InputSchema"] for one in document["inputs"]}
    tables = {one["TableName"]: one["ReferenceSchema"] for one in document["references"]}
    return plan(document["code"], inputs, tables)


def check_code(document: Document) -> None:
    """Refuses code that cannot run with the inputs that are there; without one it is only read."""
    if document["code"] and document["inputs"]:
        code, _ = compiled(document)
        for output in document["outputs"]:
            if output["Name"] not in code.streams:
                raise bad_code(f"The output {output['Name']} is no stream of the code.")


def told(document: Document) -> dict[str, Any]:
    """ApplicationConfigurationDescription."""
    text = document["code"].encode()
    content = {
        "TextContent": document["code"],
        "CodeMD5": md5(text, usedforsecurity=False).hexdigest(),
        "CodeSize": len(text),
    }
    return {
        "SqlApplicationConfigurationDescription": {
            "InputDescriptions": inputs_told(document),
            "OutputDescriptions": outputs_told(document),
            "ReferenceDataSourceDescriptions": references_told(document),
        },
        "ApplicationCodeConfigurationDescription": {
            "CodeContentType": "PLAINTEXT",
            "CodeContentDescription": content,
        },
    }


def inputs_told(document: Document) -> list[dict[str, Any]]:
    """InputDescriptions."""
    return [
        {
            "InputId": one["id"],
            "NamePrefix": one["NamePrefix"],
            "InAppStreamNames": [f"{one['NamePrefix']}_001"],
            "KinesisStreamsInputDescription": one["KinesisStreamsInput"],
            "InputSchema": one["InputSchema"],
            "InputParallelism": {"Count": 1},
            "InputStartingPositionConfiguration": {
                "InputStartingPosition": document["positions"].get(one["id"], "NOW")
            },
        }
        for one in document["inputs"]
    ]


def outputs_told(document: Document) -> list[dict[str, Any]]:
    """OutputDescriptions."""
    found = []
    for one in document["outputs"]:
        kind = next(name for name in _OUTPUTS if name in one)
        shown = {"OutputId": one["id"], "Name": one["Name"], f"{kind}Description": one[kind]}
        found.append({**shown, "DestinationSchema": one["DestinationSchema"]})
    return found


def references_told(document: Document) -> list[dict[str, Any]]:
    """ReferenceDataSourceDescriptions."""
    return [
        {
            "ReferenceId": one["id"],
            "TableName": one["TableName"],
            "S3ReferenceDataSourceDescription": one["S3ReferenceDataSource"],
            "ReferenceSchema": one["ReferenceSchema"],
        }
        for one in document["references"]
    ]
