"""Pages of the site that are made from the sources: a hook of MkDocs.

The first page is the README. Each package has a page that mkdocstrings fills from its docstrings;
the command's is what its parser says, and the server's paths are the operator's verbs.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "trunkline"
_NO_VERBS = ("__init__", "forms", "machines", "registry")
"""Modules of `trunkline.admin` that have no verbs."""
PACKAGES = ("aio", "patterns", "states", "aws", "server", "remote", "admin", "analytics", "otel")


def on_files(files, config):
    """Adds the pages."""
    pages = {
        "index.md": _readme(),
        "reference/trunkline.md": _package("trunkline", PACKAGE / "__init__.py"),
        "reference/command.md": _command(),
        "reference/paths.md": _paths(),
    }
    for name in PACKAGES:
        folder = PACKAGE / name / "__init__.py"
        file = folder if folder.exists() else PACKAGE / f"{name}.py"
        pages[f"reference/{name}.md"] = _package(f"trunkline.{name}", file)
    for uri, text in pages.items():
        files.append(File.generated(config, uri, content=text))
    return files


def _readme() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    # What lies in docs/ is beside the first page.
    return re.sub(r"(\]\(|src=\")docs/", r"\1", text)


def _package(name: str, file: Path) -> str:
    """The page of a package: each name of its `__all__` in the place that defines it."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = _all(tree)
    about = (ast.get_docstring(tree) or "").partition("\n\n>>>")[0].partition("\n\n    ")[0]
    places = _places(tree)
    parts = [f"# {name}\n\n{about}\n"]
    if not names:
        return f"# {name}\n\n::: {name}\n    options:\n      show_root_heading: false\n"
    for one in names:
        place = places.get(one, f"{name}.{one}")
        if not one.startswith("__"):
            parts.append(f"::: {place}\n    options:\n      heading_level: 2\n")
    return "\n".join(parts)


def _all(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def _places(tree: ast.Module) -> dict[str, str]:
    """Where each imported name is defined, those imported for type checkers included."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module != "__future__"
        for alias in node.names
    }


def _command() -> str:
    """The verbs of the command with their arguments, from the sources of its parser."""
    parser = ast.parse((PACKAGE / "cli" / "parser.py").read_text(encoding="utf-8"))
    verbs: dict[str, tuple[str, str]] = next(
        ast.literal_eval(node.value)
        for node in parser.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "VERBS" and node.value
    )
    parts = [
        "# The command\n\n`trunkline COMMAND --help` tells the same; `docs/cli.md` explains.\n"
    ]
    for verb, (place, about) in verbs.items():
        parts.append(f"## trunkline {verb}\n\n{about[0].upper()}{about[1:]}.\n")
        rows = _arguments(place)
        if rows:
            parts.append("| argument | says |\n|---|---|\n" + "".join(rows))
    return "\n".join(parts)


def _arguments(place: str) -> list[str]:
    """A row for each literal call of `add_argument`, or of its short form, in a function."""
    if not place:
        return []
    module, function = place.split(":")
    file = ROOT / "python" / f"{module.replace('.', '/')}.py"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    texts = {
        ast.unparse(node.targets[0]): node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    rows = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.FunctionDef) and node.name == function):
            continue
        for call in ast.walk(node):
            if not isinstance(call, ast.Call):
                continue
            called = ast.unparse(call.func)
            flags = [one.value for one in call.args if isinstance(one, ast.Constant)]
            named = {one.arg: one.value for one in call.keywords}
            if (called != "add" and not called.endswith(".add_argument")) or not flags:
                continue
            told = named.get("help")
            text = told.value if isinstance(told, ast.Constant) else texts.get(_name(told), "")
            rows.append(
                f"| `{', '.join(map(str, flags))}` | {str(text).replace('|', chr(92) + '|')} |\n"
            )
    return rows


def _name(node: ast.expr | None) -> str:
    return "" if node is None else ast.unparse(node)


def _paths() -> str:
    """The operator's verbs: each is a path of the server."""
    parts = [
        "# Paths of the server\n\nBeside the services of AWS, a server has the operator's verbs: "
        "`POST /_trunkline/api/VERB` with a JSON object of the arguments below. The server's page "
        "tells the other paths.\n",
        "| path | arguments | does |\n|---|---|---|",
    ]
    for file in sorted((PACKAGE / "admin").glob("*.py")):
        if file.stem not in _NO_VERBS:
            parts += _verbs(file)
    return "\n".join(parts)


def _verbs(file: Path) -> list[str]:
    """A row for each public function of a module of verbs."""
    rows = []
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            verb = node.name.rstrip("_").replace("_", "-")
            arguments = ", ".join(f"`{one.arg}`" for one in node.args.args[1:])
            about = (ast.get_docstring(node) or "").partition("\n")[0]
            rows.append(f"| `/_trunkline/api/{verb}` | {arguments} | {about} |")
    return rows
