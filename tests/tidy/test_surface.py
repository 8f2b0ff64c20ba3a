"""The public list: `__all__`, the stubs, the reference and the catalogue of errors agree."""

from __future__ import annotations

import ast
import inspect
import re
import typing

import trunkline
from trunkline import _core, errors, patterns

from . import reference, tree

# What the matcher refuses patterns and events with; it knows nothing of the engine's catalogue.
PATTERN_CODES = {"InvalidEventPatternException", "InvalidParameter", "InvalidEvent"}
# How calls of functions fail; the core calls none.
FUNCTION_CODES = {"ExecutionFailed", "FunctionError", "TooManyRequestsException"}
CODES_SOURCE = tree.ROOT / "core" / "types" / "src" / "code.rs"


def codes_of_the_core() -> dict[str, str]:
    """Every code of the Rust catalogue with its meaning."""
    catalogue = CODES_SOURCE.read_text(encoding="utf-8").partition("\ncodes! {")[2]
    pairs = re.findall(r"/// (.+)\n    (\w+),", catalogue.partition("\n}")[0])
    return {code: meaning for meaning, code in pairs}


def test_all_is_sorted_and_complete() -> None:
    assert list(trunkline.__all__) == sorted(trunkline.__all__)
    for name in trunkline.__all__:
        assert getattr(trunkline, name) is not None
    public = {name for name in vars(trunkline) if name[0] not in "_@"}
    submodules = {name.rpartition(".")[2] for name in tree.modules()}
    own = {name for name in public - submodules if name not in ("annotations", "TYPE_CHECKING")}
    assert own <= set(trunkline.__all__), own - set(trunkline.__all__)


def test_the_stub_of_the_core_names_what_the_core_has() -> None:
    # One module, and a stub for each of its parts.
    stubs = [path.read_text(encoding="utf-8") for path in tree.PACKAGE.glob("_core*.pyi")]
    stub = ast.parse("\n".join(stubs))
    kinds = (ast.ClassDef, ast.FunctionDef)
    stubbed = {node.name for node in stub.body if isinstance(node, kinds)}
    present = {name for name in dir(_core) if not name.startswith("__")}
    assert {name for name in stubbed if not name.startswith("_")} <= present
    variables = {
        node.target.id
        for node in stub.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assert present <= stubbed | variables


def test_every_public_thing_is_documented() -> None:
    for name in trunkline.__all__:
        thing = getattr(trunkline, name)
        if name.startswith("__"):
            continue
        assert inspect.getdoc(thing), f"trunkline.{name}"
        if inspect.isclass(thing):
            for attribute, value in vars(thing).items():
                if not attribute.startswith("_") and (callable(value) or hasattr(value, "__get__")):
                    assert inspect.getdoc(value), f"trunkline.{name}.{attribute}"


def test_every_code_has_a_class_and_means_the_same_there() -> None:
    codes = codes_of_the_core()
    assert len(codes) > 20
    classes = {leaf.code: leaf for leaf in errors.failures()}
    assert set(classes) == set(codes) | PATTERN_CODES | FUNCTION_CODES | {"ServerUnreachable"}
    for code, leaf in classes.items():
        assert leaf.__name__ in trunkline.__all__, f"{leaf.__name__} is not public"
        assert leaf.__doc__, code


def test_the_public_names_of_patterns_are_documented() -> None:
    assert list(patterns.__all__) == sorted(patterns.__all__)
    for name in patterns.__all__:
        thing = getattr(patterns, name)
        assert inspect.getdoc(thing), name
        for attribute, value in vars(thing).items() if inspect.isclass(thing) else ():
            if not attribute.startswith("_") and (callable(value) or hasattr(value, "__get__")):
                assert inspect.getdoc(value), f"{name}.{attribute}"


def test_the_pages_that_are_generated_are_fresh() -> None:
    for path, text in reference.pages().items():
        shown = path.read_text(encoding="utf-8") if path.exists() else ""
        assert shown == text, f"{tree.relative(path)} is stale: run `make docs`"


def test_the_reference_names_every_member_of_every_public_class() -> None:
    page = (tree.ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    sections = {
        section.split("`")[1]: section for section in page.split("\n## ") if section[:5] == "class"
    }
    public = {name: getattr(trunkline, name) for name in trunkline.__all__}
    public |= {f"aio.{name}": getattr(trunkline.aio, name) for name in trunkline.aio.__all__}
    for name, thing in public.items():
        if not inspect.isclass(thing) or issubclass(thing, Exception):
            continue
        shown = set(re.findall(r"^\| `(\w+)", sections[name], re.MULTILINE))
        if typing.is_typeddict(thing):
            assert shown == thing.__annotations__.keys(), name
            continue
        # A hint is listed and not there: it raises with the name of the verb that is meant.
        there = {member for member in dir(thing) if hasattr(thing, member)}
        assert shown == {member for member in there if not member.startswith("_")}, name


def test_every_command_is_explained() -> None:
    source = (tree.PACKAGE / "cli" / "parser.py").read_text(encoding="utf-8")
    guide = (tree.ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    commands = re.findall(r'^    "(\w+)": \("', source, re.MULTILINE)
    assert len(commands) > 30
    for command in commands:
        assert f"| `{command}" in guide, command


def test_every_task_of_the_makefile_is_explained() -> None:
    makefile = (tree.ROOT / "Makefile").read_text(encoding="utf-8")
    guide = (tree.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for task in re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE):
        if not task.startswith("test-"):
            assert f"`make {task}" in guide, task


def test_every_option_and_path_of_the_server_is_explained() -> None:
    options = (tree.PACKAGE / "server" / "command.py").read_text(encoding="utf-8")
    paths = (tree.ROOT / "core/wire/src/dispatch/admin.rs").read_text(encoding="utf-8")
    guide = (tree.ROOT / "docs" / "server.md").read_text(encoding="utf-8")
    named = re.findall(r'add\("(--[\w-]+)"', options)
    named += re.findall(r'"(/(?:_trunkline|_localstack|_aws|moto-api|metrics)[\w/-]*)"', paths)
    assert len(named) > 15
    assert not [name for name in named if f"`{name}" not in guide]
