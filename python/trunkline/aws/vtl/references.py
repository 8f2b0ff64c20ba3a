"""Reads references and expressions: what stands behind a `$`, and inside of parentheses."""

from __future__ import annotations

import re
from functools import partial

from trunkline.aws.vtl.nodes import (
    Binary,
    Index,
    Interpolated,
    ListOf,
    Literal,
    MapOf,
    Method,
    Not,
    Property,
    RangeOf,
    Reference,
)
from trunkline.aws.vtl.scanner import NAME, Scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.vtl.nodes import Block, Expression, Step

_START = re.compile(r"\$!?\{?[A-Za-z_]")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[a-z]+\b")
_QUOTED = {"'": re.compile(r"'(?:[^']|'')*'"), '"': re.compile(r'"(?:[^"]|"")*"')}
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")
_INTEGER_DIGITS_MAX = 19
CHAIN_MAX = 100
"""The most operators of one level in a row, such as in `$a + $b + $c`."""

# From the weakest to the strongest; each operator may be a word too.
_LEVELS: tuple[tuple[re.Pattern[str], dict[str, str]], ...] = (
    (re.compile(r"\|\||or\b"), {"or": "||"}),
    (re.compile(r"&&|and\b"), {"and": "&&"}),
    (re.compile(r"==|!=|eq\b|ne\b"), {"eq": "==", "ne": "!="}),
    (
        re.compile(r"<=|>=|<|>|le\b|ge\b|lt\b|gt\b"),
        {"le": "<=", "ge": ">=", "lt": "<", "gt": ">"},
    ),
    (re.compile(r"[+-]"), {}),
    (re.compile(r"[*/%]"), {}),
)


class References(Scanner):
    """Reads references and expressions."""

    def interpolate(self, text: str) -> Block:
        """The block for the inside of a text in double quotes."""
        raise NotImplementedError

    def reference(self) -> Reference | None:
        """Reads a reference, if one comes next."""
        start = self.at
        if _START.match(self.source, start) is None:
            return None
        self.at += 1
        self.accept("!")
        in_braces = self.accept("{")
        name = self.match(NAME) or ""
        steps = self._steps()
        if in_braces and not self.accept("}"):
            self.at = start
            return None
        return Reference(name, steps)

    def _steps(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        while True:
            if self.source.startswith(".", self.at):
                found = NAME.match(self.source, self.at + 1)
                if found is None:
                    break
                self.at = found.end()
                steps.append(self._member(found.group()))
            elif self.accept("["):
                steps.append(Index(self.expression()))
                self.expect("]")
            else:
                break
        return tuple(steps)

    def _member(self, name: str) -> Step:
        if not self.accept("("):
            return Property(name)
        return Method(name, self._separated(")"))

    def _separated(self, end: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        self.space()
        while not self.accept(end):
            if items:
                self.accept(",")
            items.append(self.expression())
            self.space()
        return tuple(items)

    def expression(self, level: int = 0) -> Expression:
        """Reads an expression. A chain of operators nests to the left, so its length is bounded."""
        if level == 0:
            self.enter()
        operand = self._unary if level == len(_LEVELS) - 1 else partial(self.expression, level + 1)
        pattern, words = _LEVELS[level]
        left = operand()
        chained = 0
        while (operator := self._operator(pattern)) is not None:
            left = Binary(words.get(operator, operator), left, operand())
            chained += 1
            if chained > CHAIN_MAX:
                self.fail(f"more than {CHAIN_MAX} operators follow each other")
        if level == 0:
            self.leave()
        return left

    def _operator(self, pattern: re.Pattern[str]) -> str | None:
        before = self.at
        self.space()
        operator = self.match(pattern)
        if operator is None:
            self.at = before
        return operator

    def _unary(self) -> Expression:
        self.space()
        if self.accept("!") or self._word("not"):
            self.enter()
            operand = self._unary()
            self.leave()
            return Not(operand)
        if self.accept("("):
            inner = self.expression()
            self.expect(")")
            return inner
        return self._operand()

    def _word(self, word: str) -> bool:
        found = _WORD.match(self.source, self.at)
        if found is None or found.group() != word:
            return False
        self.at: int = found.end()
        return True

    def _operand(self) -> Expression:
        reference = self.reference()
        if reference is not None:
            return reference
        number = self.match(_NUMBER)
        if number is not None:
            return Literal(self._number(number))
        for quote, pattern in _QUOTED.items():
            if self.source.startswith(quote, self.at):
                return self._text(quote, self.match(pattern))
        if self.accept("["):
            return self._list()
        if self.accept("{"):
            return self._map()
        for word, value in (("true", True), ("false", False)):
            if self._word(word):
                return Literal(value)
        return self.fail("a value is missing")

    def _number(self, text: str) -> float:
        if text.lstrip("-").isdigit():
            if len(text) > _INTEGER_DIGITS_MAX:
                self.fail("the number has too many digits")
            return int(text)
        return float(text)

    def _text(self, quote: str, quoted: str | None) -> Expression:
        if quoted is None:
            self.fail("the text has no end")
        text = quoted[1:-1].replace(quote * 2, quote)
        if quote == "'":
            return Literal(text)
        text = _UNICODE.sub(lambda found: chr(int(found.group(1), 16)), text)
        if "$" in text or "#" in text:
            return Interpolated(self.interpolate(text))
        return Literal(text)

    def _list(self) -> Expression:
        self.space()
        if self.accept("]"):
            return ListOf(())
        first = self.expression()
        self.space()
        if self.accept(".."):
            last = self.expression()
            self.expect("]")
            return RangeOf(first, last)
        self.accept(",")
        return ListOf((first, *self._separated("]")))

    def _map(self) -> Expression:
        entries: list[tuple[Expression, Expression]] = []
        self.space()
        while not self.accept("}"):
            if entries:
                self.expect(",")
            key = self.expression()
            self.expect(":")
            entries.append((key, self.expression()))
            self.space()
        return MapOf(tuple(entries))
