"""Defaults of clients that are answered in the process: region, credentials, endpoint."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BASE = "http://trunkline.local"
"""The address in the queue URLs that in-process clients see."""

REGION = "us-east-1"
"""The region of clients that name none."""

KEY, SECRET = "test", "test"
"""What emulators are called with; nothing checks it in the process."""


def region_of(session: Any) -> str:
    """The region that a session is configured for, or the one for those that name none."""
    region: str | None = getattr(session, "region_name", None)
    if region is None and hasattr(session, "get_config_variable"):
        region = session.get_config_variable("region")
    return region or REGION


def with_defaults(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a single client, with defaults for what was not given."""
    defaults = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "endpoint_url": BASE}
    return defaults | options


# The parameters of botocore's create_client after the service's name, in their order.
_ORDER = (
    "region_name",
    "api_version",
    "use_ssl",
    "verify",
    "endpoint_url",
    "aws_access_key_id",
    "aws_secret_access_key",
)


def fill(session: Any, args: tuple[Any, ...], options: dict[str, Any], *, is_served: bool) -> None:
    """Fills in what was not given, as a test without any configuration needs it.

    The endpoint is that of the process only where the service is served.
    """
    given = dict(zip(_ORDER, args, strict=False)) | options

    def missing(name: str) -> bool:
        return given.get(name) is None and _ORDER.index(name) >= len(args)

    if is_served and missing("endpoint_url"):
        options["endpoint_url"] = BASE
    if missing("region_name") and session.get_config_variable("region") is None:
        options["region_name"] = REGION
    # Asking the session for credentials may go out to the network and wait; this does not.
    known = "AWS_ACCESS_KEY_ID" in os.environ or session._credentials is not None
    if missing("aws_access_key_id") and not known:
        options["aws_access_key_id"], options["aws_secret_access_key"] = KEY, SECRET
