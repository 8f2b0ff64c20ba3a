"""The second part of `make demo`: an event bus with an archive, and a stream, through kill -9.

    python examples/demo_events.py [FOLDER]

5. A shop puts orders on an event bus, durably. Rules send each order to those of three queues that
   ask for it, and an archive keeps all of them. The shop is killed with SIGKILL in the middle.
6. The folder is opened again. Every order that was acknowledged is in the archive and in the queues
   whose rules it matches, and in no other: no order is in half of its queues.
7. A queue that did not exist before the kill gets the whole history, replayed from the archive.
8. A site puts clicks on a stream, and two members of one reader share its shards. The site is
   killed with SIGKILL as well; after a restart two members go on from what was committed.

The process exits with an error when any check fails.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from itertools import count
from threading import Lock, Thread

import trunkline

PATTERNS = {
    "billing": {"detail": {"state": ["paid"]}},
    "kitchen": {"detail": {"item": [{"prefix": "cake"}, "coffee"]}},
    "large": {"detail": {"total": [{"numeric": [">", 100]}]}},
}
ITEMS = ("coffee", "tea", "cake with cherries", "wine")
ORDERS_BEFORE_THE_KILL = 400
USERS = 12
SHARDS = 4
CLICKS_BEFORE_THE_KILL = 2_000
CLICKS_IN_A_BATCH = 20
MEMBERS = ("north", "south")
# What the work on a batch takes: the members fall behind the traffic, so the kill leaves some.
WORK_SECONDS = 0.03
# Between two batches of clicks: the members commit some before the kill.
PAUSE_SECONDS = 0.002
# After this long without a record, a member takes the stream for read.
QUIET_SECONDS = 1.0

speaking = Lock()


def say(*words: object) -> None:
    """Print one line at once: threads share the output, and a kill must not take a line back."""
    with speaking:
        print(*words, flush=True)


def check(holds: bool, claim: str) -> None:
    """End the demonstration with an error unless the claim holds."""
    if not holds:
        raise SystemExit(f"FAILED: {claim}")


# --- the shop: what is killed first --------------------------------------------------------------


def order(number: int) -> dict[str, object]:
    """The detail of an order; its number decides everything about it."""
    state = "paid" if number % 3 else "open"
    item = ITEMS[number % len(ITEMS)]
    return {"number": number, "state": state, "item": item, "total": number * 7 % 150}


def wanted_by(number: int) -> set[str]:
    """The queues that an order belongs into, without asking the bus."""
    made = order(number)
    wanted = {
        "billing": made["state"] == "paid",
        "kitchen": str(made["item"]).startswith("cake") or made["item"] == "coffee",
        "large": number * 7 % 150 > 100,
    }
    return {queue for queue, wants in wanted.items() if wants}


def open_shop(folder: str) -> tuple[trunkline.Engine, trunkline.Bus, trunkline.Archive]:
    """The engine, the bus with its rules, and the archive. Every process opens them like this."""
    engine = trunkline.open(folder)
    bus = engine.bus("shop")
    for queue, pattern in PATTERNS.items():
        bus.rule(queue, pattern, engine.queue(queue), input_path="$.detail")
    return engine, bus, bus.archive("all", retention=30 * 86_400)


def put_orders(folder: str) -> None:
    """Put orders for ever, and say the number of each once its put has returned."""
    engine, bus, _ = open_shop(folder)
    with engine:
        for number in count():
            bus.put({"source": "shop", "detail-type": "OrderPlaced", "detail": order(number)})
            say(number)


# --- the site: what is killed second -------------------------------------------------------------


def put_clicks(stream: trunkline.Stream) -> None:
    """Put clicks of all users for ever, and say each batch once its put has returned."""
    for start in count(0, CLICKS_IN_A_BATCH):
        numbers = range(start, start + CLICKS_IN_A_BATCH)
        stream.put_batch([(f"user-{number % USERS}", f"{number}") for number in numbers])
        say("put", *numbers)
        time.sleep(PAUSE_SECONDS)


def read_clicks(member: str, reader: trunkline.Reader, quiet: float) -> None:
    """Read as one member: say what was read, commit it, and say that it is committed."""
    for batch in reader.batches(max=CLICKS_IN_A_BATCH, wait=quiet):
        numbers = [record.text() for record in batch]
        say("read", member, *numbers)
        time.sleep(WORK_SECONDS)
        reader.commit(batch)
        say("committed", member, *numbers)


def run_site(folder: str, with_traffic: bool) -> None:
    """Two members of the reader "billing"; beside them the traffic, if there is some."""
    with trunkline.open(folder) as engine:
        stream = engine.stream("clicks", shards=SHARDS)
        readers = [stream.reader("billing", start="earliest") for _ in MEMBERS]
        # While clicks come, a member that waits for long must not leave its shards to the other.
        quiet = 600.0 if with_traffic else QUIET_SECONDS
        threads = [
            Thread(target=read_clicks, args=(member, reader, quiet))
            for member, reader in zip(MEMBERS, readers, strict=True)
        ]
        if with_traffic:
            threads.append(Thread(target=put_clicks, args=(stream,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


# --- processes -----------------------------------------------------------------------------------


def start(part: str, folder: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, __file__, part, folder], stdout=subprocess.PIPE, text=True
    )


def run_and_kill(part: str, folder: str, until: dict[str, int]) -> list[str]:
    """Run a part until it said so many lines that start so, kill it, return all that it said."""
    said: list[str] = []
    with start(part, folder) as process:
        assert process.stdout is not None
        left = Counter(until)
        for line in process.stdout:
            said.append(line)
            left.subtract(word for word in until if line.startswith(word))
            if max(left.values()) <= 0:
                process.kill()
                break
        said += process.stdout.readlines()
    check(process.returncode == -signal.SIGKILL, f"{part} ran until it was killed")
    return [line.strip() for line in said if line.endswith("\n")]


def run_to_the_end(part: str, folder: str) -> list[str]:
    with start(part, folder) as process:
        assert process.stdout is not None
        said = process.stdout.read().splitlines()
    check(process.returncode == 0, f"{part} finished")
    return said


# --- the acts ------------------------------------------------------------------------------------


def drain(queue: trunkline.Queue) -> list[int]:
    """Take all messages of a queue; the numbers of their orders."""
    numbers = []
    while messages := queue.receive(max=10):
        for message in messages:
            with message:
                numbers.append(message.json()["number"])
    return numbers


def show_orders(folder: str) -> None:
    print("5. a shop puts orders on a bus; kill -9 it in the middle")
    until = {"": ORDERS_BEFORE_THE_KILL}
    acknowledged = [int(line) for line in run_and_kill("--shop", folder, until)]
    check(acknowledged == list(range(len(acknowledged))), "the shop acknowledged in order")
    print(f"   {len(acknowledged)} orders were acknowledged")

    print("6. open the folder again, and empty the three queues")
    started = time.perf_counter()
    engine, bus, archive = open_shop(folder)
    reopened = (time.perf_counter() - started) * 1_000
    with engine:
        kept = archive.events
        interrupted = len(acknowledged)
        check(kept - interrupted in (0, 1), "the archive has every acknowledged order, once")
        found = {name: drain(engine.queue(name)) for name in PATTERNS}
        for name, numbers in found.items():
            wanted = [number for number in acknowledged if name in wanted_by(number)]
            had = sorted(number for number in numbers if number != interrupted)
            check(had == wanted, f"{name} has what its rule asks for, once, and no more")
        # The order whose put was interrupted was not acknowledged: it is in all queues or in none.
        there = {name for name, numbers in found.items() if interrupted in numbers}
        check(there in (set(), wanted_by(interrupted)), "no order is in half of its queues")
        print(f"   reopened in {reopened:.1f} ms; the archive has {kept} orders")
        print("   " + ", ".join(f"{name}: {len(numbers)}" for name, numbers in found.items()))
        why = bus.explain({"source": "shop", "detail-type": "OrderPlaced", "detail": order(0)})
        print(f"   why order 0 is not for billing: {why['billing']}")

        print("7. replay the archive to a queue that is younger than the orders")
        report = engine.queue("report")
        rule = bus.rule("report", {"source": ["shop"]}, report, input_path="$.detail")
        replay = archive.replay(rules=[rule])
        check(replay.wait(timeout=30) == "COMPLETED", "the replay completed")
        check(drain(report) == list(range(kept)), "the replay brought every order, in order")
        check(not any(drain(engine.queue(name)) for name in PATTERNS), "and to no other queue")
        check(archive.events == kept, "what is replayed is not archived again")
        print(f"   {replay.replayed} orders were replayed to it, and to it alone")


def by_member(said: list[str], word: str) -> dict[str, list[int]]:
    """The numbers that each member said with this word, in its order."""
    numbers: dict[str, list[int]] = {member: [] for member in MEMBERS}
    for line in said:
        first, *rest = line.split()
        if first == word:
            numbers[rest[0]] += map(int, rest[1:])
    return numbers


def check_clicks(before: list[str], after: list[str]) -> Counter[int]:
    """Nothing acknowledged is lost, nothing committed comes twice; how often each was read."""
    acknowledged = {
        int(number) for line in before if line.startswith("put ") for number in line.split()[1:]
    }
    read = [by_member(said, "read") for said in (before, after)]
    committed = {
        number for numbers in by_member(before, "committed").values() for number in numbers
    }
    times = Counter(number for run in read for numbers in run.values() for number in numbers)
    again = {number for numbers in read[1].values() for number in numbers}
    check(acknowledged <= times.keys(), "every acknowledged click was read")
    check(not committed & again, "nothing that was committed is read again")
    check(max(times.values()) <= 2, "what was not committed is read once more, and not oftener")
    for run in read:
        shared = defaultdict(list)
        for member, numbers in run.items():
            for number in numbers:
                shared[number % USERS].append((member, number))
        for user, clicks in shared.items():
            check(len({member for member, _ in clicks}) == 1, f"one member reads user-{user}")
            numbers = [number for _, number in clicks]
            check(numbers == sorted(set(numbers)), f"the clicks of user-{user} stay in order")
    check(
        all(numbers for run in read for numbers in run.values()),
        "both members read, before and after the kill",
    )
    return times


def show_clicks(folder: str) -> None:
    print("8. a site puts clicks on a stream, two members of a reader read; kill -9 it")
    batches = CLICKS_BEFORE_THE_KILL // CLICKS_IN_A_BATCH
    committed = {f"committed {member}": 1 for member in MEMBERS}
    before = run_and_kill("--site", folder, {"put ": batches, **committed})
    after = run_to_the_end("--members", folder)
    times = check_clicks(before, after)
    for when, said in (("before the kill", before), ("after the restart", after)):
        counts = {name: len(read) for name, read in by_member(said, "committed").items()}
        shares = ", ".join(f"{name} {clicks}" for name, clicks in counts.items())
        print(f"   committed {when}: {shares}")
    print(f"   {len(times)} clicks were read; {times.total() - len(times)} of them twice")


def demonstrate(folder: str) -> None:
    show_orders(folder)
    show_clicks(folder)
    print()
    print("  verified: no acknowledged order or click is lost; no order is in half of its queues;")
    print("  the replay is complete and in order; no committed click comes twice; users in order")


def main(arguments: list[str]) -> None:
    parts = {
        "--shop": put_orders,
        "--site": lambda folder: run_site(folder, with_traffic=True),
        "--members": lambda folder: run_site(folder, with_traffic=False),
    }
    if arguments and arguments[0] in parts:
        parts[arguments[0]](arguments[1])
    elif arguments:
        demonstrate(arguments[0])
    else:
        with tempfile.TemporaryDirectory(prefix="trunkline-demo-") as folder:
            demonstrate(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
