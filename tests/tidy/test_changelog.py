"""CHANGELOG.md keeps the form of Keep a Changelog, for users."""

from __future__ import annotations

import re
import tomllib

from . import tree

SECTIONS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
CHANGELOG = (tree.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_releases_are_dated_and_newest_first() -> None:
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    versions = []
    for heading in headings[1:]:
        match = re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - \d{4}-\d{2}-\d{2}", heading)
        assert match, heading
        versions.append(tuple(map(int, match.groups())))
    assert versions == sorted(versions, reverse=True)


def test_sections_are_known_and_in_order() -> None:
    for release in re.split(r"^## ", CHANGELOG, flags=re.MULTILINE)[1:]:
        sections = re.findall(r"^### (.+)$", release, re.MULTILINE)
        assert sections == [name for name in SECTIONS if name in sections]


def test_versions_agree() -> None:
    workspace = tomllib.loads((tree.ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    version = workspace["workspace"]["package"]["version"]
    for crate, manifest in tree.crates().items():
        if crate != "fuzz":
            assert manifest["package"]["version"] == {"workspace": True}, crate
    released = re.findall(r"^## \[(\d.+?)\]", CHANGELOG, re.MULTILINE)
    assert not released or released[0] == version
