"""Random patterns of every operator, and similar events.

The generator builds an event from the values that its pattern names, with small changes: a value
beside the bound, a letter of the other case, a field that is left out, an object that is split over
an array. All choices come from one `random.Random`, so that a seed repeats them and hypothesis can
shrink them.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from . import reference
from .reference import Number, Object

TEXTS = (
    *("", "a", "ab", "b", "aba", "A", "Ab", "aB", "é", "É", "ß", "SS", "ss", "x*y", "a.b", "1"),
    *("null", "true", "10.0.0.7", "10.0.1.9", "2001:db8::1", "\\", "*", '"', "axb", "bab", "😀"),
    *(
        "😀b",
        "𐐀",
        "𐐨",
        "\u03c3",
        "\u03c2",
        "\u03a3",
        "k",
        "\u212a",
        "300",
        " a",
        "a/b",
        "\n",
        "\ud83d",
        "\u00e9a",
    ),
)
NUMBERS = (
    *("0", "-0", "0.0", "1", "1.0", "10e-1", "2", "2.5", "-3", "300", "300.0", "3.0e2", "3e2"),
    *("0.1", "0.10", "1e-1", "123456.789", "5e300", "9007199254740992", "-1e-7", "1E5", "100000"),
)
ROUNDED = (
    *("9007199254740993", "1e400", "0.1000000000000000055511151231257827", "12345678901234567"),
    *("-9007199254740993", "123456789012345678901234567890", "1e-400"),
)
WILD = ("*", "a*", "*b", "a*b", "*a*", "a*b*", "", "ab", "x\\*y", "*\\\\*", "é*", "*😀*", "*b*a")
NETWORKS = ("10.0.0.0/24", "10.0.0.0/23", "10.0.0.7/31", "0.0.0.0/1", "2001:db8::/32", "::/1")
KEYS = ("a", "b", "c", "d", "a.b", "", "é", "b.c")
COMPARISONS = ("=", "<", "<=", ">", ">=")
TEXT_OPERATORS = ("prefix", "suffix", "equals-ignore-case", "wildcard")


class Generator:
    """Makes patterns, and events similar to what a pattern asks for."""

    def __init__(self, random: Random, *, policies: bool = False) -> None:
        self.random = random
        # What filter policies know of anything-but.
        self.excluding = ("prefix", "suffix") if policies else TEXT_OPERATORS

    def chance(self, share: float) -> bool:
        """True in this share of the cases."""
        return self.random.random() < share

    # --- patterns --------------------------------------------------------------------------------

    def pattern(self, depth: int = 0, nested: bool = True) -> str:
        """The text of a valid pattern; `nested` allows objects and `$or`."""
        random = self.random
        members = []
        for key in random.sample(KEYS, random.randint(1, 3)):
            if nested and depth < 2 and self.chance(0.35):
                inner = self.pattern(depth + 1)
            else:
                inner = self.listed(self.wanted, 1, 3)
            members.append(f"{self.text(key)}:{inner}")
        if nested and depth < 2 and self.chance(0.2):
            options = self.listed(lambda: self.pattern(depth + 1), 2, 3)
            members.insert(random.randint(0, len(members)), f'"$or":{options}')
        if self.chance(0.04):
            members.append(random.choice(members))
        return "{" + ",".join(members) + "}"

    def wanted(self) -> str:
        """One entry of a field's list."""
        random = self.random
        kind = random.randrange(17)
        if kind < 3:
            return self.text(random.choice(TEXTS))
        if kind < 5:
            return random.choice((*NUMBERS, *ROUNDED))
        if kind == 5:
            return random.choice(("true", "false", "null"))
        operators = {
            6: self.exact,
            7: self.text_operator,
            8: self.text_operator,
            9: self.text_operator,
            10: self.folded_end,
            11: self.anything_but,
            12: self.anything_but,
            13: lambda: f'"numeric":{self.numeric()}',
            14: lambda: f'"exists":{random.choice(("true", "false"))}',
            15: lambda: f'"cidr":{self.text(random.choice(NETWORKS))}',
            16: lambda: f'"numeric":{self.numeric()}',
        }
        return "{" + operators[kind]() + "}"

    def exact(self) -> str:
        return f'"exactly":{self.text(self.random.choice(TEXTS))}'

    def text_operator(self) -> str:
        operator = self.random.choice(TEXT_OPERATORS)
        return f'"{operator}":{self.operand(operator)}'

    def folded_end(self) -> str:
        operator = self.random.choice(("prefix", "suffix"))
        return f'"{operator}":{{"equals-ignore-case":{self.text(self.random.choice(TEXTS))}}}'

    def operand(self, operator: str, empty: bool = True) -> str:
        texts = WILD if operator == "wildcard" else TEXTS
        return self.text(self.random.choice([text for text in texts if text or empty]))

    def anything_but(self) -> str:
        random = self.random
        if self.chance(0.4):
            of_texts = self.chance(0.5)

            def excluded() -> str:
                return self.text(random.choice(TEXTS)) if of_texts else random.choice(NUMBERS)

            operand = self.one_or_list(excluded)
        else:
            operator = random.choice(self.excluding)
            inner = self.one_or_list(lambda: self.operand(operator, empty=False))
            operand = f'{{"{operator}":{inner}}}'
        return f'"anything-but":{operand}'

    def numeric(self) -> str:
        random = self.random
        if self.chance(0.6):
            return f'["{random.choice(COMPARISONS)}",{random.choice(NUMBERS)}]'
        low, high = random.randint(-5, 5), random.randint(6, 400)
        below, above = random.choice((">", ">=")), random.choice(("<", "<="))
        return f'["{below}",{low},"{above}",{high}]'

    # --- events ----------------------------------------------------------------------------------

    def event(self, pattern: str) -> str:
        """The text of an event similar to what `pattern` asks for."""
        branch = self.random.choice(reference.branches_of(reference.read_pattern(pattern)))
        fields = []
        for path, wanted in branch.items():
            if self.chance(0.92):
                fields += [(path, value) for value in self.values(wanted)]
            if self.chance(0.05):
                fields.append((path + self.random.choice(("", ".", ".x")), self.scalar()))
        if self.chance(0.3):
            fields.append((self.random.choice(KEYS), self.scalar()))
        return self.object(fields)

    def attributes(self, policy: str) -> dict[str, tuple[str, str]]:
        """Message attributes similar to what `policy` asks for, as pairs of type and value."""
        found = {}
        for name, wanted in reference.branches_of(reference.read_pattern(policy))[0].items():
            for text in self.values(wanted) if self.chance(0.92) else []:
                value = reference.read(text)
                if isinstance(value, str) and not _is_encodable(value):
                    continue
                if isinstance(value, Number):
                    found[name] = ("Number", text)
                elif isinstance(value, str):
                    found[name] = ("String", value)
                else:
                    found[name] = ("String.Array", text if isinstance(value, list) else f"[{text}]")
            if self.chance(0.05):
                found[name] = ("Binary", "")
        return found

    def values(self, wanted: list[Any]) -> list[str]:
        """Values for a field: usually one that is wanted, sometimes a list, sometimes none."""
        values = [self.value_beside(self.random.choice(wanted))]
        while self.chance(0.15):
            values.append(self.scalar())
        found = [value for value in values if value is not None]
        self.random.shuffle(found)
        if len(found) > 1 and self.chance(0.9):
            return ["[" + ",".join(found) + "]"]
        return [f"[{value}]" if self.chance(0.1) else value for value in found[:1]]

    def object(self, fields: list[tuple[str, str]], depth: int = 0) -> str:
        """An object that holds these paths; dots are taken apart, or left in the key."""
        groups: dict[str, list[tuple[str, str]]] = {}
        members: list[str] = []
        for path, value in fields:
            head, dot, tail = path.partition(".")
            if dot and depth < 8 and not self.chance(0.12):
                groups.setdefault(head, []).append((tail, value))
            else:
                members.append(f"{self.text(path)}:{value}")
        for head, inner in groups.items():
            members.append(f"{self.text(head)}:{self.nested(inner, depth)}")
        self.random.shuffle(members)
        if members and self.chance(0.04):
            # The same key once more, before or after.
            key = self.random.choice(members).partition(":")[0]
            again = self.random.choice((self.scalar(), '{"b":1}', "[]"))
            members.insert(self.random.randint(0, len(members)), f"{key}:{again}")
        space = self.random.choice(("", "", "", " ", "\n "))
        return "{" + space + f",{space}".join(members) + space + "}"

    def nested(self, fields: list[tuple[str, str]], depth: int) -> str:
        """An object with these fields, or an array over whose elements they are spread."""
        if not self.chance(0.35):
            return self.object(fields, depth + 1)
        elements: list[list[tuple[str, str]]] = [[] for _ in range(self.random.randint(1, 3))]
        together = self.chance(0.5)
        home = self.random.choice(elements)
        for field in fields:
            (home if together else self.random.choice(elements)).append(field)
            if self.chance(0.2):
                self.random.choice(elements).append((field[0], self.scalar()))
        texts = [self.object(element, depth + 1) for element in elements]
        if self.chance(0.2):
            texts.insert(self.random.randint(0, len(texts)), self.scalar())
        if self.chance(0.15):
            texts = ["[" + ",".join(texts) + "]"]
        return "[" + ",".join(texts) + "]"

    def scalar(self) -> str:
        """Any value at all."""
        kind = self.random.randrange(12)
        if kind < 5:
            return self.text(self.random.choice(TEXTS))
        if kind < 9:
            return self.random.choice((*NUMBERS, *ROUNDED))
        return ("true", "false", "null")[kind - 9]

    def value_beside(self, want: Any) -> str | None:
        """A value that `want` accepts, or nearly; None where there should be none."""
        if isinstance(want, Number):
            return self.respelled(want)
        if isinstance(want, str):
            return self.text(self.changed(want))
        if not isinstance(want, Object):
            return json.dumps(want)
        ((operator, operand),) = want
        if operator == "exists":
            return self.scalar() if operand is (not self.chance(0.1)) else None
        if operator == "numeric":
            return self.beside(self.random.choice(operand[1::2]))
        if operator == "anything-but":
            return self.scalar() if self.chance(0.6) else self.excluded(operand)
        if isinstance(operand, Object):
            operand = self.recased(operand[0][1])
        return self.text(self.changed(self.fitting(operator, operand)))

    def excluded(self, operand: Any) -> str | None:
        if isinstance(operand, Object):
            ((operator, inner),) = operand
            one = self.random.choice(inner) if isinstance(inner, list) else inner
            return self.value_beside(Object([(operator, one)]))
        return self.value_beside(
            self.random.choice(operand) if isinstance(operand, list) else operand
        )

    def fitting(self, operator: str, operand: str) -> str:
        """A text that a text operator accepts."""
        more = self.random.choice(TEXTS)
        match operator:
            case "prefix":
                return operand + more
            case "suffix":
                return more + operand
            case "equals-ignore-case":
                return self.recased(operand)
            case "wildcard":
                return self.expanded(operand)
            case "cidr":
                return self.address(operand)
        return operand

    def expanded(self, wild: str) -> str:
        letters = iter(wild)
        return "".join(
            next(letters)
            if letter == "\\"
            else (self.random.choice(TEXTS) if letter == "*" else letter)
            for letter in letters
        )

    def recased(self, text: str) -> str:
        change = self.random.choice((str, str.upper, str.lower, str.swapcase))
        return "".join(change(letter) for letter in text)

    def address(self, network: str) -> str:
        base = network.partition("/")[0]
        if ":" in base:
            tails = ("1", "DB8:0:0:0:0:0:1", "8000::", "ffff:ffff")
            return self.random.choice((base, base + self.random.choice(tails), "2001:DB9::"))
        parts = base.split(".")
        where = self.random.randrange(4)
        parts[where] = str(int(parts[where]) + self.random.choice((0, 1, 127, 200, 255)))
        return ".".join(parts)

    def beside(self, bound: Number) -> str:
        value = float(bound) + self.random.choice((0, 0, 0, 0.5, -0.5, 1, -1, 1e-9))
        whole = value == int(value) and abs(value) < 1e15
        return self.respelled(Number(int(value) if whole else repr(value)))

    def respelled(self, number: Number) -> str:
        """The same number in other digits; or, seldom, another one."""
        text = str(number)
        plain = "e" not in text.lower() and len(text) < 12
        if not plain or self.chance(0.5):
            return text
        spelled = self.random.choice(("fraction", "exponent", "shifted", "other"))
        if spelled == "fraction":
            return text + ("0" if "." in text else ".0")
        if spelled == "exponent":
            return text + self.random.choice(("e0", "E+0", "e-0"))
        return f"{text}e1" if spelled == "other" else text

    def changed(self, text: str) -> str:
        """The text; or, seldom, with one letter more, less or other."""
        if not self.chance(0.15):
            return text
        where = self.random.randint(0, len(text))
        more = self.random.choice(("", "a", "b", "é", "*"))
        return text[:where] + more + text[where + self.random.randint(0, 1) :]

    # --- texts -----------------------------------------------------------------------------------

    def text(self, text: str) -> str:
        """A JSON string: as it is, or with escapes."""
        if self.chance(0.1):
            return '"' + "".join(f"\\u{unit:04x}" for unit in _units(text)) + '"'
        return json.dumps(text, ensure_ascii=not _is_encodable(text) or self.chance(0.3))

    def listed(self, make: Any, low: int, high: int) -> str:
        return "[" + ",".join(make() for _ in range(self.random.randint(low, high))) + "]"

    def one_or_list(self, make: Any) -> str:
        return make() if self.chance(0.5) else self.listed(make, 1, 3)


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _units(text: str) -> list[int]:
    data = text.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)]
