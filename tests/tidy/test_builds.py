"""Cargo compiles a crate once for each set of features: the builds of the project have the same."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from .tree import ROOT

pytestmark = pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo is not installed")


def crates(*options: str, edges: str = "normal,build") -> set[str]:
    """The crates of a build with their versions and features."""
    command = ["cargo", "tree", "--offline", "--locked", "--prefix=none", "--format={p}: {f}"]
    tree = subprocess.run(
        [*command, "--edges", edges, *options], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return {line.removesuffix(" (*)") for line in tree.stdout.splitlines()}


def without(built: set[str], *names: str) -> set[str]:
    """The crates without those that are linked last."""
    return {crate for crate in built if not crate.startswith(names)}


@pytest.mark.parametrize("features", [[], ["testing"]], ids=["release", "tests"])
def test_the_c_library_is_built_from_the_crates_of_the_extension(features):
    library = crates("-p=trunkline-capi", f"-F={','.join(['beside-extension', *features])}")
    extension = crates("-p=trunkline-binding", f"-F={','.join(features)}")
    assert without(library, "trunkline-capi ") - extension == set()


def test_the_extension_for_tests_is_built_from_the_crates_of_the_rust_tests():
    extension = crates("-p=trunkline-binding", "-F=testing")
    tests = crates("--workspace", edges="normal,build,dev")
    assert without(extension, "trunkline-binding ") - tests == set()
