"""How functions are kept: one document a function, with its versions, aliases and settings.

A function of the program has a document only once something was set for it over the wire.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from random import random
from uuid import uuid4

from trunkline._dataclasses import dataclass
from trunkline.aws.lambda_.errors import denied, invalid, missing
from trunkline.functions.definition import MEMORY_MB_DEFAULT
from trunkline.functions.names import LATEST, FunctionName, read_arn
from trunkline.functions.registry import functions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call
    from trunkline.functions.active import ActiveFunction

PREFIX = "lambda/functions/"
_BATCH = 100
_PARTIAL = re.compile(
    r"(?:(\d{12}):function:)?([a-zA-Z0-9-_]{1,64})(?::(\$LATEST|[a-zA-Z0-9-_]+))?"
)


@dataclass(slots=True)
class Named:
    """A function that a caller named, and the version or alias that was meant."""

    name: FunctionName
    qualifier: str | None

    @property
    def arn(self) -> str:
        """The ARN with the qualifier."""
        return self.name.arn if self.qualifier is None else f"{self.name.arn}:{self.qualifier}"


def key_of(name: FunctionName) -> str:
    """The key of a function's document."""
    return f"{PREFIX}{name.region}/{name.account}/{name.name}"


def name_of(document: dict[str, Any]) -> FunctionName:
    """The function that a document is of."""
    return FunctionName(document["account"], document["region"], document["name"])


def named(call: Call, text: str, qualifier: str | None = None) -> Named:
    """The function of a name, a partial ARN or an ARN; it is the caller's own."""
    wanted = named_anywhere(call, text, qualifier)
    if wanted.name.account != call.account:
        raise denied(f"The function {wanted.arn} belongs to another account.")
    return wanted


def named_anywhere(call: Call, text: str, qualifier: str | None = None) -> Named:
    """The same for a function that may belong to another account, whose policy is to be asked."""
    found = read_arn(text)
    if found is not None:
        name, own = found
    else:
        parts = _PARTIAL.fullmatch(text)
        if parts is None:
            raise invalid(
                f"The function name {text[:140]!r} is not valid: give a name, a partial ARN or an "
                "ARN."
            )
        name, own = FunctionName(parts[1] or call.account, call.region, parts[2]), parts[3]
    if own is not None and qualifier is not None and own != qualifier:
        raise invalid(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    if name.region != call.region:
        raise missing(
            f"Functions from '{name.region}' are not reachable in this region ('{call.region}')"
        )
    return Named(name, qualifier or own)


def find(call: Call, name: FunctionName) -> dict[str, Any] | None:
    """The document of a function; one of the program without a document gets one made up."""
    document = call.store.get(key_of(name))
    active = functions_of(call.store.core).find(name)
    if document is not None and (not document["program"] or active is not None):
        return document
    return None if active is None else of_program(active)


def read(call: Call, wanted: Named) -> dict[str, Any]:
    """The document of a function that a caller named; raises if there is none."""
    document = find(call, wanted.name)
    if document is None:
        raise missing(f"Function not found: {wanted.arn}")
    return document


def of_program(active: ActiveFunction) -> dict[str, Any]:
    """A function of the program as a document."""
    handler: Any = getattr(active.runtime, "handler", None)
    definition, name = active.definition, active.name
    config = {
        "Runtime": "python3.13",
        "Role": f"arn:aws:iam::{name.account}:role/program",
        "Handler": f"{getattr(handler, '__module__', '')}.{getattr(handler, '__qualname__', '')}",
        "Description": "A function of the program that runs the engine.",
        "Timeout": max(1, definition.timeout // 1_000),
        "MemorySize": definition.memory,
    }
    document = made(name, config, {"Sha256": "", "Size": 0}, 0.0, {})
    document["program"] = True
    document["latest"]["revision"] = str(active.id)
    document["concurrency"] = definition.concurrency
    return document


def made(
    name: FunctionName,
    config: dict[str, Any],
    code: dict[str, Any],
    now: float,
    tags: dict[str, str],
) -> dict[str, Any]:
    """The document of a new function."""
    return {
        "account": name.account,
        "region": name.region,
        "name": name.name,
        "program": False,
        "latest": snapshot(config, code, now),
        "versions": {},
        "next_version": 1,
        "aliases": {},
        "concurrency": None,
        "invoke": {},
        "policy": {},
        "urls": {},
        "tags": tags,
    }


def snapshot(config: dict[str, Any], code: dict[str, Any], now: float) -> dict[str, Any]:
    """Code and configuration at one time."""
    return {"config": config, "code": code, "modified": now, "revision": str(uuid4())}


def version_of(document: dict[str, Any], qualifier: str | None) -> tuple[str, dict[str, Any]]:
    """The version that a qualifier stands for, and its snapshot; raises if there is none."""
    version = qualifier or LATEST
    alias = document["aliases"].get(version)
    if alias is not None:
        version = alias["FunctionVersion"]
    if version == LATEST:
        return version, document["latest"]
    kept = document["versions"].get(version)
    if kept is None:
        raise missing(f"Function not found: {name_of(document).arn}:{qualifier}")
    return version, kept


def version_called(document: dict[str, Any], qualifier: str | None) -> str:
    """The version that a call by a qualifier runs; an alias may share between two."""
    alias = document["aliases"].get(qualifier or "")
    if alias is not None:
        chance = random()
        for version, weight in (
            alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}).items()
        ):
            if chance < weight:
                return str(version)
    return version_of(document, qualifier)[0]


def time_text(at: float) -> str:
    """A time as Lambda writes it.

    >>> time_text(1_000.5)
    '1970-01-01T00:16:40.500+0000'
    """
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "+0000")


def configuration(document: dict[str, Any], version: str, kept: dict[str, Any]) -> dict[str, Any]:
    """A version of a function as all operations tell of it."""
    name = name_of(document)
    config = kept["config"]
    logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name.name}"}
    if config.get("LoggingConfig", {}).get("LogFormat") == "JSON":
        logging |= {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
    told = {
        "FunctionName": name.name,
        "FunctionArn": name.arn if version == LATEST else f"{name.arn}:{version}",
        "Description": "",
        "Timeout": 3,
        "MemorySize": MEMORY_MB_DEFAULT,
        "TracingConfig": {"Mode": "PassThrough"},
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "PackageType": "Zip",
        **config,
        "LoggingConfig": logging | config.get("LoggingConfig", {}),
        "CodeSize": kept["code"]["Size"],
        "CodeSha256": kept["code"]["Sha256"],
        "LastModified": time_text(kept["modified"]),
        "Version": version,
        "RevisionId": kept["revision"],
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }
    told["Layers"] = [{"Arn": arn, "CodeSize": 0} for arn in config.get("Layers", ())] or None
    return told
