"""Full disks, forbidden folders, damaged files: a clear error each, never an empty queue."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import trunkline

TIMEOUT = 120
WAIT_TRIES = 300
MESSAGES = 200
UNPRIVILEGED = 65_534

# Sends until something is refused, then says how many were acknowledged and what came after.
FILL = """
import signal, sys, trunkline
{before}
acknowledged = 0
codes = []
try:
    queue = trunkline.open(sys.argv[1]).queue("q")
    while acknowledged < 100_000:
        queue.send(b"x" * 10_000)
        acknowledged += 1
except trunkline.TrunklineError as error:
    codes.append(error.code)
    try:
        queue.send(b"y")
        codes.append("accepted")
    except NameError:
        codes.append("never-opened")
    except trunkline.TrunklineError as error:
        codes.append(error.code)
print(acknowledged, *codes, flush=True)
"""


def fill(folder: Path, before: str = "") -> tuple[int, list[str]]:
    """Fill the folder in a process of its own; acknowledged sends, and the codes that followed."""
    process = subprocess.run(
        [sys.executable, "-c", FILL.format(before=before), str(folder)],
        stdout=subprocess.PIPE,
        timeout=TIMEOUT,
        check=True,
    )
    acknowledged, *codes = process.stdout.decode().split()
    return int(acknowledged), codes


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB. Needs the right to mount."""
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("mounting a small file system needs root")
    place = tmp_path / "disk"
    place.mkdir()
    command = [mount, "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        pytest.skip("this machine does not allow mounts")
    yield place
    # Lazily: a test that failed may still hold its engine open.
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_an_error_and_keeps_what_was_acknowledged(
    tiny_disk: Path, tmp_path: Path
) -> None:
    folder = tiny_disk / "data"
    acknowledged, codes = fill(folder)
    # Refused, not broken: the engine goes on with what frees space.
    assert codes == ["StorageFull", "StorageFull"]
    assert acknowledged > 0
    roomy = tmp_path / "copy"
    shutil.copytree(folder, roomy)
    with trunkline.open(roomy) as engine:
        assert engine.queue("q").statistics().visible >= acknowledged


def send_until_refused(queue: trunkline.Queue) -> int:
    """Fill the disk; how many messages it took."""
    for sent in range(100_000):
        try:
            queue.send(b"x" * 10_000)
        except trunkline.StorageFull:
            return sent
    raise AssertionError("the disk is larger than it was made")


def test_a_full_disk_can_be_emptied_and_takes_messages_again(tiny_disk: Path) -> None:
    with trunkline.open(tiny_disk / "data") as engine:
        queue = engine.queue("q")
        sent = send_until_refused(queue)
        with pytest.raises(trunkline.StorageFull, match="receive and delete messages"):
            queue.send("one more")
        emptied = 0
        while messages := queue.receive(100):
            emptied += len(queue.delete_batch(messages).successful)
        assert emptied == sent
        # What was deleted leaves the disk behind the scenes.
        for _ in range(WAIT_TRIES):
            try:
                queue.send(b"there is space again")
                break
            except trunkline.StorageFull:
                time.sleep(0.1)
    with trunkline.open(tiny_disk / "data") as engine:
        (message,) = engine.queue("q").receive(10)
        assert message.body == b"there is space again"


def test_a_full_disk_takes_any_number_of_leases_and_openings_and_can_still_be_emptied(
    tiny_disk: Path,
) -> None:
    with trunkline.open(tiny_disk / "data") as engine:
        queue, other = engine.queue("q"), engine.queue("other")
        sent = send_until_refused(queue)
        # What only delays work is not written any more, so that deletes keep their space.
        for _ in range(300):
            for message in queue.receive(100, visibility_timeout=600):
                message.extend(0)
        for _ in range(2_000):
            with pytest.raises(trunkline.StorageFull):
                queue.configure(delay=1)
            with pytest.raises(trunkline.StorageFull):
                other.purge()
        with pytest.raises(trunkline.StorageFull):
            engine.queue("new")
    # An opening needs no space either, however often.
    for _ in range(200):
        trunkline.open(tiny_disk / "data").close()
    with trunkline.open(tiny_disk / "data", read_only=True) as engine:
        assert engine.queue("q").statistics().visible == sent
    with trunkline.open(tiny_disk / "data") as engine:
        queue = engine.queue("q")
        emptied = 0
        while messages := queue.receive(100):
            emptied += len(queue.delete_batch(messages).successful)
        assert emptied == sent


def empty(engine: trunkline.Engine, sent: int, disk: Path) -> None:
    """Take everything out of the queue, and wait until there is space for a message.

    The disk becomes larger then: entries of logs that are in the journal alone, as those of a
    stream and the histories of executions are, need space before compaction can move them.
    """
    queue = engine.queue("q")
    emptied = 0
    while messages := queue.receive(100):
        emptied += len(queue.delete_batch(messages).successful)
    assert emptied == sent
    subprocess.run(["mount", "-o", "remount,size=128m", str(disk)], check=True)
    for _ in range(WAIT_TRIES):
        try:
            queue.send("there is space again")
            return
        except trunkline.StorageFull:
            time.sleep(0.1)
    raise AssertionError("the space did not come back")


def test_commits_of_readers_leave_a_full_disk_the_space_that_deletes_need(tiny_disk: Path) -> None:
    with trunkline.open(tiny_disk / "data", durability="os") as engine:
        stream = engine.stream("s")
        for _ in range(400):
            stream.put_batch([("key", "record")] * 500)
        reader = stream.reader("r", start="earliest")
        sent = send_until_refused(engine.queue("q"))

        def commit_each() -> None:
            for _ in range(200_000):
                reader.commit(reader.fetch(1))

        with pytest.raises(trunkline.StorageFull):
            commit_each()
    with trunkline.open(tiny_disk / "data", durability="os") as engine:
        empty(engine, sent, tiny_disk)
        reader = engine.stream("s").reader("r")
        reader.commit(reader.fetch(1))


def test_a_full_disk_takes_no_delete_markers_and_deletes_of_versions(tiny_disk: Path) -> None:
    with trunkline.open(tiny_disk / "data", durability="os") as engine:
        bucket = engine.bucket("bucket")
        bucket.put("plain", b"content")
        bucket.configure(versioned=True)
        version = bucket.put("key", b"content").version_id
        sent = send_until_refused(engine.queue("q"))
        # Over HTTP, S3 takes a thousand in one request.
        for _ in range(1_000):
            with pytest.raises(trunkline.StorageFull):
                bucket.delete("key")
        bucket.delete("key", version=version)
        empty(engine, sent, tiny_disk)
        bucket.delete("plain")


def test_steps_of_executions_wait_while_a_disk_is_full(tiny_disk: Path) -> None:
    result = {"Type": "Pass", "Result": "x" * 4_000}
    states = {
        "Wait": {"Type": "Wait", "Seconds": 60, "Next": "First"},
        "First": {**result, "Next": "Second"},
        "Second": {**result, "End": True},
    }
    clock = trunkline.VirtualClock()
    with trunkline.open(tiny_disk / "data", clock=clock, durability="os") as engine:
        machine = engine.machine("m", {"StartAt": "Wait", "States": states})
        executions = [machine.start({}) for _ in range(2_000)]
        sent = send_until_refused(engine.queue("q"))
        clock.advance(62)
        running = sum(execution.status == "RUNNING" for execution in executions)
        assert 0 < running < len(executions)
        empty(engine, sent, tiny_disk)
        for _ in range(WAIT_TRIES):
            clock.advance(2)
            if all(execution.status == "SUCCEEDED" for execution in executions):
                break
            # What is written now may fill the disk until compaction has freed more of it.
            time.sleep(0.1)
        assert {execution.status for execution in executions} == {"SUCCEEDED"}


def test_a_write_that_the_system_refuses_stops_the_engine_with_a_clear_error(
    tmp_path: Path,
) -> None:
    before = (
        "import resource\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
    )
    acknowledged, codes = fill(tmp_path / "data", before)
    assert codes[0] in ("StorageFull", "StorageFailure")
    assert codes[1] in ("StorageFull", "StorageFailure", "EnginePoisoned", "never-opened")
    if acknowledged:
        with trunkline.open(tmp_path / "data") as engine:
            assert engine.queue("q").statistics().visible >= acknowledged


def test_a_folder_without_permission_is_an_error() -> None:
    # A folder of its own: the user that the child becomes must be able to reach it.
    folder = Path(tempfile.mkdtemp(prefix="trunkline-readonly-"))
    program = (
        "import os, sys, trunkline\n"
        # What is imported at first use may be out of reach of that user.
        "trunkline.open().close(); trunkline.TrunklineError\n"
        f"if os.geteuid() == 0: os.setgid({UNPRIVILEGED}); os.setuid({UNPRIVILEGED})\n"
        "try: trunkline.open(sys.argv[1])\n"
        "except trunkline.TrunklineError as error: print(error.code, error)\n"
    )
    try:
        folder.chmod(0o555)
        process = subprocess.run(
            [sys.executable, "-c", program, str(folder)],
            stdout=subprocess.PIPE,
            timeout=TIMEOUT,
            check=True,
        )
    finally:
        shutil.rmtree(folder)
    answer = process.stdout.decode()
    assert answer.startswith("DataFolderUnusable ")
    assert folder.name in answer


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"not a folder")
    with pytest.raises(trunkline.TrunklineError) as caught:
        trunkline.open(path)
    assert caught.value.code == "DataFolderUnusable"
    assert path.read_bytes() == b"not a folder"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder with acknowledged messages, closed in an orderly way."""
    folder = tmp_path / "data"
    with trunkline.open(folder) as engine:
        queue = engine.queue("q")
        queue.send_batch([f"{number}".rjust(1_000) for number in range(MESSAGES)])
    return folder


def journal_files(folder: Path) -> list[Path]:
    """The files that hold data. Locks and empty files do not."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and len(path.read_bytes())]


def open_or_code(folder: Path) -> str | int:
    """The number of messages that are there, or the code of the error."""
    try:
        with trunkline.open(folder) as engine:
            return engine.queue("q").statistics().visible
    except trunkline.TrunklineError as error:
        return error.code


def test_read_only_reads_and_refuses_to_write(written: Path) -> None:
    before = {path: path.read_bytes() for path in journal_files(written)}
    with trunkline.open(written, read_only=True) as engine:
        queue = engine.queue("q")
        assert queue.statistics().visible == MESSAGES
        assert len(queue.peek(MESSAGES * 2)) == MESSAGES
        with pytest.raises(trunkline.TrunklineError) as caught:
            queue.send("a")
        assert caught.value.code == "EngineReadOnly"
    assert before == {path: path.read_bytes() for path in journal_files(written)}


def test_no_damage_passes_for_an_empty_queue(written: Path, tmp_path: Path) -> None:
    allowed = {"CorruptJournal", "ForeignFormat", "NewerFormat"}
    for path in journal_files(written):
        whole = path.read_bytes()
        damages = {
            "cut to nothing": b"",
            "cut in half": whole[: len(whole) // 2],
            "overwritten at the front": b"\xa5" * 64 + whole[64:],
            "one bit turned early": flipped(whole, 200),
            "one bit turned in the middle of the data": flipped(whole, data_end(whole) // 2),
        }
        for name, damage in damages.items():
            copy = tmp_path / "damaged"
            shutil.copytree(written, copy)
            (copy / path.relative_to(written)).write_bytes(damage)
            outcome = open_or_code(copy)
            # A file that holds no messages may be damaged without a loss; then all are there.
            assert outcome in allowed or outcome == MESSAGES, f"{path.name} {name}: {outcome}"
            shutil.rmtree(copy)


def flipped(whole: bytes, position: int) -> bytes:
    position = min(position, len(whole) - 1)
    return whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :]


def data_end(whole: bytes) -> int:
    """Where the zero-filled rest of the file begins."""
    return len(whole.rstrip(b"\0"))


def test_a_missing_journal_file_is_not_an_empty_queue(written: Path, tmp_path: Path) -> None:
    files = journal_files(written)
    largest = max(files, key=lambda path: data_end(path.read_bytes()))
    largest.unlink()
    outcome = open_or_code(written)
    assert outcome in {"CorruptJournal", "ForeignFormat"}, outcome
