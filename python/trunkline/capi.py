"""The C ABI: where its header and its library lie, and the library itself through cffi.

The library stands alone: a C, C++, Go or Zig program links it and needs no Python. Compile with
``-I include_dir()`` and link the file ``library_path()``; the header is the documentation.

>>> from trunkline import capi
>>> (capi.include_dir() / "trunkline.h").is_file(), capi.library_path().is_file()
(True, True)
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

_SHIPPED = Path(__file__).parent / "_capi"
_LIBRARY = "libtrunkline.dylib" if sys.platform == "darwin" else "libtrunkline.so"
_BEGIN, _END = "/* --- declarations --- */", "/* --- end of declarations --- */"


class Loaded(NamedTuple):
    """The library, loaded into this process."""

    ffi: Any
    """The cffi.FFI that knows the types of the header."""

    lib: Any
    """The functions and constants of the header, by name."""


def include_dir() -> Path:
    """The folder of ``trunkline.h``.

    >>> include_dir().name
    'include'
    """
    return _shipped(_SHIPPED / "include" / "trunkline.h").parent


def library_path() -> Path:
    """The shared library, to be linked or loaded.

    >>> library_path().stem
    'libtrunkline'
    """
    return _shipped(_SHIPPED / _LIBRARY)


def load() -> Loaded:
    """Load the library through cffi, which the extra ``trunkline[capi]`` brings.

    >>> ffi, lib = load()
    >>> ffi.string(lib.trunkline_status_name(lib.TRUNKLINE_ENGINE_CLOSED)).decode()
    'EngineClosed'
    """
    try:
        from cffi import FFI
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "trunkline.capi.load() needs cffi; install trunkline[capi].", name=error.name
        ) from error
    header = (include_dir() / "trunkline.h").read_text(encoding="utf-8")
    ffi = FFI()
    # The rest are directives of the preprocessor, of which cffi has none.
    ffi.cdef(header.partition(_BEGIN)[2].partition(_END)[0])
    return Loaded(ffi, ffi.dlopen(str(library_path())))


def _shipped(path: Path) -> Path:
    if path.is_file():
        return path
    raise FileNotFoundError(
        f"{path} is missing: this installation was made without the C library. Install a wheel or "
        "with `pip install .`; in a checkout, run `make setup` or "
        "`python build_tools/trunkline_build.py`."
    )
