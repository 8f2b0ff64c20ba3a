"""Stages for the core, which serves what it understands of them without Python.

A kind of APIs compiles its documents to a table (`core/wire/src/gateway/table.rs`). A route that a
table cannot express is None in it, and requests for it come to Python, whole. So does every
request that the core cannot answer plainly. What is compiled here is therefore only what the core
answers exactly as Python would.
"""

from __future__ import annotations

import json
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Piece = dict[str, Any]
    Table = dict[str, Any]

_COMPILERS = {
    "rest": "trunkline.aws.apigateway.front.compiling",
    "http": "trunkline.aws.apigatewayv2.compiling",
}


class NotCompiled(Exception):
    """The core cannot serve this."""


def compile_stage(api: str, kind: str, documents: list[bytes]) -> bytes | None:
    """The table of a stage as JSON; None if Python serves all of it.

    `documents` are the stage's, the API's own where there is one, and the deployment's.
    """
    compiler = import_module(_COMPILERS[kind])
    try:
        table: Table = compiler.compile_stage(api, *map(json.loads, documents))
    except NotCompiled:
        return None
    routes = [one for resource in table["resources"] for one in resource["methods"].values()]
    if not any((*routes, table["default"])):
        return None
    return json.dumps(table).encode()


def text(value: str) -> Piece:
    """A part of a template that is always the same."""
    return {"source": {"text": value}}


def constant(pieces: list[Piece]) -> str:
    """The text of a template that is always the same."""
    found = [fixed(piece) for piece in pieces]
    if None in found:
        raise NotCompiled
    return "".join(one or "" for one in found)


def fixed(piece: Piece) -> str | None:
    """The text of a part that is always the same."""
    source = piece["source"]
    if isinstance(source, str) or piece.get("apply"):
        return None
    told: str | None = source.get("text")
    return told


def member(
    name: str,
    value: list[Piece],
    *,
    kind: str = "text",
    is_variable: bool = False,
    is_required: bool = False,
) -> dict[str, Any]:
    """A member of the input of an operation."""
    return {
        "name": name,
        "kind": kind,
        "value": value,
        "is_variable": is_variable,
        "is_required": is_required,
    }
