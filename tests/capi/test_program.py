"""A C program against the library: it builds without a warning, runs without Python, and again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from trunkline import capi

ROOT = Path(__file__).parents[2]
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
ORDERS = """\
sent espresso as 18840000000000000001
sent unicorn milk as 18840000000000000002
sent cappuccino as 18840000000000000003
made espresso for ada
made cappuccino for ada
cannot make unicorn milk
cannot make unicorn milk
dead letters: 1
"""


def compiler(name: str) -> str:
    found = shutil.which(os.environ.get(name.upper(), name)) or shutil.which(name)
    if found is None:
        pytest.skip(f"no compiler {name}")
    return found


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("orders", tmp_path_factory.mktemp("program"))


def built(name: str, folder: Path) -> Path:
    """An example, compiled and linked."""
    place, source = folder / name, ROOT / "examples" / "c" / f"{name}.c"
    link = [str(capi.library_path()), f"-Wl,-rpath,{capi.library_path().parent}"]
    command = [compiler("cc"), "-std=c99", *STRICT, "-I", str(capi.include_dir())]
    subprocess.run([*command, str(source), *link, "-o", str(place)], check=True)
    return place


def run(program: Path, *arguments: str) -> str:
    command = [str(program), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_the_example_does_what_it_says_in_memory(program: Path) -> None:
    assert run(program) == ORDERS


def test_the_example_finds_its_orders_again_in_a_folder(program: Path, tmp_path: Path) -> None:
    assert run(program, str(tmp_path)) == ORDERS
    # The dedup window outlives the program: the same orders again are no new ones.
    again = run(program, str(tmp_path)).splitlines()
    assert again == [*ORDERS.splitlines()[:3], "dead letters: 1"]


def test_the_example_says_why_it_cannot_open_a_folder(program: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    ended = subprocess.run(
        [str(program), str(file)], stderr=subprocess.PIPE, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("open: DataFolderUnusable: ")


def test_an_example_goes_through_every_noun(tmp_path: Path) -> None:
    assert run(built("clicks", tmp_path)).splitlines() == [
        "put into shardId-000000000001",
        "published to 1",
        "matched 1",
        "the queue got 2",
    ]


def test_the_header_is_cxx_too(tmp_path: Path) -> None:
    source = tmp_path / "header.cc"
    source.write_text(
        '#include "trunkline.h"\n'
        "int main() {\n"
        "    trunkline_send_options how = TRUNKLINE_SEND_OPTIONS_INIT;\n"
        "    trunkline_sent sent = TRUNKLINE_SENT_INIT;\n"
        "    return how.size == sizeof how && sent.size == sizeof sent ? 0 : 1;\n"
        "}\n"
    )
    program = tmp_path / "header"
    command = [compiler("c++"), "-std=c++11", *STRICT, "-I", str(capi.include_dir())]
    subprocess.run([*command, str(source), "-o", str(program)], check=True)
    subprocess.run([str(program)], check=True)


def test_the_shipped_header_is_the_one_in_the_sources() -> None:
    ours = ROOT / "core" / "capi" / "include" / "trunkline.h"
    shipped = capi.include_dir() / "trunkline.h"
    assert shipped.read_text(encoding="utf-8") == ours.read_text(encoding="utf-8")


def test_a_missing_library_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capi, "_SHIPPED", Path("nowhere"))
    for ask in (capi.library_path, capi.include_dir):
        with pytest.raises(FileNotFoundError, match=r"trunkline_build\.py"):
            ask()
