"""The words of our signatures, for type checkers only: no program imports this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from os import PathLike
from typing import Any, Literal, TypeAlias

from trunkline._core import AsyncMessage, Message

Body: TypeAlias = bytes | str | bytearray | memoryview
"""What a message may carry. Text is sent as UTF-8."""

Seconds: TypeAlias = float | timedelta
"""A span of time: seconds as int or float, or a timedelta."""

RetryDelay: TypeAlias = Seconds | Callable[[Any], Seconds]
"""When a message whose handling failed is visible again: a span, or a function of the message."""

Durability: TypeAlias = Literal["disk", "os", "memory"]
"""What "acknowledged" means."""

_Plain: TypeAlias = str | float | Decimal | bytes
AttributeValue: TypeAlias = _Plain | tuple[str, _Plain]
"""str is a String, a number a Number, bytes a Binary; a pair names its type itself."""

Attributes: TypeAlias = Mapping[str, AttributeValue]
"""Message attributes by name."""

Delivery: TypeAlias = Message | AsyncMessage | str
"""A delivery, named by its message or by its receipt."""

Path: TypeAlias = str | PathLike[str]
"""A path of the file system."""
