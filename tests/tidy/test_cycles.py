"""No modules use each other in a circle, in the crates and in the package.

A parent and its children may: they are one thing in several files.
"""

from __future__ import annotations

import pytest

from . import rust_modules, tree


@pytest.mark.parametrize("crate", sorted(tree.crates()))
def test_the_modules_of_a_crate_use_each_other_in_one_direction(crate: str) -> None:
    if crate == "fuzz":
        pytest.skip("its programs are crates of their own")
    graph = rust_modules.uses(crate)
    found = {module for circle in rust_modules.circles(graph) for module in circle}
    edges = {
        "::".join(one): sorted("::".join(other) for other in graph[one] & found)
        for one in sorted(found)
    }
    assert not found, f"a circle; who uses whom: {edges}"


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
    found = [[".".join(module) for module in circle] for circle in rust_modules.circles(graph)]
    assert not found, f"a circle: {found}"


def test_a_circle_is_found_and_a_parent_is_none() -> None:
    a, b, c = ("a",), ("b",), ("a", "c")
    assert rust_modules.circles({a: {b}, b: {a}, c: set()}) == [[a, b]]
    assert rust_modules.circles({a: {b}, b: {c}, c: set()}) == []
    assert rust_modules.related(a, c)
    assert not rust_modules.related(b, c)
    assert rust_modules.expand("a::{b, c::{d, e as f}}") == ["a::b", "a::c::d", "a::c::e"]
