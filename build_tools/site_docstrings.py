"""What a docstring says in the forms of Python, in those of Markdown: an extension of Griffe.

Examples become blocks of code, and roles such as ``:meth:`send` `` plain names.
"""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object


class Docstrings(Extension):
    """Rewrites the docstring of every object."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called for each object once it is known."""
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    """A docstring as Markdown."""
    text = re.sub(r":(?:\w+:)?\w+:`~?\.?([^`]+)`", r"`\1`", text)
    lines: list[str] = []
    is_example = False
    for line in text.split("\n"):
        begins = line.lstrip().startswith(">>>")
        if begins and not is_example:
            lines += ["", "```pycon"]
            is_example = True
        elif is_example and not line.strip():
            lines.append("```")
            is_example = False
        lines.append(line.strip() if begins and line.startswith(" ") else line)
    return "\n".join([*lines, "```"] if is_example else lines)
