"""What an engine for asyncio offers of folders, which threads watch."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._resource_types import FolderTarget
    from trunkline._types import Path, Seconds
    from trunkline.engine import Engine
    from trunkline.folders.watch import FolderWatch


class FolderVerbs:
    """The verbs of an engine for asyncio that are about folders."""

    __slots__ = ()

    if TYPE_CHECKING:
        sync: Engine

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
        """Deliver each file of a folder once, as :meth:`trunkline.Engine.watch_folder` does.

        Not a coroutine: a thread looks at the folder.
        """
        return self.sync.watch_folder(
            path,
            target,
            name=name,
            pattern=pattern,
            recursive=recursive,
            prefix=prefix,
            interval=interval,
            settle=settle,
        )
