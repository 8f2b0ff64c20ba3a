"""Runs a command, and ends with it everything that it started.

It is started with this path and imports nothing of Trunkline. ``supervisor.py BYTES COMMAND``
bounds the data of the command; 0 bounds nothing. The command, and what it starts, may leave its
process group and its session. On Linux it stays below this process all the same: a process that
loses its parent becomes a child of the nearest subreaper, which is this one. When the command ends,
when SIGTERM comes, or when the input ends because the server was killed, all of it is ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time

_SET_CHILD_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux's prctl."""

SECONDS_MAX = 2.0
"""How long processes are ended: one that cannot be, such as one of another user, is left."""

_PAUSE = 0.005


def _become_subreaper() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _children() -> dict[int, list[int]]:
    """The processes of the machine by their parents, without those that have ended."""
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # The name of the program may have spaces and parentheses.
                state, parent = file.read().rpartition(b")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state != b"Z":
            found.setdefault(int(parent), []).append(int(name))
    return found


def _descendants(root: int) -> list[int]:
    """Every process below one."""
    children = _children()
    found: list[int] = []
    rest = [root]
    while rest:
        below = children.get(rest.pop(), [])
        found += below
        rest += below
    return found


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        return


def end_all(root: int) -> None:
    """Ends every process below one. They are stopped first, so that they start no more."""
    if sys.platform != "linux":
        return
    until = time.monotonic() + SECONDS_MAX
    stopped: set[int] = set()
    while time.monotonic() < until:
        found = set(_descendants(root))
        if not found:
            return
        if found <= stopped:
            for pid in found:
                _signal(pid, signal.SIGKILL)
            time.sleep(_PAUSE)
        for pid in found - stopped:
            _signal(pid, signal.SIGSTOP)
        stopped |= found


def _reap(command: int) -> int | None:
    """Takes the ends of children; the status of the command, if it was among them."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == 0:
            return None
        if pid == command:
            return status


def _start(data: int, command: list[str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        # A group of its own: what the command sends to its group does not reach this process.
        os.setpgid(0, 0)
        if data:
            resource.setrlimit(resource.RLIMIT_DATA, (data, data))
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
    os._exit(127)


def _supervise(command: int, wake: int) -> int | None:
    """Waits for the end of the command; None if it is to be ended."""
    poll = select.poll()
    # No event is asked for: the end of the input is told all the same.
    poll.register(0, 0)
    poll.register(wake, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor != wake:
                return None
            if signal.SIGTERM in os.read(wake, 512):
                return None
            status = _reap(command)
            if status is not None:
                return status


def main() -> None:
    """Runs the command of the arguments, and ends as it ended."""
    data, command = int(sys.argv[1]), sys.argv[2:]
    _become_subreaper()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    wake, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    pid = _start(data, command)
    status = _supervise(pid, wake)
    with contextlib.suppress(OSError):
        # Where there is no subreaper: the group of the command, as long as it has not left it.
        os.killpg(pid, signal.SIGKILL)
    end_all(os.getpid())
    if status is None:
        os._exit(1)
    if os.WIFSIGNALED(status):
        ended_by = os.WTERMSIG(status)
        if ended_by != signal.SIGKILL:
            signal.signal(ended_by, signal.SIG_DFL)
        os.kill(os.getpid(), ended_by)
    os._exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main()
