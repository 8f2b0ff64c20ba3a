"""``trunkline serve``: open an engine, listen, and stop when told to."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial

from trunkline.server.stopping import Stopping

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from pathlib import Path
    from types import FrameType
    from typing import Any

    from trunkline._types import TraceMode
    from trunkline.config import Config
    from trunkline.engine import Engine
    from trunkline.limits import Limits
    from trunkline.server.certificate import OwnCertificate
    from trunkline.server.log import Log
    from trunkline.server.programs import Program
    from trunkline.server.server import Server


_PORT_MAX = 65_535
DEFAULTS: dict[str, object] = {
    "allow_code": False,
    "allowed_host": (),
    "auth": "parse",
    "cors_origin": (),
    "durable_receives": False,
    "firehose_folder": (),
    "functions": (),
    "host": "127.0.0.1",
    "limits": "relaxed",
    "log": "text",
    "port": 4566,
    "tls": False,
    "trace": "off",
    "trusted_proxy": (),
    "virtual_clock": False,
}
"""What an option is that no flag, no variable and no file sets; others are None."""

_LEVELS = ("off", "error", "warning", "info", "debug")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    # What no flag says stays None, so that the environment and the file can say it: see DEFAULTS.
    add = partial(parser.add_argument, default=None)
    add("--config", metavar="FILE", help="read this file (default: trunkline.toml, if it is there)")
    address = "IP address or name to listen on (default: this machine only)"
    add("--host", help=address)
    add("--port", type=_port, help="port; 0 takes a free one (default: 4566)")
    add("--data", metavar="DIR", help="keep everything in this folder (default: in memory)")
    levels = "what an answer to a send means (default: disk with --data, else memory)"
    add("--durability", choices=("disk", "os", "memory"), help=levels)
    receives = "let an answer to a receive wait for the disk, as those to other writes do"
    add("--durable-receives", action="store_true", help=receives)
    signatures = "what signatures have to be (default: parse)"
    add("--auth", choices=("off", "parse", "strict"), help=signatures)
    add("--credentials", type=_path, metavar="FILE", help="the secrets of --auth strict")
    add("--tls", action="store_true", help="serve HTTPS; makes a certificate if none is given")
    add("--cert", type=_path, metavar="FILE", help="certificate chain for --tls, PEM")
    add("--key", type=_path, metavar="FILE", help="private key for --tls, PEM")
    add("--services", help="comma-separated (default: all)")
    add("--cors-origin", action="append", metavar="ORIGIN", help="a page that may call")
    names = "a name that the server answers to, beside those of this machine"
    add("--allowed-host", action="append", metavar="NAME", help=names)
    proxies = "a proxy whose X-Forwarded-* headers count: an address or a network"
    add("--trusted-proxy", action="append", metavar="NETWORK", help=proxies)
    token = "what callers of /_trunkline/* have to send (default: $TRUNKLINE_ADMIN_TOKEN)"
    add("--admin-token", help=token)
    traced = "note what happens to messages: on, off, or a part such as 0.01 (default: off)"
    pacing = "aws adds the rules that only protect AWS's operation (default: relaxed)"
    add("--limits", choices=("relaxed", "aws"), help=pacing)
    add("--trace", type=_trace, metavar="MODE", help=traced)
    program = "name the functions of a file (app.py) or a module (module, module:name)"
    add("--functions", action="append", metavar="PROGRAM", help=program)
    folders = "a folder below which delivery streams may write files"
    add("--firehose-folder", action="append", metavar="DIR", help=folders)
    code = "run the code that CreateFunction brings, with the rights of the server"
    add("--allow-code", action="store_true", help=code)
    mails = "hand mails of topics to this SMTP server: HOST:PORT or a URL (docs/server.md)"
    add("--smtp", metavar="HOST:PORT", help=mails)
    add("--smtp-from", metavar="ADDRESS", help="who these mails come from")
    add("--reach", choices=("public", "usual", "everywhere"), help="where requests of ours may go")
    add("--virtual-clock", action="store_true", help="time stands still until it is advanced")
    add(
        "--init", type=_path, metavar="DIR", help="run the .py and .sh files of a folder when ready"
    )
    add("--log", choices=("text", "json"), help="its form (default: text)")
    level = (
        "which requests get a line: failed ones (error, warning), all (info), and probes (debug)"
    )
    usual = "off for none (default: info on a terminal, else warning)"
    add("--log-level", choices=_LEVELS, help=f"{level}; {usual}")
    add("--log-requests", action="store_const", const="info", dest="log_level", help="level info")
    parser.set_defaults(run=partial(_run, parser))


def _port(text: str) -> int:
    import argparse

    if not (text.isascii() and text.isdigit() and int(text) <= _PORT_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; use 0 to {_PORT_MAX}")
    return int(text)


def _path(text: str) -> Path:
    from pathlib import Path

    return Path(text)


def _trace(text: str) -> TraceMode:
    import argparse

    if text in ("on", "off"):
        return "on" if text == "on" else "off"
    try:
        part = float(text)
    except ValueError:
        part = -1.0
    if not 0 <= part <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no mode; use on, off, or 0 to 1")
    return part


def _run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    from trunkline.errors import TrunklineError
    from trunkline.server.log import Log
    from trunkline.server.settings import resolve

    try:
        options, config, warnings = resolve(parser, options, os.environ, DEFAULTS)
    except (ValueError, TrunklineError) as error:
        return Log(options.log or "text").fail(str(error))
    log = Log(options.log)
    for warning in warnings:
        log.warn(warning)
    return run(options, log, config)


def run(options: argparse.Namespace, log: Log, config: Config | None) -> int:
    """Serve until SIGINT or SIGTERM; 0 when everything was finished."""
    import trunkline

    stopping = Stopping()
    _on_signals(stopping)
    try:
        arguments = _arguments(options)
    except ValueError as error:
        return log.fail(str(error))
    clock = trunkline.VirtualClock() if options.virtual_clock else None
    try:
        engine = trunkline.open(
            options.data,
            durability=options.durability,
            durable_receives=options.durable_receives,
            clock=clock,
            limits=_limits(options, config),
            trace=options.trace,
        )
    except trunkline.TrunklineError as error:
        return log.fail(f"{error.code}: {error}")
    try:
        if options.data:
            # What was left in the folder goes on as soon as the server is there, and may log.
            log.capture()
        if config is not None:
            config.declare(engine)
        programs = _load_functions(engine, options, log)
        own = _own_certificate(options)
        if own is not None:
            arguments["certificate"] = own.pem
        server = _listen(engine, options, arguments)
    except (OSError, ValueError, trunkline.TrunklineError) as error:
        engine.close()
        return log.fail(_explain(error, options))
    with engine:
        _announce(log, server, options, own)
        log.capture()
        for program in programs:
            program.watch(log, stopping)
        if options.init is not None:
            from trunkline.aws.control import SET_UP
            from trunkline.server.hooks import run_hooks

            again = partial(run_hooks, options.init, server.url, log, stopping)
            SET_UP.of(engine._core).append(again)
            again()
        stopping.wait()
        finished = server.stop()
        if own is not None:
            own.forget()
        log.say("stopped", finished=finished)
    return 0


def _limits(options: argparse.Namespace, config: Config | None) -> Limits | None:
    from trunkline.limits import Limits

    given = None if config is None else config.limits()
    if options.limits != "aws":
        return given
    changes = dict(given.items()) if given is not None else {}
    return Limits(**{**changes, **_pacing()})


def _pacing() -> dict[str, int]:
    from trunkline.limits import Limits

    relaxed = dict(Limits().items())
    return {name: value for name, value in Limits.aws().items() if relaxed[name] != value}


def _on_signals(stopping: Stopping) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _arguments(options: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {
        "auth": options.auth,
        "origins": list(options.cors_origin),
        "hosts": options.allowed_host,
        "trusted_proxies": options.trusted_proxy,
        "admin_token": options.admin_token or None,
        "smtp": options.smtp or None,
        "smtp_from": options.smtp_from,
        "reach": options.reach,
        **_request_log(options),
        "allow_code": options.allow_code,
        "firehose_folders": options.firehose_folder,
    }
    if options.services:
        found["services"] = [name.strip() for name in options.services.split(",") if name.strip()]
    if options.init is not None and not options.init.is_dir():
        raise ValueError(f"--init {options.init} is no folder")
    if options.auth == "strict":
        if options.credentials is None:
            raise ValueError("--auth strict needs --credentials FILE")
        from trunkline.server.credentials import read_credentials

        found["credentials"] = read_credentials(options.credentials)
    if options.cert or options.key:
        found["certificate"] = _certificate(options)
    return found


def _request_log(options: argparse.Namespace) -> dict[str, str]:
    # On a terminal every request is of interest; in a log, failures are.
    level = options.log_level or ("info" if sys.stdout.isatty() else "warning")
    if level not in _LEVELS:
        raise ValueError(f"TRUNKLINE_LOG_LEVEL {level!r} is not known; use {', '.join(_LEVELS)}")
    return {} if level == "off" else {"request_log": options.log, "log_level": level}


def _load_functions(engine: Engine, options: argparse.Namespace, log: Log) -> list[Program]:
    if not options.functions:
        return []
    from trunkline.functions.logs import capture_prints
    from trunkline.server.programs import Program

    log.capture()
    capture_prints()
    programs = [Program(engine, spec) for spec in options.functions]
    for program in programs:
        program.load()
    return programs


def _own_certificate(options: argparse.Namespace) -> OwnCertificate | None:
    """The certificate of a server that was given none; the folder has been opened, or it would be
    one with a foreign file."""
    if not options.tls or options.cert is not None:
        return None
    from trunkline.server.certificate import OwnCertificate

    names = ["localhost", "127.0.0.1", "::1", options.host, *options.allowed_host]
    return OwnCertificate(options.data, [name for name in names if name not in ("*", "0.0.0.0")])


def _certificate(options: argparse.Namespace) -> tuple[str, str]:
    if (options.cert is None) != (options.key is None):
        raise ValueError("--cert and --key belong together")
    return _read("--cert", options.cert), _read("--key", options.key)


def _read(option: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text in PEM"
        raise ValueError(f"{option} {path} cannot be read: {why}") from error


def _listen(engine: Engine, options: argparse.Namespace, arguments: dict[str, Any]) -> Server:
    from trunkline.server.server import Server

    address = {"host": options.host, "port": options.port}
    return Server(engine, **address, **arguments)


def _explain(error: Exception, options: argparse.Namespace) -> str:
    import errno

    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return (
            f"port {options.port} on {options.host} is taken by another program; "
            "stop it, or choose another with --port (0 takes a free one)"
        )
    if number == errno.EACCES:
        return (
            f"this user may not listen on port {options.port} of {options.host}: ports below 1024 "
            "need rights of their own; choose another with --port (0 takes a free one)"
        )
    if number == errno.EADDRNOTAVAIL:
        return f"{options.host} is no address of this machine; leave --host out, or use 0.0.0.0"
    text = str(error)
    for part, option in (("certificate chain", "cert"), ("private key", "key")):
        if text.startswith(f"The {part} ") and getattr(options, option) is not None:
            return f"--{option} {getattr(options, option)}: {text}"
    return text


def _console(server: Server, options: argparse.Namespace) -> str:
    """Where the console is, or why it is for no one: the core refuses it without a token."""
    if options.admin_token:
        return f"{server.url}/_trunkline, with the admin token"
    host, _ = server.address
    why = "signatures are proved" if options.auth == "strict" else "others can reach the server"
    if options.auth == "strict" or not (host.startswith("127.") or host == "::1"):
        return f"needs --admin-token, as `trunkline queues` and the like do, because {why}"
    return f"{server.url}/_trunkline"


def _announce(
    log: Log, server: Server, options: argparse.Namespace, own: OwnCertificate | None
) -> None:
    import trunkline

    kept = f"in {options.data}" if options.data else "in memory"
    log.say(
        f"Trunkline {trunkline.__version__} serves on {server.url}",
        url=server.url,
        data=options.data,
        auth=options.auth,
        pid=os.getpid(),
        **({} if own is None else {"certificate": str(own.path)}),
    )
    log.hint(f"  messages are kept {kept}; signatures: {options.auth}")
    log.hint(f"  console: {_console(server, options)}")
    log.hint(f"  export AWS_ENDPOINT_URL={server.url} AWS_DEFAULT_REGION=us-east-1")
    if options.auth != "strict":
        log.hint("  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test")
    if own is not None:
        log.hint(f"  export AWS_CA_BUNDLE={own.path}")
    sys.stdout.flush()
