"""The console: pages that the server shows a browser at ``/_trunkline``.

They are static files without a build step, and get what they show from the operator's verbs
(:mod:`trunkline.admin`), as the command line does. ``docs/console.md`` says what they are for.

>>> from trunkline import console
>>> content_type, body = console.asset("app.js")
>>> content_type
'text/javascript; charset=utf-8'
>>> console.asset("../__init__.py") is None
True
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}


@cache
def _files() -> frozenset[str]:
    found = (path for path in FOLDER.rglob("*") if path.suffix in CONTENT_TYPES)
    return frozenset(path.relative_to(FOLDER).as_posix() for path in found)


def asset(name: str) -> tuple[str, bytes] | None:
    """The content type and the bytes of a file of the console; None if there is no such file.

    The first page has the empty name.
    """
    name = name or "index.html"
    # Only names that were found: no path that a caller makes up leaves the folder.
    if name not in _files():
        return None
    path = FOLDER / name
    return CONTENT_TYPES[path.suffix], path.read_bytes()
