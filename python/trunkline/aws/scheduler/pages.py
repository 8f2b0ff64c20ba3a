"""Lists that are shown page by page."""

from __future__ import annotations

from trunkline.aws.limits import SCHEDULES_PAGE_MAX
from trunkline.aws.pages import Pages
from trunkline.aws.scheduler.errors import invalid

page_behind = Pages(
    SCHEDULES_PAGE_MAX, lambda: invalid("Invalid NextToken. Take it from the answer before.")
).page_behind
