"""Queues to measure. Each fixture is opened before the clock runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import trunkline


@pytest.fixture
def engine() -> Iterator[trunkline.Engine]:
    """An engine in memory."""
    with trunkline.open() as engine:
        yield engine


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[trunkline.Engine]:
    """An engine on disk, each send synced."""
    with trunkline.open(tmp_path / "data") as engine:
        yield engine
