"""A position in the text of a template."""

from __future__ import annotations

import re

from trunkline.aws.limits import TEMPLATE_DEPTH_MAX
from trunkline.aws.vtl.budget import TemplateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
SPACE = re.compile(r"\s*")


class Scanner:
    """Reads a text from its start to its end."""

    def __init__(self, source: str, depth: int = 0) -> None:
        self.source = source
        self.at: int = 0
        self.depth: int = depth

    def fail(self, problem: str) -> NoReturn:
        """Raises a TemplateError that names the position."""
        line = self.source.count("\n", 0, self.at) + 1
        column = self.at - (self.source.rfind("\n", 0, self.at) + 1) + 1
        raise TemplateError(f"line {line}, column {column}: {problem}")

    def enter(self) -> None:
        """Goes one level of nesting down."""
        self.depth += 1
        if self.depth > TEMPLATE_DEPTH_MAX:
            self.fail(f"more than {TEMPLATE_DEPTH_MAX} levels are nested")

    def leave(self) -> None:
        """Goes one level of nesting up."""
        self.depth -= 1

    def accept(self, text: str) -> bool:
        """Passes `text`, if it comes next."""
        if not self.source.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """Passes what matches, and returns it."""
        found = pattern.match(self.source, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found.group()

    def space(self) -> None:
        """Passes white space."""
        self.match(SPACE)

    def expect(self, text: str) -> None:
        """Passes white space and `text`, which has to come next."""
        self.space()
        if not self.accept(text):
            found = self.source[self.at : self.at + 1]
            self.fail(f"{text!r} is missing before {found!r}" if found else f"{text!r} is missing")
