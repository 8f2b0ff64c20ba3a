"""Generates docs/reference.md and docs/errors.md from the docstrings: `make docs`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import trunkline
import trunkline.aio
from trunkline import errors, patterns

from . import tree

HEAD = "<!-- Generated from the docstrings by `make docs`. Change those. -->\n"


def pages() -> dict[Path, str]:
    """Every generated page with its text."""
    docs = tree.ROOT / "docs"
    return {docs / "reference.md": _reference(), docs / "errors.md": _errors()}


def _sentence(thing: Any) -> str:
    """The first paragraph of the docstring, on one line, in Markdown."""
    paragraph = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    plain = re.sub(r":\w+:`([^`]+)`", r"`\1`", paragraph).replace("``", "`")
    return " ".join(plain.split()).replace("|", "\\|")


def _signature(thing: Any) -> str:
    """The parameters; empty where there are none to be seen."""
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return "(…)" if callable(thing) else ""
    names = [p for p in signature.parameters.values() if p.name != "self"]
    bare = signature.replace(
        parameters=[p.replace(annotation=inspect.Parameter.empty) for p in names],
        return_annotation=inspect.Signature.empty,
    )
    return str(bare)


def _members(thing: type) -> dict[str, Any]:
    """Public members by name, inherited ones too; of a slot, the line that documents it."""
    found: dict[str, Any] = {}
    for owner in reversed(thing.__mro__):
        if owner.__module__.partition(".")[0] != "trunkline":
            continue
        slots = vars(owner).get("__slots__", ())
        documented = slots if isinstance(slots, dict) else {}
        for name, value in vars(owner).items():
            told = documented.get(name) or (
                "" if inspect.ismemberdescriptor(value) else inspect.getdoc(value)
            )
            if told and not name.startswith("_"):
                found[name] = value
    return dict(sorted(found.items()))


def _is_error(thing: Any) -> bool:
    return inspect.isclass(thing) and issubclass(thing, trunkline.TrunklineError)


def _reference() -> str:
    lines = [
        HEAD,
        "# Reference",
        "",
        "Every public name, and its first sentence. `help(trunkline.Queue)` has all of it, with",
        "examples that run as tests. Errors have [a page of their own](errors.md).",
        "",
    ]
    for name in trunkline.__all__:
        if not name.startswith("__"):
            lines += _entry(name, getattr(trunkline, name))
    lines += ["# For asyncio: `trunkline.aio`", "", _sentence(trunkline.aio), ""]
    for name in trunkline.aio.__all__:
        lines += _entry(f"aio.{name}", getattr(trunkline.aio, name))
    lines += ["# `trunkline.patterns`", "", _sentence(patterns), ""]
    for name in patterns.__all__:
        lines += _entry(f"patterns.{name}", getattr(patterns, name))
    return "\n".join(lines).rstrip() + "\n"


def _entry(name: str, thing: Any) -> list[str]:
    """One public name: a function, or a class with its members."""
    if _is_error(thing):
        return []
    if not inspect.isclass(thing):
        return [f"## `{name}{_signature(thing)}`", "", _sentence(thing), ""]
    lines = [f"## class `{name}`", "", _sentence(thing), ""]
    members = _members(thing)
    if members:
        lines += ["| member | meaning |", "|---|---|"]
        for member, value in members.items():
            call = _signature(value) if inspect.isroutine(value) and callable(value) else ""
            lines.append(f"| `{member}{call}` | {_sentence(value)} |")
        lines.append("")
    return lines


def _errors() -> str:
    lines = [
        HEAD,
        "# Errors",
        "",
        "Every error is a `trunkline.TrunklineError` with a stable `.code`. A code that AWS has",
        "means what it means there. The message names the value, the problem and the remedy.",
        "",
        "| code | class | also a | meaning |",
        "|---|---|---|---|",
    ]
    for leaf in sorted(errors.TrunklineError.__subclasses__(), key=lambda leaf: leaf.code):
        builtins = [f"`{b.__name__}`" for b in leaf.__bases__ if b is not errors.TrunklineError]
        lines.append(
            f"| `{leaf.code}` | `{leaf.__name__}` | {', '.join(builtins)} | {_sentence(leaf)} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")
