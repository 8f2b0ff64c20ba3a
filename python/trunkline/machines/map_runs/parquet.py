"""Rows of Parquet, through the package pyarrow."""

from __future__ import annotations

from trunkline.machines.map_runs.request import READER_FAILED, MapRunFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Any


def rows(file: IO[bytes], name: str, at_once: int) -> Iterator[Any]:
    """The rows of a file, each a dict; `name` is told if it cannot be read."""
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        text = "Items in Parquet need pyarrow: pip install 'trunkline[parquet]'."
        raise MapRunFailed(READER_FAILED, text) from None
    try:
        for batch in parquet.ParquetFile(file).iter_batches(at_once):
            yield from batch.to_pylist()
    except (OSError, ValueError) as problem:
        text = f"The object {name} is not Parquet: {problem}"
        raise MapRunFailed(READER_FAILED, text) from None
