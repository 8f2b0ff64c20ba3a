"""Generates docs/reference.md and docs/errors.md from the docstrings: `make docs`."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import textwrap
import typing
from pathlib import Path
from typing import Any

import trunkline
import trunkline.aio
from trunkline import errors, patterns, states

from . import tree

HEAD = "<!-- Generated from the docstrings by `make docs`. Change those. -->\n"


def pages() -> dict[Path, str]:
    """Every generated page with its text."""
    docs = tree.ROOT / "docs"
    return {docs / "reference.md": _reference(), docs / "errors.md": _errors()}


def _sentence(thing: Any) -> str:
    """The first paragraph of the docstring, on one line, in Markdown."""
    return _plain((inspect.getdoc(thing) or "").partition("\n\n")[0])


def _plain(paragraph: str) -> str:
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
            if told and not name.startswith("_") and hasattr(thing, name):
                found[name] = value
    return dict(sorted(found.items()))


def _keys(thing: type) -> dict[str, str]:
    """The keys of a typed dict with the strings that stand below them."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(thing))).body
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in itertools.pairwise(body.body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = _plain(ast.literal_eval(text.value))
    return found


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
    lines += ["# `trunkline.states`", "", _sentence(states), ""]
    for name in states.__all__:
        lines += _entry(f"states.{name}", getattr(states, name))
    return "\n".join(lines).rstrip() + "\n"


def _entry(name: str, thing: Any) -> list[str]:
    """One public name: a function, or a class with its members."""
    if _is_error(thing):
        return []
    if not inspect.isclass(thing):
        return [f"## `{name}{_signature(thing)}`", "", _sentence(thing), ""]
    lines = [f"## class `{name}`", "", _sentence(thing), ""]
    if typing.is_typeddict(thing):
        lines += ["| key | meaning |", "|---|---|"]
        lines += [f"| `{key}` | {meaning} |" for key, meaning in _keys(thing).items()]
        return [*lines, ""]
    members = _members(thing)
    if members:
        lines += ["| member | meaning |", "|---|---|"]
        for member, value in members.items():
            call = _signature(value) if inspect.isroutine(value) and callable(value) else ""
            lines.append(f"| `{member}{call}` | {_sentence(value)} |")
        lines.append("")
    return lines


def _bases(error: type) -> str:
    """What an error is caught as, besides TrunklineError."""
    bases = [base for base in error.__bases__ if base is not errors.TrunklineError]
    return ", ".join(f"`{base.__name__}`" for base in bases)


def _errors() -> str:
    lines = [
        HEAD,
        "# Errors",
        "",
        "Every error is a `trunkline.TrunklineError` with a stable `.code`. A code that AWS has",
        "means what it means there. The message names the value, the problem and the remedy.",
        "",
        "Catch a kind to treat the failures of every noun alike:",
        "",
        "| kind | also a | meaning |",
        "|---|---|---|",
    ]
    for kind in errors.KINDS:
        lines.append(f"| `{kind.__name__}` | {_bases(kind)} | {_sentence(kind)} |")
    lines += ["", "| code | class | is a | meaning |", "|---|---|---|---|"]
    for leaf in errors.failures():
        lines.append(f"| `{leaf.code}` | `{leaf.__name__}` | {_bases(leaf)} | {_sentence(leaf)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")
