"""The children of a map run that did not end well before a redrive."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Again:
    """Those that have not gone on yet, with the sum of their items: one bit a child.

    A redrive goes through the children in the order of their numbers.
    """

    def __init__(self, behind: int = 0) -> None:
        self.behind: int = behind
        """Those with lower numbers have gone on."""
        self.children: int = 0
        self.items: int = 0
        self._bits = bytearray()

    def add(self, part: Mapping[str, int]) -> None:
        """Takes in children, by their numbers, each with its items."""
        for text, items in part.items():
            index = int(text)
            byte, bit = index >> 3, 1 << (index & 7)
            if byte >= len(self._bits):
                self._bits.extend(bytes(byte + 1 - len(self._bits)))
            if index >= self.behind and not self._bits[byte] & bit:
                self._bits[byte] |= bit
                self.children += 1
                self.items += items

    def take(self, index: int, items: int) -> bool:
        """Whether a child is one of them; it goes on now."""
        self.behind = max(self.behind, index + 1)
        if not self.has(index):
            return False
        self._bits[index >> 3] &= ~(1 << (index & 7))
        self.children -= 1
        self.items -= items
        return True

    def has(self, index: int) -> bool:
        """Whether a child is one of them."""
        return index >> 3 < len(self._bits) and bool(self._bits[index >> 3] >> (index & 7) & 1)

    def counts(self) -> dict[str, int]:
        """How many there are, and where the redrive stands."""
        return {"behind": self.behind, "children": self.children, "items": self.items}
