"""Looking into a data folder that no engine has open."""

from __future__ import annotations

from trunkline import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import FolderReport, RepairReport
    from trunkline._types import Path


def inspect(path: Path) -> FolderReport:
    """What the data folder `path` holds. Changes nothing, and needs a folder that nobody owns.

    Raises DataFolderInUse while an engine has the folder open; ask that one, or inspect a
    snapshot of it. Readers get along with each other.

    >>> import tempfile, trunkline
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with trunkline.open(folder) as engine:
    ...         sent = engine.queue("orders").send("one coffee")
    ...     trunkline.inspect(folder).queues
    [<QueueReport "orders": 1 messages>]
    """
    return _core.inspect(path)


def verify(path: Path) -> FolderReport:
    """Check every checksum and every record of the data folder `path`; return what it holds.

    Raises CorruptJournal, which says where, if bytes that were durable are damaged or missing, and
    DataFolderInUse while an engine has the folder open.

    >>> import tempfile, trunkline
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with trunkline.open(folder) as engine:
    ...         sent = engine.queue("orders").send("one coffee")
    ...     len(trunkline.verify(folder).queues)
    1
    """
    return _core.verify(path)


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
