"""Words that the project used before it took the field's terms. No file says them again."""

from __future__ import annotations

import re

from . import tree

# Each old word with the term that replaced it. Words are matched whole, inside identifiers too:
# `StandardRoom`, `has_room` and "room" are all the word "room".
TERMS = {
    "anybody": "name the caller, thread or consumer",
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
    "everybody": "name the callers, threads or consumers",
    "fair lane": "fair scheduler",
    "judge": "evaluate, model",
    "nobody": "name the caller, thread or consumer",
    "restated": "explicit sequence number",
    "room": "capacity, crate, module, kind of queue",
    "settle lazily": "flush in background",
    "somebody": "name the caller, thread or consumer",
    "sort out": "partition",
    "stand under": "is indexed under",
    "tally": "counters",
    "toy": "echo service",
    "vocabulary": "types",
    "waitless": "non-blocking",
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


def uses() -> set[tuple[str, str]]:
    """Each old word in each file, as `(word, path)`."""
    return {
        (word, name)
        for path in tree.with_suffix(*SUFFIXES)
        if not (name := tree.relative(path)).startswith(EXEMPT)
        for word in found_in(path.read_text(encoding="utf-8", errors="replace"))
    }
