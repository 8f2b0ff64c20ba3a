"""The options of the server: a flag wins over the environment, and that over the file."""

from __future__ import annotations

import argparse
import os.path

from trunkline.errors import InvalidParameterValue
from trunkline.server import localstack
from trunkline.validation import unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.config import Config

NAME = "trunkline.toml"
"""The file that is looked for where the server is started."""

PREFIX = "TRUNKLINE_"
"""``TRUNKLINE_PORT`` is the variable of ``--port``."""

_NOT_IN_FILES = ("config", "help")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


def resolve(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    environment: Mapping[str, str],
    defaults: Mapping[str, Any],
) -> tuple[argparse.Namespace, Config | None, list[str]]:
    """The options with what flags leave out, the file, and warnings about the environment.

    Raises InvalidParameterValue, which names the place, for what cannot be used.
    """
    config = _config(options)
    actions: dict[str, argparse.Action] = {}
    for one in parser._actions:
        if one.dest not in _NOT_IN_FILES:
            # The first of two flags for one option is the one that takes a value.
            actions.setdefault(one.dest, one)
    file = _file(config, actions)
    translated, warnings = localstack.translate(environment)
    warnings += _misspelt(environment, actions)
    for dest, action in actions.items():
        if getattr(options, dest, None) is not None:
            continue
        variable = PREFIX + dest.upper()
        if variable in environment:
            value = _convert(action, environment[variable], variable)
        elif dest in translated:
            name, text = translated[dest]
            value = _convert(action, text, name)
        elif dest in file:
            value = file[dest]
        else:
            value = defaults.get(dest)
        setattr(options, dest, value)
    if options.data:
        # A shell leaves --data=~/data and TRUNKLINE_DATA='~/data' as they are.
        options.data = os.path.expanduser(options.data)
    return options, config, warnings


def _misspelt(environment: Mapping[str, str], known: Mapping[str, object]) -> list[str]:
    """A warning for each variable that looks like one of ours, and is none."""
    ours = {dest.upper() for dest in known}
    given = [name.removeprefix(PREFIX) for name in environment if name.startswith(PREFIX)]
    others = [name for name in given if name not in ours]
    if not others:
        return []
    from difflib import get_close_matches

    near = {name: get_close_matches(name, ours, n=1, cutoff=0.7) for name in others}
    return [
        f"{PREFIX}{name} is no option; did you mean {PREFIX}{one}?"
        for name, found in near.items()
        for one in found
    ]


def _config(options: argparse.Namespace) -> Config | None:
    if options.config is None and not os.path.isfile(NAME):
        return None
    from trunkline.config import Config

    return Config.read(NAME if options.config is None else options.config)


def _file(config: Config | None, actions: Mapping[str, argparse.Action]) -> dict[str, Any]:
    if config is None:
        return {}
    found = {}
    for name, value in config.server.items():
        dest = name.replace("-", "_")
        if dest not in actions:
            raise config.wrong(f"[server] has no {unknown(dest, sorted(actions))}")
        found[dest] = _of_file(config, actions[dest], value)
    for name in ("data", "durability", "durable_receives", "trace"):
        if name in config.engine:
            found.setdefault(name, config.engine[name])
    return found


def _of_file(config: Config, action: argparse.Action, value: Any) -> Any:
    place = f"[server] {action.dest}"
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise config.wrong(f"{place} must be true or false")
        return value
    if isinstance(action, argparse._AppendAction):
        if not isinstance(value, list):
            raise config.wrong(f"{place} must be an array")
        return [_convert(action, str(one), place) for one in value]
    if action.dest == "services" and isinstance(value, list):
        return ",".join(map(str, value))
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise config.wrong(f"{place} must be a string or a number")
    return _convert(action, str(value), place)


def _convert(action: argparse.Action, text: str, place: str) -> Any:
    """The value of an option from a text, which `place` names."""
    if action.nargs == 0:
        if text.lower() not in (*_TRUE, *_FALSE):
            raise InvalidParameterValue(f"{place}={text!r}: use 1 or 0")
        return text.lower() in _TRUE
    if isinstance(action, argparse._AppendAction) and place.isupper():
        return [one.strip() for one in text.split(",") if one.strip()]
    try:
        value = action.type(text) if callable(action.type) else text
    except (argparse.ArgumentTypeError, ValueError) as error:
        raise InvalidParameterValue(f"{place}: {error}") from error
    if action.choices is not None and value not in action.choices:
        raise InvalidParameterValue(
            f"{place}: {text!r} is not one of {', '.join(map(str, action.choices))}"
        )
    return value
