"""The peers: where each is looked for, how it is started, and how it is installed."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from benches.run import ROOT
from benches.wire.servers import Server

FOLDER = ROOT / "target" / "peers"
"""Where `make wire-peers` puts what comes from Maven, npm and crates."""

PYTHON_PEERS = "make bench-wire installs it"
OTHER_PEERS = "make wire-peers"


@dataclass(frozen=True)
class Peer:
    """Something that answers SQS's protocol, and the server that is started if it is here."""

    name: str
    install: str
    server: Server | None


def _script(name: str) -> str | None:
    """A program of this environment."""
    return shutil.which(name, path=str(Path(sys.executable).parent))


def _moto() -> Server | None:
    program = _script("moto_server")
    command = [program or "", "-p", "{port}"]
    return Server("moto", command, reset="/moto-api/reset") if program else None


def _ministack() -> Server | None:
    program = _script("ministack")
    environment = {"GATEWAY_PORT": "{port}", "SERVICES": "sqs,sns,events"}
    reset = "/_ministack/reset"
    return Server("ministack", [program], environment, reset) if program else None


def _elasticmq() -> Server | None:
    jars = FOLDER / "elasticmq"
    java = shutil.which("java")
    if java is None or not any(jars.glob("elasticmq-server*.jar")):
        return None
    settings = {
        "node-address.port": "{port}",
        "rest-sqs.bind-port": "{port}",
        # Another port, which two of them would fight for.
        "rest-stats.enabled": "false",
    }
    options = [f"-D{name}={value}" for name, value in settings.items()]
    command = [java, *options, "-cp", f"{jars}/*", "org.elasticmq.server.Main"]
    return Server("ElasticMQ", command, deletes=True)


def _fauxqs() -> Server | None:
    modules = FOLDER / "fauxqs" / "node_modules"
    main, node = modules / "fauxqs" / "dist" / "server.js", modules / "node" / "bin" / "node"
    if not (main.exists() and node.exists()):
        return None
    # A line of log for every request would be measured too.
    environment = {"FAUXQS_PORT": "{port}", "FAUXQS_LOGGER": "false"}
    return Server("fauxqs", [str(node), str(main)], environment, deletes=True)


def _fakecloud() -> Server | None:
    program = FOLDER / "fakecloud" / "bin" / "fakecloud"
    found = str(program) if program.exists() else shutil.which("fakecloud")
    if found is None:
        return None
    return Server("fakecloud", [found, "--addr", "127.0.0.1:{port}"], deletes=True)


def peers() -> list[Peer]:
    """All of them, those that are not installed included."""
    return [
        Peer("moto", PYTHON_PEERS, _moto()),
        Peer("ministack", PYTHON_PEERS, _ministack()),
        Peer("ElasticMQ", OTHER_PEERS, _elasticmq()),
        Peer("fauxqs", OTHER_PEERS, _fauxqs()),
        Peer("fakecloud", f"{OTHER_PEERS} PEERS=fakecloud", _fakecloud()),
    ]
