"""What lies in a folder: regular files whose name is not that of a file that is still written."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPORARY = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".filepart", ".swp", "~")
"""Ends of names by which writers say that they are not done, besides a dot at the beginning."""


class FoundFile:
    """A file as it was when it was looked at.

    Its identity is that of its content: a file that is renamed keeps it, one that is written again
    gets a new one.
    """

    __slots__ = ("identity", "mtime_ns", "path", "size")

    def __init__(self, path: str, status: os.stat_result) -> None:
        self.path: str = path
        """Below the folder, with slashes."""
        self.size: int = status.st_size
        self.mtime_ns: int = status.st_mtime_ns
        self.identity: str = identity_of(status)


def identity_of(status: os.stat_result) -> str:
    """What tells a content from every other one: where it is, when it was written, how long."""
    parts = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
    return "-".join(f"{part:x}" for part in parts)


def device_of(identity: str) -> str:
    """The device of an identity."""
    return identity.partition("-")[0]


def is_temporary(name: str) -> bool:
    """Whether a name is that of a file that is still written.

    >>> [is_temporary(name) for name in ("a.csv", ".a.csv", "a.csv.part", "a~")]
    [False, True, True, True]
    """
    return name.startswith(".") or name.lower().endswith(TEMPORARY)


def scan(folder: Path, recursive: bool) -> Iterator[FoundFile]:
    """The files of a folder. Links are left out: what they lead to may lie anywhere.

    Raises OSError if the folder itself cannot be read; what cannot be read below it is left out.
    """
    yield from _scan(os.scandir(folder), "", recursive)


def _scan(entries: Iterator[os.DirEntry[str]], below: str, recursive: bool) -> Iterator[FoundFile]:
    for entry in entries:
        if is_temporary(entry.name):
            continue
        path = f"{below}{entry.name}"
        try:
            if entry.is_dir(follow_symlinks=False):
                if recursive:
                    yield from _scan(os.scandir(entry.path), f"{path}/", recursive)
            elif entry.is_file(follow_symlinks=False):
                yield FoundFile(path, entry.stat(follow_symlinks=False))
        except OSError:
            # It was removed or renamed meanwhile, or may not be read.
            continue
