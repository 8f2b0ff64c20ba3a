"""Generates docs/reference.md and docs/errors.md from the docstrings: `make docs`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import trunkline
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


def _members(thing: type) -> list[tuple[str, Any]]:
    """Public members by name; slots have nothing to tell."""
    return [
        (name, value)
        for name, value in sorted(vars(thing).items())
        if not name.startswith("_")
        and inspect.getdoc(value)
        and not inspect.ismemberdescriptor(value)
    ]


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
        thing = getattr(trunkline, name)
        if not name.startswith("__") and not _is_error(thing):
            lines += _entry(name, thing)
    lines += ["# `trunkline.patterns`", "", _sentence(patterns), ""]
    for name in patterns.__all__:
        lines += _entry(f"patterns.{name}", getattr(patterns, name))
    return "\n".join(lines).rstrip() + "\n"


def _entry(name: str, thing: Any) -> list[str]:
    if not inspect.isclass(thing):
        return [f"## `{name}{_signature(thing)}`", "", _sentence(thing), ""]
    lines = [f"## class `{name}`", "", _sentence(thing), ""]
    members = _members(thing)
    if members:
        lines += ["| member | meaning |", "|---|---|"]
        for member, value in members:
            call = _signature(value) if inspect.isroutine(value) else ""
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
