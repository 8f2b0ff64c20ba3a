"""The modules of the Rust crates, and which of them use which.

Read from `use` declarations and from paths that start with `crate::` or `super::`. A name that a
module re-exports counts as a use of the module that it comes from.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from . import tree

Module = tuple[str, ...]

PATH = re.compile(r"\b(?:crate|super|self)(?:::\w+)+")
USE = re.compile(r"^\s*(?:pub(?:\([^)]*\))?\s+)?use\s+([^;]+);", re.MULTILINE)
TEST_CODE = re.compile(r"#\[cfg\((?:all\()?test\b")


def module_of(path: Path, source: Path) -> Module:
    """The name of a file's module below `src`; the crate itself is the empty name."""
    parts = path.relative_to(source).with_suffix("").parts
    return tuple(part for part in parts if part not in ("mod", "lib"))


@cache
def sources(crate: str) -> dict[Module, str]:
    """The production code of every module of a crate, without comments and unit tests."""
    source = tree.ROOT / "core" / crate / "src"
    found = {}
    for path in tree.files():
        if path.suffix != ".rs" or source not in path.parents or "tests" in path.parts:
            continue
        if path.stem in ("tests", "interleavings"):
            continue
        text = TEST_CODE.split(path.read_text(encoding="utf-8"), maxsplit=1)[0]
        found[module_of(path, source)] = re.sub(r"//[^\n]*", "", text)
    return found


def expand(use: str) -> list[str]:
    """The single paths of a `use` tree: `a::{b, c::d}` is `a::b` and `a::c::d`."""
    use = re.sub(r"\s+", " ", use.strip())
    head, brace, rest = use.partition("{")
    if not brace:
        return [use.partition(" as ")[0].strip()]
    inner, depth, parts, start = rest.rpartition("}")[0], 0, [], 0
    for index, letter in enumerate(f"{inner},"):
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            parts.append(inner[start:index])
            start = index + 1
    return [path for part in parts if part.strip() for path in expand(head + part.strip())]


def absolute(path: str, module: Module, known: dict[Module, str]) -> tuple[str, ...] | None:
    """A path from the root of its crate, or None if it leaves the crate."""
    parts = path.split("::")
    if parts[0] == "crate":
        return tuple(parts[1:])
    if parts[0] == "self":
        return module + tuple(parts[1:])
    if parts[0] == "super":
        while parts and parts[0] == "super":
            parts, module = parts[1:], module[:-1]
        return module + tuple(parts)
    # Edition 2024: a bare path starts at a crate, or at a child of this module.
    return module + tuple(parts) if (*module, parts[0]) in known else None


@cache
def exports(crate: str) -> dict[Module, dict[str, tuple[str, ...]]]:
    """The names that each module brings in with `use`, and what they stand for."""
    known = sources(crate)
    return {
        module: {
            path.rpartition("::")[2]: target
            for use in USE.findall(text)
            for path in expand(use)
            if (target := absolute(path, module, known)) is not None
        }
        for module, text in known.items()
    }


def resolve(crate: str, path: tuple[str, ...], depth: int = 0) -> Module:
    """The module that a path leads to, through re-exports."""
    known = sources(crate)
    length = max(n for n in range(len(path) + 1) if path[:n] in known)
    module, rest = path[:length], path[length:]
    target = exports(crate)[module].get(rest[0]) if rest else None
    if target is None or depth > 8 or target == path:
        return module
    return resolve(crate, target + rest[1:], depth + 1)


def uses(crate: str) -> dict[Module, set[Module]]:
    """For every module the modules that it uses, but for its parents and its children."""
    known = sources(crate)
    graph: dict[Module, set[Module]] = {}
    for module, text in known.items():
        paths = {path for use in USE.findall(text) for path in expand(use)}
        paths |= set(PATH.findall(USE.sub("", text)))
        targets = {
            resolve(crate, whole)
            for path in paths
            if (whole := absolute(path, module, known)) is not None
        }
        graph[module] = {target for target in targets if not related(module, target)}
    return graph


def related(one: Module, other: Module) -> bool:
    """Whether one module holds the other, or is it."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def circles(graph: dict[Module, set[Module]]) -> list[list[Module]]:
    """The groups of modules that use each other in a circle (Tarjan's algorithm)."""
    index: dict[Module, int] = {}
    low: dict[Module, int] = {}
    stack: list[Module] = []
    found: list[list[Module]] = []

    def visit(module: Module) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for target in graph.get(module, ()):
            if target not in index:
                visit(target)
                low[module] = min(low[module], low[target])
            elif target in stack:
                low[module] = min(low[module], index[target])
        if low[module] == index[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in sorted(graph):
        if module not in index:
            visit(module)
    return found
