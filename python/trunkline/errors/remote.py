"""Failures of the way to a server."""

from __future__ import annotations

from trunkline.errors.kinds import EngineUnavailable


class ServerUnreachable(EngineUnavailable):
    """No server answers at the address, or it ended the connection."""

    code = "ServerUnreachable"
