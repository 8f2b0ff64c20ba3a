"""Where objects go: a bucket of this engine, or a folder of the local disk in the same layout.

A folder is named by a bucket ARN whose account and region are a ``file://`` address, so that
unchanged SDKs send it: ``arn:file:///var/lake:s3:::clicks`` is the folder ``clicks`` in
``/var/lake``. Only folders below one that this process allowed are written.
"""

from __future__ import annotations

import re
from pathlib import Path

from trunkline._dataclasses import dataclass
from trunkline._per_engine import PerEngine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine

_FOLDER = re.compile(r"arn:file://(/.*):s3:::([^:/]+)", re.DOTALL)
_BUCKET = re.compile(r"arn:[^:]*:s3:::([^:/]+)")

_ALLOWED = PerEngine[list[Path]](lambda _: [])
"""The folders that may be written."""


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket by its name, or a folder by its path."""

    bucket: str
    folder: Path | None = None


def read_place(arn: str) -> Place | None:
    """The place that a bucket ARN names; None for a text that is none.

    >>> read_place("arn:aws:s3:::clicks")
    Place(bucket='clicks', folder=None)
    >>> str(read_place("arn:file:///var/lake:s3:::clicks").folder)
    '/var/lake/clicks'
    >>> read_place("arn:aws:sqs:us-east-1:000000000000:q") is read_place("arn:file://x:s3:::a")
    True
    """
    found = _FOLDER.fullmatch(arn)
    if found is not None:
        below = Path(found[1])
        if found[2] in (".", "..") or ".." in below.parts or "\0" in arn:
            return None
        return Place(found[2], below / found[2])
    found = _BUCKET.fullmatch(arn)
    return None if found is None or arn.startswith("arn:file") else Place(found[1])


def folder_arn(folder: Path) -> str:
    """The bucket ARN of a folder.

    >>> folder_arn(Path("/var/lake/clicks"))
    'arn:file:///var/lake:s3:::clicks'
    """
    return f"arn:file://{folder.parent}:s3:::{folder.name}"


def allow_folder(core: CoreEngine, folder: Path) -> None:
    """Lets delivery streams of an engine write to a folder and to those below it."""
    resolved, known = folder.resolve(), _ALLOWED.of(core)
    if resolved not in known:
        known.append(resolved)


def is_allowed(core: CoreEngine, folder: Path) -> bool:
    """Whether a folder may be written, wherever its links lead."""
    resolved = folder.resolve()
    return any(resolved.is_relative_to(one) for one in tuple(_ALLOWED.of(core)))
