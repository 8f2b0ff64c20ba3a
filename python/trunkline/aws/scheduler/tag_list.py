"""Tags as AWS's API gives them, and as they are kept."""

from __future__ import annotations

from trunkline.aws.limits import TAGS_MAX
from trunkline.aws.scheduler.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def as_mapping(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tags by their keys; raises for what may not be a tag."""
    found = {tag["Key"]: tag["Value"] for tag in tags}
    if len(found) < len(tags):
        raise invalid("Duplicate tag keys are not allowed.")
    if len(found) > TAGS_MAX:
        raise invalid(f"A resource has at most {TAGS_MAX} tags.")
    if any(key.lower().startswith("aws:") for key in found):
        raise invalid("Tag keys that start with aws: are reserved for system use.")
    return found
