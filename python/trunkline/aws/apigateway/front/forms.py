"""Templates that make a form, as members of the input of an operation."""

from __future__ import annotations

from urllib.parse import unquote_plus

from trunkline.aws.execute_api.compiling import NotCompiled, constant, fixed, member, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Piece = dict[str, Any]

_KINDS = {
    "SendMessage": {
        "QueueUrl": "text",
        "MessageBody": "text",
        "MessageGroupId": "text",
        "MessageDeduplicationId": "text",
        "DelaySeconds": "number",
    },
    "Publish": {
        "TopicArn": "text",
        "Message": "text",
        "Subject": "text",
        "MessageGroupId": "text",
        "MessageDeduplicationId": "text",
    },
}
"""The operations whose forms the core reads, with the parameters that it knows."""


def members(operation: str, template: list[Piece], action: str | None) -> list[dict[str, Any]]:
    """The members that a form has; raises NotCompiled for what the core does not read.

    `action` is what names the operation beside the form, if anything does.
    """
    kinds = _KINDS.get(operation)
    pairs = _pairs(template)
    given = constant(pairs.pop("Action")) if "Action" in pairs else action
    if kinds is None or given != operation:
        raise NotCompiled
    pairs.pop("Version", None)
    if not pairs.keys() <= kinds.keys():
        raise NotCompiled
    return [member(name, value, kind=kinds[name]) for name, value in pairs.items()]


def _pairs(template: list[Piece]) -> dict[str, list[Piece]]:
    """Names and values of a form, the values unescaped."""
    raw: list[tuple[str, list[Piece]]] = [("", [])]
    is_name = True
    for piece in template:
        told = fixed(piece)
        if told is None:
            if is_name:
                raise NotCompiled
            raw[-1][1].append(piece)
            continue
        for place, part in enumerate(told.split("&")):
            if place:
                raw.append(("", []))
                is_name = True
            name, equals, value = part.partition("=") if is_name else ("", "=", part)
            if is_name:
                raw[-1] = (raw[-1][0] + name, [])
                is_name = not equals
            if value:
                raw[-1][1].append(text(value))
    found: dict[str, list[Piece]] = {}
    for key, given in raw:
        if not key and not given:
            continue
        if key in found or not key or "%" in key or "+" in key:
            raise NotCompiled
        found[key] = _unescaped(given)
    return found


def _unescaped(value: list[Piece]) -> list[Piece]:
    found = []
    for piece in value:
        told, apply = fixed(piece), piece.get("apply", [])
        if told is not None:
            # An escape could go on in the next piece.
            if "%" in told[-2:]:
                raise NotCompiled
            found.append(text(unquote_plus(told)))
        elif apply and apply[-1] == "url_encode":
            found.append({**piece, "apply": apply[:-1]})
        elif len(value) == 1:
            found.append({**piece, "apply": [*apply, "form_decode"]})
        else:
            raise NotCompiled
    return found
