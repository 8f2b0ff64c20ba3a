"""What an engine offers of folders: the part of :class:`trunkline.Engine` about them."""

from __future__ import annotations

from trunkline import validation
from trunkline._core import milliseconds
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline._resource_types import FolderTarget
    from trunkline._types import Path, Seconds
    from trunkline.engine import Engine
    from trunkline.folders.watch import FolderWatch

INTERVAL_MS_MAX = 86_400_000
"""The longest time between two looks: a day."""


class FolderVerbs:
    """The verbs of an engine that are about folders."""

    __slots__ = ()

    if TYPE_CHECKING:
        _core: CoreEngine

    def watch_folder(
        self,
        path: Path,
        target: FolderTarget,
        *,
        name: str | None = None,
        pattern: str = "*",
        recursive: bool = False,
        prefix: str = "",
        interval: Seconds = 1.0,
        settle: Seconds = 2.0,
    ) -> FolderWatch:
        """Deliver each file of the folder `path` to `target` once, the oldest first.

        A queue, a topic, a stream or a function gets a message that says where the file is; a bus
        gets an event of the source ``trunkline.folder``; a bucket gets the content, under `prefix`
        and the path below the folder. Files that are there already are delivered, too. That a file
        was delivered is kept in the engine with the message, so that it is delivered once, also
        when the program is killed. A file that is written again is a new one; a renamed one is not.

        - `name`: under which the engine notes what was delivered; the path, if there is none.
        - `pattern`: names of files, such as ``"*.csv"``; `recursive`: folders below, too.
        - `interval`: seconds between two looks, on the engine's clock.
        - `settle`: seconds for which a file must not have changed, because it may still be written.
          Better write under a name that begins with a dot or ends with ``.tmp`` or ``.part``, which
          is left alone, and rename the file.

        Raises TypeError for what cannot be a target, InvalidParameterValue, EngineClosed.

        >>> import tempfile, trunkline
        >>> engine = trunkline.open()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with engine.watch_folder(folder, engine.bucket("inbox"), pattern="*.csv") as watch:
        ...         watch.poll()
        0
        """
        from pathlib import Path as FolderPath

        from trunkline.folders.delivery import Delivery
        from trunkline.folders.watch import FolderWatch

        try:
            folder = FolderPath(path).resolve()
        except ValueError as error:
            raise InvalidParameterValue(
                f"Value {path!r} for parameter path is invalid. Reason: {error}."
            ) from None
        own = validation.text(str(folder) if name is None else name, "name")
        times = (
            milliseconds(interval, "interval", 1, INTERVAL_MS_MAX) / 1_000,
            milliseconds(settle, "settle", 0, INTERVAL_MS_MAX) / 1_000,
        )
        self._core.check_open()
        engine: Engine = self  # type: ignore[assignment]
        validation.text(prefix, "prefix")
        watch = FolderWatch(
            engine,
            own,
            folder,
            Delivery(engine, target, own, folder, prefix),
            pattern=validation.text(pattern, "pattern"),
            recursive=validation.flag(recursive, "recursive"),
            times=times,
        )
        watch.start()
        return watch
