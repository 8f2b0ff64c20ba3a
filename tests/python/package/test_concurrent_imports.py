"""Threads may use nouns for the first time at the same moment, whatever they import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import trunkline

# Another thread is in the middle of importing `typing`: the module lies there and is empty.
FIRST_USES = """
import importlib.util, sys, threading
from importlib.machinery import PathFinder

import trunkline

engine = trunkline.open()
queue = engine.queue("orders")
begun, go_on = threading.Event(), threading.Event()


class Slow:
    def find_spec(self, name, path=None, target=None):
        if name != "typing":
            return None
        spec = PathFinder.find_spec(name, path)
        run = spec.loader.exec_module

        def exec_module(module):
            begun.set()
            go_on.wait()
            run(module)

        spec.loader.exec_module = exec_module
        return spec


assert "typing" not in sys.modules
sys.meta_path.insert(0, Slow())
threading.Thread(target=__import__, args=("typing",)).start()
begun.wait()
threading.Timer(0.5, go_on.set).start()
try:
    engine.schedule("nightly", "rate(1 day)", queue)
    engine.function("f", lambda event, context: None)
    engine.api("shop").route("POST /orders", queue)
finally:
    go_on.set()
print("used")
"""


def test_a_noun_is_used_first_while_another_thread_imports_typing():
    ran = subprocess.run(
        [sys.executable, "-c", FIRST_USES], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.stdout, ran.stderr) == ("used\n", "")


def test_every_data_class_is_made_by_the_module_that_waits_for_typing():
    root = Path(trunkline.__file__).parent
    found = set()
    for path in root.rglob("*.py"):
        # Commands import in one thread, and the public package alone.
        if path.relative_to(root).parts[0] in ("bench", "cli"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            module = node.module if isinstance(node, ast.ImportFrom) else None
            if "dataclasses" in (module, *names):
                found.add(path.relative_to(root).as_posix())
    assert found == {"_dataclasses.py"}
