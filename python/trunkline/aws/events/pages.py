"""Lists that are shown page by page."""

from __future__ import annotations

from trunkline.aws.events.errors import invalid_parameter
from trunkline.aws.limits import EVENTS_PAGE_MAX
from trunkline.aws.pages import Pages

_PAGES = Pages(
    EVENTS_PAGE_MAX, lambda: invalid_parameter("NextToken", "Take it from the answer before.")
)

page, page_behind, start = _PAGES.page, _PAGES.page_behind, _PAGES.start
