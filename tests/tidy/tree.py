"""What belongs to the repository, and how its parts are read."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "trunkline"


@cache
def files() -> tuple[Path, ...]:
    """Every file that is tracked, or would be: what git ignores is not checked."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    paths = (ROOT / name for name in listed.decode().split("\0") if name)
    return tuple(sorted(path for path in set(paths) if path.is_file()))


def relative(path: Path) -> str:
    """A path as it is written in lists and messages."""
    return path.relative_to(ROOT).as_posix()


def with_suffix(*suffixes: str) -> list[Path]:
    """The files of these kinds."""
    return [path for path in files() if path.suffix in suffixes]


def crates() -> dict[str, dict[str, Any]]:
    """The manifest of every workspace crate, by folder name."""
    manifests = (ROOT / "core").glob("*/Cargo.toml")
    return {
        path.parent.name: tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(manifests)
        if path in files()
    }


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name; the package itself is `trunkline`."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imports(path: Path, *, at_import_time: bool) -> Iterator[str]:
    """The dotted names that a module imports; without those for type checkers only.

    With `at_import_time`, also without those inside functions.
    """
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}: import by the full name, not relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
        elif at_import_time and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pass
        else:
            pending.extend(ast.iter_child_nodes(node))
