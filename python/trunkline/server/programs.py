"""Functions of a program for the server: a file or a module, loaded again when it changes."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from threading import Thread

from trunkline.functions.registry import functions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from trunkline.engine import Engine
    from trunkline.functions.names import FunctionName
    from trunkline.server.log import Log
    from trunkline.server.stopping import Stopping

LOOK_SECONDS = 0.5
"""How often a file is looked at."""

_PARAMETERS = 2
"""A handler is called with an event and a context."""


class Program:
    """The functions of ``app.py``, of ``package.module``, or one as ``package.module:name``.

    A program that has ``register(engine)`` names its functions itself. Otherwise each public
    function that takes two arguments is one, with its own name, and keeps a log.
    """

    def __init__(self, engine: Engine, spec: str) -> None:
        self._engine = engine
        self._spec = spec
        module, _, self._only = spec.partition(":")
        self._file = Path(module) if module.endswith(".py") else None
        self._module = module
        self._changed = 0.0
        self._named: set[FunctionName] = set()
        self.path: Path | None = None
        """The file that was loaded."""

    def load(self) -> list[str]:
        """Names the functions; raises ValueError for a program that cannot be used.

        What it named before and names no more is called no more; invocations of it wait.
        """
        try:
            module = self._import()
        except (Exception, SystemExit) as error:
            raise ValueError(
                f"--functions {self._spec}: {type(error).__name__}: {error}"
            ) from error
        self.path = Path(module.__file__) if module.__file__ else None
        self._changed = self._mtime()
        functions = functions_of(self._engine._core)
        named = functions.noting(lambda: self._name(module))
        for name in self._named - named:
            functions.withdraw(name)
        self._named = named
        return sorted(name.name for name in named)

    def _name(self, module: ModuleType) -> None:
        register = getattr(module, "register", None)
        if callable(register) and not self._only:
            register(self._engine)
            return
        handlers = self._handlers(module)
        if not handlers:
            raise ValueError(
                f"--functions {self._spec}: it has no function of two arguments, event and context"
            )
        for name, handler in handlers.items():
            self._engine.function(name, handler, logs=True)

    def _import(self) -> ModuleType:
        if self._file is None:
            if str(Path.cwd()) not in sys.path:
                sys.path.insert(0, str(Path.cwd()))
            known = sys.modules.get(self._module)
            return _reload(known) if known else importlib.import_module(self._module)
        name = f"trunkline_functions_{self._file.stem}"
        found = importlib.util.spec_from_file_location(name, self._file)
        if found is None or found.loader is None:
            raise ImportError(f"{self._file} is no Python file")
        module = importlib.util.module_from_spec(found)
        sys.modules[name] = module
        found.loader.exec_module(module)
        return module

    def _handlers(self, module: ModuleType) -> dict[str, Any]:
        if self._only:
            handler = getattr(module, self._only, None)
            return {self._only: handler} if callable(handler) else {}
        return {
            name: value
            for name, value in vars(module).items()
            if inspect.isfunction(value)
            and not name.startswith("_")
            and value.__module__ == module.__name__
            and len(inspect.signature(value).parameters) == _PARAMETERS
        }

    def _mtime(self) -> float:
        try:
            return 0.0 if self.path is None else self.path.stat().st_mtime
        except OSError:
            # It is being written, or was removed: the functions stay as they are.
            return self._changed

    def reload(self) -> list[str] | None:
        """Names the functions again if the file was changed; None if it was not."""
        if self._mtime() == self._changed:
            return None
        self._changed = self._mtime()
        return self.load()

    def watch(self, log: Log, stopping: Stopping) -> None:
        """Looks at the file until the server stops; what cannot be loaded leaves the old code."""

        def look() -> None:
            while not stopping.wait(LOOK_SECONDS):
                try:
                    names = self.reload()
                except Exception as error:
                    log.say("functions not reloaded", error=str(error))
                    continue
                if names is not None:
                    log.say("functions reloaded", functions=", ".join(names))

        Thread(target=look, name="trunkline-functions-watch", daemon=True).start()


def _reload(module: ModuleType) -> ModuleType:
    """Loads a module again. What its file does not define any more is not in it, either."""
    before = dict(vars(module))
    importlib.reload(module)
    for name, value in before.items():
        is_own = inspect.isfunction(value) and value.__module__ == module.__name__
        if is_own and vars(module).get(name) is value:
            delattr(module, name)
    return module
