"""What one template may use: steps of work, nested levels, characters of output."""

from __future__ import annotations

from trunkline.aws.limits import (
    TEMPLATE_DEPTH_MAX,
    TEMPLATE_OUTPUT_CHARS_MAX,
    TEMPLATE_STEPS_MAX,
)

CHARS_A_STEP = 32
"""Making a text of so many characters counts as one step."""


class TemplateError(Exception):
    """A template that cannot be parsed or carried out; the message says where and why."""


class Budget:
    """Counts down; a template that uses it up ends with a TemplateError."""

    __slots__ = ("_steps", "depth")

    def __init__(self) -> None:
        self._steps = TEMPLATE_STEPS_MAX
        self.depth: int = 0

    def step(self, count: int = 1) -> None:
        """Takes `count` steps."""
        self._steps -= count
        if self._steps < 0:
            raise TemplateError(f"the template needs more than {TEMPLATE_STEPS_MAX} steps")

    def text(self, text: str) -> str:
        """Takes the steps for making `text`, and refuses one that is too long."""
        if len(text) > TEMPLATE_OUTPUT_CHARS_MAX:
            raise TemplateError(f"a text is longer than {TEMPLATE_OUTPUT_CHARS_MAX} characters")
        self.step(1 + len(text) // CHARS_A_STEP)
        return text

    def enter(self) -> None:
        """Goes one level down."""
        self.depth += 1
        if self.depth > TEMPLATE_DEPTH_MAX:
            raise TemplateError(f"more than {TEMPLATE_DEPTH_MAX} levels are nested")

    def leave(self) -> None:
        """Goes one level up again."""
        self.depth -= 1
