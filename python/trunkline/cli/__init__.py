"""The command ``trunkline``: parse, call one verb, print."""

from __future__ import annotations

import sys

import trunkline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`; return the status to exit with.

    >>> main(["verify", "no/such/folder"]) != 0
    True
    """
    try:
        return _run(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:
        return 130


def _run(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):
        print(f"trunkline {trunkline.__version__}")
        raise SystemExit(0)
    if arguments[:1] == ["bench"] and "--at" not in arguments:
        # The benchmarks have options of their own.
        from trunkline import bench

        return int(bench.main(arguments[1:]) or 0)
    verb = next((word for word in arguments if not word.startswith("-")), "")
    from trunkline.cli.errors import CommandError, UsageError
    from trunkline.cli.parser import VERBS, parser_of

    known = [verb] if verb in VERBS else []
    options = parser_of(known, alone=known == arguments[:1]).parse_args(arguments)
    try:
        return int(options.run(options))
    except trunkline.TrunklineError as error:
        hint = _HINTS.get(error.code)
        return _complain(error.code, error, hint)
    except CommandError as error:
        status = _complain(error.code, error, error.hint)
        return 2 if isinstance(error, UsageError) else status
    except BrokenPipeError:
        # What reads the output has read enough; Python must not complain about the rest.
        sys.stderr.close()
        return 1
    except OSError as error:
        # A file that an argument names.
        return _complain(type(error).__name__, error, None)


_HINTS = {
    "QueueDoesNotExist": "`trunkline queues` lists them, `trunkline send --create` makes one",
    "ResourceNotFoundException": "an AWS SDK, a program, the console or trunkline.toml makes "
    "topics, streams and buses",
    "ServerUnreachable": "start a server with `trunkline serve`, or give a folder or URL with --at",
}


def _complain(code: str, why: Exception, hint: str | None) -> int:
    print(f"trunkline: {code}: {why}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)
    return 1
