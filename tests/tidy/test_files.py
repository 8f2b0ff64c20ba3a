"""Length, width, words and weight of files."""

from __future__ import annotations

import re

import pytest

from . import tree

LINES_MAX = 450
COLUMNS_MAX = 100
BLOB_BYTES_MAX = 400_000

# Longer than LINES_MAX, exactly: the list may shrink, and an entry that is no longer needed fails.
LONG_FILES: set[str] = set()

# Heavier than BLOB_BYTES_MAX, with the reason.
BLOBS: dict[str, str] = {}

# Prose has no columns: a sentence of a table cannot be broken.
CODE = (".rs", ".py", ".pyi", ".c", ".h")

# A sentence for a person, alone on its line: rustfmt does not break it, and neither do we.
SENTENCE = re.compile(r"\s*\"[^\"]*(\",?|\\)$")

# Written apart, so that this file does not name itself.
BANNED = [
    "TO" + "DO",
    "FIX" + "ME",
    "XX" + "X:",
    "/ho" + "me/",
    "/ro" + "ot/",
    "/wo" + "rk/",
    "/tmp/t" + "k",
    "crates" + ".io",
    "pypi" + ".org",
]
# Written by tools, with the words of the tools.
GENERATED = {"Cargo.lock", "benches/patterns/Cargo.lock", "core/fuzz/Cargo.lock"}


def text_of(name: str) -> str:
    if name.endswith(".png"):
        return ""  # Any letters may follow each other in compressed bytes.
    return (tree.ROOT / name).read_text(encoding="utf-8", errors="replace")


def test_files_are_short() -> None:
    long = {
        tree.relative(path)
        for path in tree.with_suffix(".rs", ".py", ".pyi")
        if len(path.read_text(encoding="utf-8").splitlines()) > LINES_MAX
    }
    assert long == LONG_FILES, "split what is new here; take out of the list what became short"


def test_lines_are_narrow() -> None:
    wide = [
        f"{tree.relative(path)}:{number}"
        for path in tree.with_suffix(*CODE)
        if tree.relative(path) not in GENERATED
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > COLUMNS_MAX and "http" not in line and not SENTENCE.match(line)
    ]
    assert not wide


@pytest.mark.parametrize("word", BANNED)
def test_no_file_says(word: str) -> None:
    guilty = [
        name
        for name in map(tree.relative, tree.files())
        if name not in GENERATED and re.search(rf"(?<!\w){re.escape(word)}", text_of(name))
    ]
    assert not guilty


def test_no_big_blobs() -> None:
    heavy = {tree.relative(path) for path in tree.files() if path.stat().st_size > BLOB_BYTES_MAX}
    assert heavy == set(BLOBS)


def test_text_ends_with_one_newline_and_has_no_trailing_blanks() -> None:
    for path in tree.with_suffix(".rs", ".py", ".pyi", ".md", ".toml"):
        text = path.read_text(encoding="utf-8")
        assert not text or (text.endswith("\n") and not text.endswith("\n\n")), tree.relative(path)
        assert not re.search(r"[ \t]+$", text, re.MULTILINE), tree.relative(path)
