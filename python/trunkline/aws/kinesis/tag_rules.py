"""What tags streams and consumers take."""

from __future__ import annotations

import re

from trunkline.aws.kinesis.errors import invalid
from trunkline.aws.limits import TAGS_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# What kinesalite found that AWS takes.
_FOREIGN = re.compile(r"[^\u00C0-\u1FFF\u2C00-\uD7FF\w./\-=+_ @%:]")


def check_tags(
    given: Mapping[str, str], known: Mapping[str, str], stream: str, account: str
) -> None:
    """Raises for tags that a stream does not take."""
    texts = [*given, *given.values()]
    if any(_FOREIGN.search(text) for text in texts):
        raise invalid(
            "Some tags contain invalid characters. Valid characters: Unicode letters, digits, "
            "white space, _ . / = + - % @ :."
        )
    if any("%" in text for text in texts):
        raise invalid(
            f"Failed to add tags to stream {stream} under account {account} because some tags "
            "contained illegal characters. The allowed characters are Unicode letters, "
            "white-spaces, '_',',','/','=','+','-','@',':'."
        )
    if len({*given, *known}) > TAGS_MAX:
        raise invalid(
            f"Failed to add tags to stream {stream} under account {account} because a given "
            f"stream cannot have more than {TAGS_MAX} tags associated with it."
        )
