"""File transfer: one application writes files, the other gets each of them once.

::

    writer --> .a.csv.part --renamed--> a.csv      folder
                                          | watched
                                          v
                          [ files ] --> reader     also after a restart

It prints::

    first run: ['a.csv']
    second run: ['b.csv']
"""

import pathlib
import tempfile

import trunkline


def write(folder: pathlib.Path, name: str, text: str) -> None:
    part = folder / f".{name}.part"
    part.write_text(text)
    # The file appears as a whole: a rename within a file system is atomic.
    part.rename(folder / name)


with tempfile.TemporaryDirectory() as place:
    inbox = pathlib.Path(place, "inbox")
    inbox.mkdir()
    (inbox / "c.csv.part").write_text("still written")
    for run, name in (("first", "a.csv"), ("second", "b.csv")):
        write(inbox, name, "1,2,3")
        with trunkline.open(pathlib.Path(place, "data")) as engine:
            files = engine.queue("files")
            engine.watch_folder(inbox, files, settle=0, interval=0.05)
            with files.receive(wait=20)[0] as message:
                told = message.json()
                assert pathlib.Path(told["file"]).read_text() == "1,2,3"
            assert not files.receive(wait=0.2)
        print(f"{run} run: ['{told['path']}']")
