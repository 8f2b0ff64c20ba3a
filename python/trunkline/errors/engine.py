"""Failures of the engine, of its data folder and of the disk."""

from __future__ import annotations

from trunkline.errors.kinds import EngineUnavailable, StorageError, TrunklineError


class EngineClosed(EngineUnavailable):
    """The engine was closed."""

    code = "EngineClosed"


class EngineForked(EngineUnavailable):
    """The process was forked after the engine was opened; open a new engine in the child."""

    code = "EngineForked"


class EngineReadOnly(EngineUnavailable):
    """The engine was opened read-only."""

    code = "EngineReadOnly"


class EnginePoisoned(EngineUnavailable, OSError):
    """An earlier write failed, so nothing more is accepted; reopening replays what is durable."""

    code = "EnginePoisoned"


class DataFolderInUse(StorageError):
    """Another process, or another engine of this one, owns the data folder."""

    code = "DataFolderInUse"


class DataFolderUnusable(StorageError):
    """The data folder cannot be used: missing, not a folder, or without permission."""

    code = "DataFolderUnusable"


class StorageFull(StorageError):
    """The disk is full."""

    code = "StorageFull"


class StorageFailure(StorageError):
    """The disk or the operating system refused an operation."""

    code = "StorageFailure"


class ForeignFormat(StorageError):
    """The folder holds files that are not Trunkline's."""

    code = "ForeignFormat"


class NewerFormat(StorageError):
    """The folder was written by a newer version of the format."""

    code = "NewerFormat"


class CorruptJournal(StorageError):
    """Bytes that were durable are damaged or missing."""

    code = "CorruptJournal"


class InjectedFault(TrunklineError):
    """A fault that was injected on purpose."""

    code = "InjectedFault"


class InternalError(TrunklineError):
    """A mistake of ours: please report it."""

    code = "InternalError"
