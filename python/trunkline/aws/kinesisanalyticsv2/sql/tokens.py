"""SQL in pieces: words, quoted names, texts and signs, without comments."""

from __future__ import annotations

import re

from trunkline._dataclasses import dataclass
from trunkline.aws.kinesisanalyticsv2.errors import bad_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<text>'(?:[^']|'')*')
    |(?P<name>"(?:[^"]|"")*")
    |(?P<word>[A-Za-z_][A-Za-z0-9_$]*)
    |(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)
    |(?P<sign><>|<=|>=|!=|\|\||::|[^\s])""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL."""

    kind: str
    """``text``, ``name`` (in quotes), ``word``, ``number`` or ``sign``."""
    text: str

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words, in any case."""
        return self.kind == "word" and self.text.upper() in words

    @property
    def identifier(self) -> str:
        """The name that it is: quoted as it stands, unquoted in capitals, as the dialect has it.

        >>> [token.identifier for token in tokens('price "Price"')]
        ['PRICE', 'Price']
        """
        if self.kind == "name":
            return self.text[1:-1].replace('""', '"')
        if self.kind == "word":
            return self.text.upper()
        raise bad_code(f"{self.text} stands where a name is expected.")


def tokens(sql: str) -> list[Token]:
    """The pieces of a statement.

    >>> [token.text for token in tokens("SELECT a -- all\\n FROM t")]
    ['SELECT', 'a', 'FROM', 't']
    """
    found = []
    for match in _TOKEN.finditer(sql):
        kind = str(match.lastgroup)
        if kind != "skip":
            found.append(Token(kind, match[0]))
    return found


def joined(pieces: Sequence[Token]) -> str:
    """The pieces as SQL again."""
    return " ".join(token.text for token in pieces)


def quoted(name: str) -> str:
    """A name as SQL has it in quotes."""
    return '"' + name.replace('"', '""') + '"'


def closing(pieces: Sequence[Token], opening: int) -> int:
    """The place of the bracket that closes the one at `opening`."""
    depth = 0
    for place in range(opening, len(pieces)):
        depth += {"(": 1, ")": -1}.get(pieces[place].text, 0)
        if depth == 0:
            return place
    raise bad_code("A bracket is not closed.")


def split(pieces: Sequence[Token], sign: str) -> list[list[Token]]:
    """The pieces between signs that stand outside of brackets.

    >>> [joined(part) for part in split(tokens("a, f(b, c)"), ",")]
    ['a', 'f ( b , c )']
    """
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in pieces:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.text == sign:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
