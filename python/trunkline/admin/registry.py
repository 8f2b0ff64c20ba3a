"""The table of the verbs, and the one way to call them."""

from __future__ import annotations

import inspect
import json
from importlib import import_module

from trunkline.errors import InvalidParameterValue, ResourceNotFound, TrunklineError
from trunkline.validation import unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from trunkline.engine import Engine

    Function = Callable[..., dict[str, Any]]

_MODULES = (
    "calls",
    "events",
    "executions",
    "listing",
    "messages",
    "objects",
    "overview",
    "records",
)
_READING = ("is_reading", True)


def reading(function: Function) -> Function:
    """Marks a verb that changes nothing: a folder is opened read-only for it."""
    setattr(function, *_READING)
    return function


def verbs() -> dict[str, Function]:
    """Every verb by its name, in which words are separated by hyphens.

    >>> "send" in verbs(), "redrive-tasks" in verbs()
    (True, True)
    """
    found: dict[str, Function] = {}
    for name in _MODULES:
        module = import_module(f"trunkline.admin.{name}")
        for word, function in vars(module).items():
            if getattr(function, "__module__", None) == module.__name__ and word[0] != "_":
                found[word.rstrip("_").replace("_", "-")] = function
    return found


def is_reading(verb: str) -> bool:
    """Whether the verb changes nothing."""
    return getattr(_find(verb), _READING[0], False)


def _find(verb: str) -> Function:
    table = verbs()
    if verb not in table:
        raise ResourceNotFound(f"There is no verb {unknown(verb, sorted(table))}.")
    return table[verb]


def run(engine: Engine, verb: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What `verb` answers. Raises a TrunklineError, also for arguments that it does not have."""
    function = _find(verb)
    known = list(inspect.signature(function).parameters)[1:]
    for name in arguments:
        if name not in known:
            has = ", ".join(known) or "none"
            raise InvalidParameterValue(f"{verb} has no argument {name!r}; its arguments: {has}.")
    missing = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty and name != "engine" and name not in arguments
    ]
    if missing:
        raise InvalidParameterValue(f"{verb} needs the argument {missing[0]!r}.")
    try:
        return function(engine, **arguments)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, TrunklineError):
            raise
        raise InvalidParameterValue(f"{verb}: {error}") from error


def operate(engine: Engine, verb: str, body: bytes) -> bytes:
    """The same with JSON at both ends."""
    try:
        arguments = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise InvalidParameterValue(f"The body must be a JSON object: {error}.") from error
    if not isinstance(arguments, dict):
        raise InvalidParameterValue("The body must be a JSON object, with an argument a member.")
    return json.dumps(run(engine, verb, arguments), separators=(",", ":")).encode()
