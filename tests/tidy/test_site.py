"""The site: every page of the documentation is in it, and it builds without a warning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from . import tree

yaml = pytest.importorskip("yaml")

CONFIG = tree.ROOT / "mkdocs.yml"
HOOK = tree.ROOT / "build_tools" / "site.py"


def _pages(nav: Any) -> set[str]:
    if isinstance(nav, str):
        return {nav}
    members = nav.values() if isinstance(nav, dict) else nav
    return {page for member in members for page in _pages(member)}


def test_every_page_is_in_the_navigation_and_every_entry_is_a_page() -> None:
    listed = _pages(yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["nav"])
    docs = tree.ROOT / "docs"
    written = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    assert written <= listed, f"not in mkdocs.yml: {sorted(written - listed)}"
    made = {page for page in listed - written if page not in ("index.md",)}
    hook = HOOK.read_text(encoding="utf-8")
    for page in made:
        name = Path(page).stem
        assert page.startswith("reference/"), page
        assert f'"{name}"' in hook or f'"{page}"' in hook, page


def test_the_site_builds_in_strict_mode(tmp_path: Path) -> None:
    # Its tools are not part of the others: `make site` installs them.
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings_handlers")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=tree.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-4_000:]
    for page in ("index.html", "reference/trunkline/index.html", "reference/command/index.html"):
        assert (tmp_path / page).is_file(), page
    text = (tmp_path / "reference/trunkline/index.html").read_text(encoding="utf-8")
    assert "trunkline.queues.queue.Queue" in text
    assert "redrive-tasks" in (tmp_path / "reference/paths/index.html").read_text(encoding="utf-8")
