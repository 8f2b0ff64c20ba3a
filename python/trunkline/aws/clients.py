"""The earlier name of :mod:`trunkline.aws.invoker`."""

from __future__ import annotations

from trunkline.aws.invoker import InvocationFailed
from trunkline.aws.invoker import ServiceInvoker as Clients

__all__ = ["Clients", "InvocationFailed"]
