"""Builds the package: what maturin builds, and beside it the library and the header of the C ABI.

The extension module cannot serve C programs: it needs an interpreter's symbols to be loaded at all.
So `libtrunkline` is a library of its own, made by the same cargo workspace and shipped in
`trunkline/_capi`. maturin packs one library a wheel; these PEP 517 hooks put the other where it is
packed. Run as a script, it only does that: for a package that `maturin develop` installs.

Both libraries are built from the same compiled crates: cargo shares a crate between two builds if
the profile is the same to the letter, and the features of the crate are. So nothing here may change
the profile; what the C library wants otherwise is passed to the compiler of its last crate alone.
And the feature `beside-extension` gives each crate the features that it has in the extension.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "python" / "trunkline" / "_capi"
HEADER = ROOT / "core" / "capi" / "include" / "trunkline.h"
LIBRARY_SUFFIXES = (".so", ".dylib", ".dll")


def ship(profile: str = "release", features: str = "") -> Path:
    """Build the C library and put it, with its header, into the package. Returns its path."""
    library = _build(profile, f"beside-extension,{features}")
    shutil.rmtree(SHIPPED, ignore_errors=True)
    (SHIPPED / "include").mkdir(parents=True)
    shutil.copy2(HEADER, SHIPPED / "include")
    return Path(shutil.copy2(library, SHIPPED))


def _build(profile: str, features: str) -> Path:
    cargo = os.environ.get("CARGO") or shutil.which("cargo")
    if cargo is None:
        raise SystemExit("cargo is missing: install Rust >= 1.92")
    command = [cargo, "rustc", "--profile", profile, "--package", "trunkline-capi", "--lib"]
    command += ["--features", features, "--crate-type", "cdylib"]
    command += ["--message-format=json-render-diagnostics"]
    command += ["--", "-C", "strip=debuginfo"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in output.splitlines():
        message: dict[str, Any] = json.loads(line)
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == "trunkline":
            for name in message["filenames"]:
                if name.endswith(LIBRARY_SUFFIXES):
                    return Path(name)
    raise SystemExit("cargo built no shared library for trunkline-capi")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--profile", default="release", help="the cargo profile to build with")
    options.add_argument("--features", default="", help="more cargo features of the C library")
    ship(**vars(options.parse_args()))
    sys.exit(0)

# Behind the script, which needs no maturin.
from maturin import (  # noqa: E402
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


def build_wheel(directory: str, settings: Any = None, metadata: str | None = None) -> str:
    """The wheel, with the C library and the models of the served services in it."""
    import maturin
    from service_models import shipped

    ship()
    with shipped():
        return str(maturin.build_wheel(directory, settings, metadata))


def build_editable(directory: str, settings: Any = None, metadata: str | None = None) -> str:
    """An editable install; the C library lies in the source folder."""
    import maturin

    ship()
    return str(maturin.build_editable(directory, settings, metadata))
