"""Where `unsafe` is, and what tries it: Miri where Rust's own rules decide, tests in the process
where it is a call of C or of the interpreter, which Miri cannot run."""

from __future__ import annotations

import re

from . import tree

MIRI = "make test-miri"
CALLS = "calls of C or of the interpreter"
FEATURE = "vouches for a feature of the processor that was asked for, and for nothing else"

# Every file of the sources with unsafe code, exactly, and what tries it.
FILES = {
    "core/arrow/src/export.rs": MIRI,
    "core/binding/src/event_file.rs": CALLS,
    "core/binding/src/gil_cell.rs": CALLS,
    "core/binding/src/python_call.rs": CALLS,
    "core/binding/src/queue/awaitable/slots.rs": CALLS,
    "core/binding/src/raw_object.rs": CALLS,
    "core/binding/src/signals.rs": CALLS,
    "core/capi/src/border.rs": CALLS,
    "core/capi/src/messages.rs": CALLS,
    "core/capi/src/options.rs": CALLS,
    "core/capi/src/records.rs": CALLS,
    "core/pattern/src/cow/prefetch.rs": MIRI,
    "core/pattern/src/json/skip_simd.rs": MIRI,
    "core/pattern/src/json/string_ends.rs": MIRI,
    "core/queue/src/standard/body.rs": MIRI,
    "core/queue/src/standard/once_box.rs": MIRI,
    "core/queue/src/standard/shared_body.rs": MIRI,
    "core/timer/src/inbox.rs": MIRI,
    "core/types/src/fork.rs": CALLS,
    "core/types/src/raw_clock.rs": CALLS,
    "core/wire/src/md5_simd.rs": FEATURE,
}

UNSAFE = re.compile(r"\bunsafe (?:\{|fn\b|impl\b|trait\b)")


def has_unsafe(text: str) -> bool:
    return any(UNSAFE.search(line.partition("//")[0]) for line in text.splitlines())


def test_unsafe_code_is_in_the_files_that_are_made_for_it() -> None:
    sources = {tree.relative(path): path for path in tree.with_suffix(".rs")}
    found = {
        name
        for name, path in sources.items()
        if re.match(r"core/(?!fuzz/)\w+/src/", name) and has_unsafe(path.read_text("utf-8"))
    }
    assert found == set(FILES)


def test_miri_runs_the_crates_whose_unsafe_code_it_is_to_try() -> None:
    makefile = (tree.ROOT / "Makefile").read_text("utf-8")
    recipe = re.search(r"^test-miri:.*?\n\n", makefile, re.DOTALL | re.MULTILINE)
    assert recipe is not None
    named = set(re.findall(r"-p trunkline-(\w+)", recipe[0]))
    wanted = {name.split("/")[1] for name, tried in FILES.items() if tried == MIRI}
    assert wanted == named
