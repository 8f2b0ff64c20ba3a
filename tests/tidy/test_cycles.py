"""No modules use each other in a circle, in the crates and in the package.

A parent and its children may: they are one thing in several files.
"""

from __future__ import annotations

import pytest

from . import rust_modules, tree

# The crates that still have circles, and the modules in them. A module that left its circle has to
# leave the list.
RUST_CIRCLES = {
    "journal": {
        # One type, `Shared`, whose methods stand in a file a concern.
        *("background", "commit", "disk_full", "segment_writer", "shared"),
        *("folder", "storage::file"),
        *("sim::crash", "sim::disk"),
    },
}
PYTHON_CIRCLES: set[str] = set()


@pytest.mark.parametrize("crate", sorted(tree.crates()))
def test_the_modules_of_a_crate_use_each_other_in_one_direction(crate: str) -> None:
    if crate == "fuzz":
        pytest.skip("its programs are crates of their own")
    graph = rust_modules.uses(crate)
    found = {"::".join(module) for circle in rust_modules.circles(graph) for module in circle}
    edges = {
        "::".join(one): sorted("::".join(other) for other in others if "::".join(other) in found)
        for one, others in graph.items()
        if "::".join(one) in found
    }
    listed = RUST_CIRCLES.get(crate, set())
    assert found <= listed, f"new in a circle: {sorted(found - listed)}; who uses whom: {edges}"
    assert found == listed, f"left its circle, take it out of the list: {sorted(listed - found)}"


def test_the_modules_of_the_package_use_each_other_in_one_direction() -> None:
    known = tree.modules()
    graph: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for name, path in known.items():
        module = tuple(name.split("."))
        graph[module] = set()
        for imported in tree.imports(path, at_import_time=False):
            names = (imported, imported.rpartition(".")[0])
            target = tuple(next((one for one in names if one in known), name).split("."))
            if not rust_modules.related(module, target):
                graph[module].add(target)
    found = {".".join(module) for circle in rust_modules.circles(graph) for module in circle}
    assert found == PYTHON_CIRCLES


def test_a_circle_is_found_and_a_parent_is_none() -> None:
    a, b, c = ("a",), ("b",), ("a", "c")
    assert rust_modules.circles({a: {b}, b: {a}, c: set()}) == [[a, b]]
    assert rust_modules.circles({a: {b}, b: {c}, c: set()}) == []
    assert rust_modules.related(a, c)
    assert not rust_modules.related(b, c)
    assert rust_modules.expand("a::{b, c::{d, e as f}}") == ["a::b", "a::c::d", "a::c::e"]
