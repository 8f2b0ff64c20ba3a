"""Clients of a server that runs elsewhere, for commands."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def client_of(service: str, url: str, region: str) -> Any:
    """A client of the server at `url`; the environment may say who calls."""
    import boto3

    return boto3.session.Session(
        aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "000000000000"),
        aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "none"),
    ).client(service, endpoint_url=url, region_name=region)
