"""The pytest fixtures: an engine that answers AWS clients, its clock, a server of it.

The plugin is loaded by every run of pytest in the environment, so it imports nothing of Trunkline
before a fixture is used.
"""

from __future__ import annotations

from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trunkline import aio
    from trunkline._core import VirtualClock
    from trunkline.engine import Engine
    from trunkline.server import Server

_FOR_LOCAL = ("services", "passthrough")


def pytest_configure(config: pytest.Config) -> None:
    """Tells pytest of the marker."""
    config.addinivalue_line(
        "markers",
        "trunkline(**options): options of trunkline.open, and services= and passthrough= of "
        "trunkline.aws.local, for the fixture trunkline_engine",
    )


@pytest.fixture
def trunkline_clock() -> VirtualClock:
    """A virtual clock: the engine of the test stands on it."""
    import trunkline

    return trunkline.VirtualClock()


@pytest.fixture
def trunkline_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A fresh engine in memory, which answers all boto3 clients during the test.

    Where botocore is not installed there is just the engine. ``@pytest.mark.trunkline`` gives
    options: ``limits=``, ``trace=``, ``services=`` and so on.
    """
    import trunkline

    options: dict[str, object] = {}
    for marker in reversed(list(request.node.iter_markers("trunkline"))):
        if marker.args:
            raise pytest.UsageError("the marker trunkline takes keywords alone, such as limits=")
        options.update(marker.kwargs)
    if "trunkline_clock" in request.fixturenames:
        options["clock"] = request.getfixturevalue("trunkline_clock")
    for_local = {name: options.pop(name) for name in _FOR_LOCAL if name in options}
    with ExitStack() as stack:
        engine = stack.enter_context(trunkline.open(**options))  # type: ignore[arg-type]
        if find_spec("botocore") is not None:
            from trunkline.aws import local

            stack.enter_context(local(engine, **for_local))  # type: ignore[arg-type]
        yield engine


@pytest.fixture
def trunkline_aio_engine(trunkline_engine: Engine) -> aio.Engine:
    """The same engine for coroutines."""
    from trunkline import aio

    return aio.Engine(trunkline_engine)


@pytest.fixture
def trunkline_server(trunkline_engine: Engine) -> Iterator[Server]:
    """A server of the engine, at a free port of this machine: ``trunkline_server.url``."""
    from trunkline.server import Server

    with Server(trunkline_engine, port=0) as server:
        yield server
