"""Patch operations: one mechanism for all that can be updated.

A table of rules says which paths may be patched, by which operations, and what a value becomes.
``*`` in a path is a key of a map, or an element of a list.
"""

from __future__ import annotations

import copy
import math

from trunkline._dataclasses import dataclass
from trunkline.aws.apigateway.errors import bad, missing, one_of, refusals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from trunkline.aws.errors import ServiceError

NUMBER_MAX = 2**31 - 1
"""The largest whole number that a member of AWS's model holds."""
OPERATIONS = ("add", "remove", "move", "test", "replace", "copy")


def text(value: str | None) -> Any:
    """A text; an empty one removes the member."""
    return value or None


def boolean(value: str | None) -> Any:
    """Whether a text says so; AWS takes everything else for no."""
    return (value or "").lower() == "true"


def number(value: str | None) -> Any:
    """A whole number of 32 bits."""
    read = decimal(value)
    if not read.is_integer() or abs(read) > NUMBER_MAX:
        raise bad(f"Invalid value specified: {value}")
    return int(read)


def decimal(value: str | None) -> Any:
    """A number with a fraction."""
    try:
        read = float(value or "")
    except ValueError:
        raise bad(f"Invalid value specified: {value}") from None
    if not math.isfinite(read):
        raise bad(f"Invalid value specified: {value}")
    return read


@dataclass(frozen=True, slots=True)
class Rule:
    """What may be done at a path."""

    operations: tuple[str, ...] = ("replace",)
    read: Callable[[str | None], Any] = text
    is_list: bool = False
    is_required: bool = False
    """A value must be given for the key of a map."""
    check: Callable[[Any], None] | None = None


ANY = ("add", "replace", "remove")
KEYED = Rule(ANY)
LISTED = Rule(ANY, is_list=True)


@dataclass(frozen=True, slots=True)
class Words:
    """How a kind of resource words what cannot be patched."""

    path: Callable[[str | None, str, Sequence[str]], str]
    operation: Callable[[str | None, str, Sequence[str]], str]


def _listed(path: str | None, operation: str, paths: Sequence[str]) -> str:
    return (
        f"Invalid patch path  '{path}' specified for op '{operation}'. "
        f"Must be one of: [{', '.join(paths)}]"
    )


def _unsupported(path: str | None, operation: str, _: Sequence[str]) -> str:
    return (
        f"Invalid patch path  '{path}' specified for op '{operation}'. "
        "Please choose supported operations"
    )


def _plain(path: str | None, _: str, __: Sequence[str]) -> str:
    return f"Invalid patch path {'null' if path is None else path}"


def _replace_only(_: str | None, __: str, ___: Sequence[str]) -> str:
    return "Invalid patch operation specified. Must be one of: [replace]"


LISTING = Words(_listed, _unsupported)
PLAIN = Words(_plain, _plain)
METHOD = Words(_plain, _replace_only)


def check_operations(operation: str, operations: Sequence[Mapping[str, Any]]) -> None:
    """Refuses operations that JSON patch does not have; `operation` names the caller's."""
    found: list[tuple[str, object, str]] = [
        (f"{operation}Input.patchOperations.{place}.member.op", given["op"], one_of(OPERATIONS))
        for place, given in enumerate(operations, 1)
        if given.get("op") is not None and given["op"] not in OPERATIONS
    ]
    if found:
        raise refusals(found)


def segments(path: str) -> list[str]:
    """The parts of a path, unescaped.

    >>> segments("/responseTemplates/application~1json")
    ['responseTemplates', 'application/json']
    """
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def match(path: str, rules: Mapping[str, Rule]) -> tuple[Rule, list[str]] | None:
    """The rule of a path, and the parts of the path."""
    parts = segments(path)
    for pattern, rule in rules.items():
        if rule.is_list and path == pattern and not pattern.endswith("/*"):
            # The list itself: its elements are told by the value.
            return rule, [*parts, ""]
        wanted = segments(pattern)
        same = len(wanted) == len(parts) and all(
            one in ("*", other) for one, other in zip(wanted, parts, strict=True)
        )
        if same:
            return rule, parts
    return None


def patched(
    document: dict[str, Any],
    operations: Sequence[Mapping[str, Any]] | None,
    rules: Mapping[str, Rule],
    words: Words = LISTING,
) -> dict[str, Any]:
    """A copy of `document` with all operations done, or an error and no change."""
    result = copy.deepcopy(document)
    for given in operations or ():
        path, operation = given.get("path"), given.get("op") or "replace"
        found = None if path is None else match(path, rules)
        if found is None:
            raise bad(words.path(path, operation, _shown(rules)))
        rule, parts = found
        if operation not in rule.operations:
            raise bad(words.operation(path, operation, _shown(rules)))
        _change(result, parts, rule, operation, given.get("value"))
    return result


def _shown(rules: Mapping[str, Rule]) -> list[str]:
    return [path.replace("*", "{name}") for path in rules]


def _change(
    document: dict[str, Any], parts: list[str], rule: Rule, operation: str, value: str | None
) -> None:
    holder, last = _holder(document, parts, rule)
    if rule.is_list:
        _change_list(holder, parts, last, operation, value)
        return
    is_keyed = len(parts) > 1
    if operation == "remove":
        if is_keyed and last not in holder:
            raise invalid_name(parts[0])
        holder.pop(last, None)
        return
    if rule.is_required and not value:
        raise bad(f"Invalid null or empty value in {parts[0]}")
    if is_keyed and rule.is_required and operation == "replace" and last not in holder:
        raise invalid_name(parts[0])
    read = rule.read(value)
    if rule.check is not None:
        rule.check(read)
    if read is None:
        holder.pop(last, None)
    else:
        holder[last] = read


def invalid_name(member: str) -> ServiceError:
    """A key of a map that is not there."""
    what = "parameter name" if member.endswith("Parameters") else "content type"
    return missing(f"Invalid {what} specified")


def _holder(document: dict[str, Any], parts: list[str], rule: Rule) -> tuple[dict[str, Any], str]:
    """The map that is changed, and the key in it; of a list, its name."""
    depth = len(parts) - (2 if rule.is_list else 1)
    for part in parts[:depth]:
        document = document.setdefault(part, {})
    return document, parts[depth]


def _change_list(
    holder: dict[str, Any], parts: list[str], name: str, operation: str, value: str | None
) -> None:
    # An element stands in the path, or is the value.
    element = parts[-1] or value or ""
    items: list[str] = list(holder.get(name, ()))
    if operation != "add" and element in items:
        items.remove(element)
    added = value or element if operation == "replace" else element
    if operation != "remove" and added and added not in items:
        items.append(added)
    if items:
        holder[name] = items
    else:
        holder.pop(name, None)
