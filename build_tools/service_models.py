"""Puts the models of the served services into the package, so that a plain wheel can serve them.

    python build_tools/service_models.py            # writes python/trunkline/aws/_models
    python build_tools/service_models.py --clean    # removes it

The models are botocore's, without their documentation and examples, which are nine tenths of them.
In a checkout the folder is there only while a wheel is built: there the models of the installed
botocore count.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import shutil
import sys
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "python" / "trunkline" / "aws"
SHIPPED = PACKAGE / "_models"
LEFT_OUT = ("documentation", "documentationUrl", "examples", "smokeTests")
NOTE = """\
These models of AWS services are those of botocore {version}, without documentation and examples.
botocore is under the Apache License 2.0, which stands beside this file; its notice:

{notice}
"""


def served() -> list[str]:
    """The names of the services, read from the table without importing the package."""
    tree = ast.parse((PACKAGE / "services.py").read_text(encoding="utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    made = (call for call in calls if getattr(call.func, "id", None) == "Service")
    return [ast.literal_eval(call.args[0]) for call in made]


def slim(model: Any) -> Any:
    """A part of a model without what explains it to people."""
    if isinstance(model, dict):
        # A member of a structure may have the name of what is left out; its value is a shape then.
        return {
            name: slim(value)
            for name, value in model.items()
            if name not in LEFT_OUT or (isinstance(value, dict) and "shape" in value)
        }
    return [slim(value) for value in model] if isinstance(model, list) else model


def ship() -> Path:
    """Write the models into the package; returns their folder."""
    botocore = distribution("botocore")
    data = Path(str(botocore.locate_file("botocore"))) / "data"
    clean()
    SHIPPED.mkdir()
    for service in served():
        newest = sorted((data / service).glob("*/service-2.json*"))[-1]
        packed = newest.suffix == ".gz"
        text = gzip.decompress(newest.read_bytes()) if packed else newest.read_bytes()
        model = json.dumps(slim(json.loads(text)), separators=(",", ":")).encode()
        # Without the time, so that the same models make the same wheel.
        (SHIPPED / f"{service}.json.gz").write_bytes(gzip.compress(model, mtime=0))
    found = {file.name: file.read_text() for file in botocore.files or () if _is_legal(file.name)}
    notice = found.get("NOTICE", "").strip()
    (SHIPPED / "README").write_text(NOTE.format(version=botocore.version, notice=notice))
    (SHIPPED / "LICENSE").write_text(found["LICENSE.txt"])
    return SHIPPED


def _is_legal(name: str) -> bool:
    return name in ("LICENSE.txt", "NOTICE")


def clean() -> None:
    """Remove the models from the package."""
    shutil.rmtree(SHIPPED, ignore_errors=True)


@contextmanager
def shipped() -> Iterator[None]:
    """The models are in the package inside the block, and gone behind it."""
    ship()
    try:
        yield
    finally:
        clean()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--clean", action="store_true", help="remove the models")
    if options.parse_args().clean:
        clean()
    else:
        ship()
    sys.exit(0)
