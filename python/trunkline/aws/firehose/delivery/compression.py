"""Compression of objects, and the file extensions that go with it."""

from __future__ import annotations

import gzip
import io
import zipfile
from importlib.util import find_spec

from trunkline.aws.firehose.errors import invalid

EXTENSIONS = {
    "UNCOMPRESSED": "",
    "GZIP": ".gz",
    "ZIP": ".zip",
    "Snappy": ".snappy",
    "HADOOP_SNAPPY": ".snappy",
}
"""What is added to the name of an object."""

_HADOOP_BLOCK_BYTES = 1 << 18


def check_compression(name: str) -> None:
    """Raises for a compression whose library is not there."""
    if "SNAPPY" in name.upper() and find_spec("cramjam") is None:
        raise invalid("Snappy needs cramjam: pip install 'trunkline[firehose]'.")


def compress(data: bytes, name: str, entry: str) -> bytes:
    """Data in a format; `entry` is the name of the one file in a zip archive.

    >>> import gzip
    >>> gzip.decompress(compress(b"one coffee", "GZIP", "clicks"))
    b'one coffee'
    """
    if name == "GZIP":
        return gzip.compress(data, mtime=0)
    if name == "ZIP":
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(entry), data, zipfile.ZIP_DEFLATED)
        return whole.getvalue()
    if name == "Snappy":
        from cramjam import snappy

        return bytes(snappy.compress(data))
    if name == "HADOOP_SNAPPY":
        return _hadoop(data)
    return data


def _hadoop(data: bytes) -> bytes:
    """Blocks of Hadoop: the length of a block, the length of its compressed form, and that."""
    from cramjam import snappy

    whole = bytearray()
    for start in range(0, len(data), _HADOOP_BLOCK_BYTES):
        block = data[start : start + _HADOOP_BLOCK_BYTES]
        packed = bytes(snappy.compress_raw(block))
        whole += len(block).to_bytes(4, "big") + len(packed).to_bytes(4, "big") + packed
    return bytes(whole)
