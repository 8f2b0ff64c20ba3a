"""The pytest fixture ``trunkline_engine``: an engine in memory that answers boto3 clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trunkline.engine import Engine


@pytest.fixture
def trunkline_engine() -> Iterator[Engine]:
    """A fresh engine in memory. boto3 clients made during the test are answered by it.

    Where botocore is not installed there is just the engine.
    """
    # Imported here: the plugin is loaded by every run of pytest in the environment.
    import trunkline

    with trunkline.open() as engine:
        try:
            from trunkline.aws import local
        except ImportError:
            yield engine
            return
        with local(engine):
            yield engine
