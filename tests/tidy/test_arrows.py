"""Who may know whom. ARCHITECTURE.md draws the same arrows."""

from __future__ import annotations

import re
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from . import tree

# A crate may depend on these crates of ours, and on no other.
ARROWS = {
    "types": set(),
    "pattern": set(),
    "journal": {"types"},
    "timer": {"types"},
    "queue": {"types"},
    "stream": {"types"},
    "arrow": set(),
    "schedule": {"types"},
    "states": set(),
    "workflow": set(),
    "delivery": {"types"},
    "host": {"types", "journal", "timer"},
    "engine": {
        "types",
        "journal",
        "host",
        "queue",
        "delivery",
        "pattern",
        "schedule",
        "states",
        "stream",
        "workflow",
    },
    "binding": {"types", "journal", "engine", "wire", "pattern", "arrow"},
    "capi": {"types", "engine"},
    "wire": {"types", "engine"},
    # Tries every kind of resource, on the host and over the wire; nothing depends on it.
    "conformance": {"types", "journal", "host", "engine", "wire"},
    "fuzz": {"types", "journal", "engine", "wire", "pattern", "schedule", "states"},
}

# Crates that are named for their features alone, so that all builds share them (test_builds.py).
FOR_FEATURES = {"binding": {"host"}, "capi": {"host", "journal", "wire"}}

# Third-party names, and the only crates that may depend on them.
OWNERS = {
    "pyo3": {"binding"},
    "hyper": {"wire", "delivery"},
    "tokio": {"wire", "delivery"},
    "tokio-tungstenite": {"wire"},
    "rustls-native-certs": {"delivery"},
    "httpdate": {"delivery"},
    "tower-service": {"delivery"},
    "jiff": {"schedule", "engine"},
    "rsa": {"wire"},
    "jsonwebtoken": {"wire"},
    "jsonata-core": {"states"},
    "crc-fast": {"journal", "wire"},
    "prometheus-client": {"wire"},
}

# A word in Rust sources, and the only places where it may stand.
WORDS = {
    r"\bSystemTime::now\b|\bclock_gettime\b": (
        "core/types/src/clock.rs",
        "core/types/src/raw_clock.rs",
    ),
    # The patience of a blocked thread is real time, whatever the engine's clock says.
    r"\bInstant::now\b": (
        "core/types/src/clock.rs",
        "core/host/",
        "core/engine/",
        "core/journal/",
        "core/binding/",
        "core/capi/",
        "core/wire/",
        # So is that of a connection.
        "core/delivery/src/http/",
    ),
    r"\bpyo3::": ("core/binding/",),
    # A thread may be unwound inside a function of Python.
    r"\.call_method[01]?\(|\.call[01]\(": ("core/binding/src/python_call.rs",),
    # Addresses are values; sockets are not.
    r"\bstd::net::(?!Ip)": ("core/wire/", "core/binding/src/wire/", "core/delivery/src/http/"),
}

# Modules that only use what every user can: the public package.
PUBLIC_ONLY = ("trunkline.cli", "trunkline.bench")

# Modules that may import what a plain installation does not have.
EXTRAS = (
    "trunkline.analytics",
    "trunkline.aws",
    "trunkline.bench",
    "trunkline.capi",
    "trunkline.machines.map_runs.parquet",
    "trunkline.otel",
    "trunkline.server",
    "trunkline.streams.tables",
)


def test_crates_depend_only_downwards() -> None:
    for crate, manifest in tree.crates().items():
        named = manifest.get("dependencies", {})
        ours = {n.removeprefix("trunkline-") for n in named if n.startswith("trunkline-")}
        assert crate in ARROWS, f"core/{crate} is new: draw its arrows here and in ARCHITECTURE.md"
        ours -= FOR_FEATURES.get(crate, set())
        assert ours <= ARROWS[crate], f"core/{crate} must not depend on {ours - ARROWS[crate]}"


@pytest.mark.parametrize("crate", FOR_FEATURES)
def test_a_crate_named_for_its_features_is_not_used(crate: str) -> None:
    used = re.compile("|".join(f"trunkline_{name}\\b" for name in FOR_FEATURES[crate]))
    for path in tree.with_suffix(".rs"):
        name = tree.relative(path)
        if name.startswith(f"core/{crate}/src/"):
            assert not used.search(path.read_text(encoding="utf-8")), name


@pytest.mark.parametrize("dependency", OWNERS)
def test_a_dependency_stays_with_its_owners(dependency: str) -> None:
    users = {
        crate
        for crate, manifest in tree.crates().items()
        if dependency in manifest.get("dependencies", {})
    }
    assert users <= OWNERS[dependency]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_stays_in_its_files(word: str) -> None:
    for path in tree.with_suffix(".rs"):
        name = tree.relative(path)
        if (
            not re.match(r"core/\w+/src/", name)
            or name.startswith(WORDS[word])
            or name.endswith("tests.rs")
        ):
            continue
        production = path.read_text(encoding="utf-8").partition("#[cfg(test)]")[0]
        production = production.partition("#[cfg(all(test")[0]
        assert not re.search(word, production), f"{name} says {word}"


def test_every_unsafe_block_says_why_it_is_sound() -> None:
    for path in tree.with_suffix(".rs"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            code = line.partition("//")[0]
            if re.search(r"\bunsafe (impl|\{)|\bunsafe$", code):
                before = "\n".join(lines[max(0, number - 12) : number + 1])
                assert "SAFETY:" in before, f"{tree.relative(path)}:{number + 1} lacks SAFETY:"


def test_the_package_imports_without_cycles() -> None:
    known = tree.modules()
    graph = {
        module: {
            name
            for imported in tree.imports(path, at_import_time=True)
            for name in (imported, imported.rpartition(".")[0])
            # A package's own modules import it by being in it.
            if name in known and not f"{module}.".startswith(f"{name}.")
        }
        for module, path in known.items()
    }
    graph["trunkline"] -= {"trunkline.aio"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a cycle of imports: {' -> '.join(error.args[1])}")


def test_a_plain_installation_imports_nothing_but_the_standard_library() -> None:
    for module, path in tree.modules().items():
        if module.startswith(EXTRAS):
            continue
        for imported in tree.imports(path, at_import_time=False):
            top = imported.partition(".")[0]
            assert top == "trunkline" or top in sys.stdlib_module_names, f"{module}: {imported}"


def test_commands_use_the_public_package_only() -> None:
    for module, path in tree.modules().items():
        if module.startswith(PUBLIC_ONLY):
            for imported in tree.imports(path, at_import_time=False):
                assert "._" not in imported, f"{module} imports {imported}"


def test_only_the_aws_packages_name_the_aws_sdk() -> None:
    for module, path in tree.modules().items():
        if not module.startswith(("trunkline.aws", "trunkline.server")):
            named = {name.partition(".")[0] for name in tree.imports(path, at_import_time=False)}
            assert not named & {"boto3", "botocore"}, module
