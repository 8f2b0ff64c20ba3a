"""Words that the project used before it took the field's terms, and the files that still use them.

    python -m tests.tidy.words

The command takes files that became clean out of the list, `old_words.txt`. It never adds one: a
word that is back must be replaced by the term beside it.
"""

from __future__ import annotations

import re
from pathlib import Path

from . import tree

LIST = Path(__file__).parent / "old_words.txt"

# Each old word with the term that replaced it. Words are matched whole, inside identifiers too:
# `StandardRoom`, `has_room` and "room" are all the word "room".
TERMS = {
    "bell": "waker",
    "bite": "fail, find",
    "buried": "moved to the dead-letter queue",
    "bury": "dead-letter",
    "chore": "admin task",
    "clapper": "waker",
    "doomed": "deleted while claimed",
    "door": "surface, API",
    "hold still": "pause relocation",
    "house": "project, engine",
    "in vain": "without success",
    "judge": "evaluate, model",
    "restated": "explicit sequence number",
    "room": "capacity, crate, module, kind of queue",
    "settle lazily": "flush in background",
    "sort out": "partition",
    "stand under": "is indexed under",
    "tally": "counters",
    "toy": "echo service",
    "vocabulary": "types",
    "waitless": "non-blocking",
    "what nobody waits for": "unawaited writes",
    "whoever": "name the caller, thread or consumer",
}
# Plurals and the like, which the same entry forbids.
FORMS = re.compile(
    r"\b(" + "|".join(sorted(TERMS, key=len, reverse=True)) + r")(?:s|ed|ing|es)?\b",
    re.IGNORECASE,
)
SUFFIXES = (".rs", ".py", ".pyi", ".md", ".c", ".h")
# What was written down when it happened, and the list of words itself.
EXEMPT = ("CHANGELOG.md", "benches/records/", "tests/tidy/words.py", "tests/tidy/test_words.py")


def found_in(text: str) -> set[str]:
    """The old words in a text, in their plain form."""
    plain = re.sub(r"\n\s*(?://[/!]?|#)?\s*|(?<=[a-z])(?=[A-Z])|_|\s+", " ", text)
    return {match.lower() for match in FORMS.findall(plain)}


def uses() -> set[str]:
    """A line `word path` for each old word in each file."""
    return {
        f"{word.replace(' ', '_')} {name}"
        for path in tree.with_suffix(*SUFFIXES)
        if not (name := tree.relative(path)).startswith(EXEMPT)
        for word in found_in(path.read_text(encoding="utf-8", errors="replace"))
    }


def listed() -> set[str]:
    """The lines of the list."""
    return set(LIST.read_text(encoding="utf-8").split("\n")) - {""}


if __name__ == "__main__":
    kept = sorted(listed() & uses())
    LIST.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    print(f"{len(kept)} uses of old words are left")
