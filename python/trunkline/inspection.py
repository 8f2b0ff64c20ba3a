"""Looking into a data folder that no engine has open."""

from __future__ import annotations

from trunkline import _core, validation
from trunkline.errors import DataFolderInUse, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import FolderReport, RepairReport
    from trunkline._types import Path


_SUPERBLOCK = "superblock"
_LOCKED = ("LOCK", _SUPERBLOCK)
"""Files that their owner locks."""

TRIES = 5
"""Looks at a folder that is in use: what its owner moves meanwhile may spoil one."""


def inspect(path: Path, *, in_use: bool = False) -> FolderReport:
    """What the data folder `path` holds. Changes nothing.

    Raises DataFolderInUse while an engine has the folder open. With `in_use` it looks at the files
    beside that engine: they tell what a restart would find at this moment, and not what the engine
    has not written yet. Readers get along with each other.

    >>> import tempfile, trunkline
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with trunkline.open(folder) as engine:
    ...         sent = engine.queue("orders").send("one coffee")
    ...     trunkline.inspect(folder).queues
    [<QueueReport "orders": 1 messages>]
    """
    validation.flag(in_use, "in_use")
    try:
        return _core.inspect(path)
    except DataFolderInUse:
        if not in_use:
            raise
    return _inspect_beside(path)


def _inspect_beside(path: Path) -> FolderReport:
    """Looks at the files of a folder that an engine has open, through links to them."""
    import os
    import shutil
    from tempfile import TemporaryDirectory

    folder = os.path.abspath(os.fsdecode(path))
    for left in reversed(range(TRIES)):
        # The links are in a folder of their own, with locks of its own.
        with TemporaryDirectory(prefix="trunkline-inspect-") as beside:
            for name in os.listdir(folder):
                if name not in _LOCKED:
                    os.symlink(os.path.join(folder, name), os.path.join(beside, name))
            try:
                shutil.copyfile(
                    os.path.join(folder, _SUPERBLOCK), os.path.join(beside, _SUPERBLOCK)
                )
                return _core.inspect(beside)
            except (StorageError, FileNotFoundError):
                # The owner has renamed or reused a file that was about to be read.
                if not left:
                    raise
    raise AssertionError("the last look returns or raises")


def verify(path: Path, *, contents: bool = False) -> FolderReport:
    """Check every checksum and every record of the data folder `path`; return what it holds.

    With `contents` the contents of objects are read too, and held against their checksums.

    Raises CorruptJournal, which says where, if bytes that were durable are damaged or missing, and
    DataFolderInUse while an engine has the folder open.

    >>> import tempfile, trunkline
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with trunkline.open(folder) as engine:
    ...         sent = engine.queue("orders").send("one coffee")
    ...     len(trunkline.verify(folder).queues)
    1
    """
    return _core.verify(path, contents)


def repair(path: Path) -> RepairReport:
    """Make the control file of the data folder `path` again, if it is lost or damaged.

    The control file says how far the journal was durable; without it an engine refuses the folder.
    A new one is made from what the segments prove, and ``unproven`` says what they do not prove,
    such as whether a whole segment was lost with it: compare what the folder holds with what you
    expect. No data is removed or changed, and a damaged control file stays beside the new one as
    ``control.damaged``. Take a copy of the folder first nevertheless.

    Raises CorruptJournal, and changes nothing, if something else is damaged or missing, and
    DataFolderInUse while an engine has the folder open.

    >>> import os, tempfile, trunkline
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with trunkline.open(folder) as engine:
    ...         sent = engine.queue("orders").send("one coffee")
    ...     os.remove(os.path.join(folder, "control"))
    ...     report = trunkline.repair(folder)
    ...     with trunkline.open(folder) as engine:
    ...         engine.queue("orders").receive()[0].text()
    'one coffee'
    >>> report.repaired, report.folder.queues
    (True, [<QueueReport "orders": 1 messages>])
    """
    return _core.repair(path)
