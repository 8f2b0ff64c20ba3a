"""``trunkline.toml``, the environment and flags."""

from __future__ import annotations

import argparse

import pytest

import trunkline
from trunkline.server import localstack
from trunkline.server.command import DEFAULTS, add_arguments
from trunkline.server.settings import resolve

FILE = """
[engine]
data = "data"
trace = "on"

[limits]
message_bytes_max = 2_000_000

[server]
port = 4600
log = "json"
services = ["sqs", "sns"]
cors-origin = ["https://tools.example"]

[[queue]]
name = "orders"
visibility_timeout = 60
dead_letter = "dead"
max_receive_count = 5

[[queue]]
name = "dead"

[[topic]]
name = "news"
subscriptions = ["dead", { queue = "orders", raw = true }]

[[stream]]
name = "clicks"
shards = 2

[[bucket]]
name = "uploads"
versioned = true

[[bus]]
name = "shop"
rules = [{ name = "big", pattern = { source = ["a"] }, queues = ["orders", "dead"] }]

[[machine]]
name = "flow"
definition = "flow.json"
"""
FLOW = '{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}'


@pytest.fixture
def file(tmp_path):
    (tmp_path / "trunkline.toml").write_text(FILE)
    (tmp_path / "flow.json").write_text(FLOW)
    return tmp_path / "trunkline.toml"


def test_an_engine_has_what_its_file_says_however_often_it_is_opened(file):
    for _ in range(2):
        with trunkline.open(config=file) as engine:
            assert engine.queue("orders").settings()["dead_letter"] == "dead"
            assert engine.limits.message_bytes_max == 2_000_000
            assert len(engine.topic("news").subscriptions()) == 2
            assert engine.stream("clicks").statistics().open_shards == 2
            assert engine.bucket("uploads").versioned
            assert len(engine.bus("shop").rules()[0].targets()) == 2
            assert engine.machine("flow").name == "flow"
            assert engine.tracing.statistics().rate == 1
    assert (file.parent / "data").is_dir()


def test_arguments_win_over_the_file(file, tmp_path):
    limits = trunkline.Limits(message_bytes_max=3_000_000)
    with trunkline.open(tmp_path / "other", config=file, limits=limits) as engine:
        assert engine.limits.message_bytes_max == 3_000_000
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[queu]]\nname = 'a'", "did you mean 'queue'"),
        ("[[queue]]\nnam = 'a'", "number 1 has no name"),
        ("[queue]\nname = 'a'", "array of tables"),
        ("[[queue]]\nname = 'a'\ndely = 1", "dely"),
        ("[limits]\nnope = 1", "there is no limit named nope"),
        ("[engine]\ndat = 'x'", "did you mean 'data'"),
        ("[[queue]]\nname = 'no spaces'", "[[queue]] 'no spaces'"),
        ("[[topic]]\nname = 't'\nsubscriptions = ['nope']", "nope"),
        ("[[machine]]\nname = 'm'\ndefinition = 'nope.json'", "nope.json"),
        ("x = ", "is not TOML"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path, text, why):
    file = tmp_path / "trunkline.toml"
    file.write_text(text)
    with pytest.raises(trunkline.InvalidArgument) as caught:
        trunkline.open(config=file)
    assert str(file) in str(caught.value)
    assert why in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(trunkline.InvalidArgument, match="cannot be read"):
        trunkline.open(config=tmp_path / "nope.toml")


def options(*words, environment=None):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    found, _, warnings = resolve(parser, parser.parse_args(words), environment or {}, DEFAULTS)
    return found, warnings


def test_a_flag_wins_over_the_environment_and_that_over_the_file(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment = {"TRUNKLINE_PORT": "4700", "TRUNKLINE_TLS": "1"}
    found, _ = options("--port", "4800", environment=environment)
    assert (found.port, found.tls, found.log) == (4800, True, "json")
    found, _ = options(environment=environment)
    assert found.port == 4700
    found, _ = options()
    assert (found.port, found.services) == (4600, "sqs,sns")
    assert found.cors_origin == ["https://tools.example"]
    assert (found.data, found.trace) == (str(tmp_path / "data"), "on")
    monkeypatch.chdir("/")
    found, _ = options()
    assert (found.port, found.tls, found.trace, found.data) == (4566, False, "off", None)


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"TRUNKLINE_PORT": "http"}, "TRUNKLINE_PORT: 'http' is no port"),
        ({"TRUNKLINE_TLS": "maybe"}, "TRUNKLINE_TLS='maybe'"),
        ({"TRUNKLINE_AUTH": "none"}, "TRUNKLINE_AUTH: 'none' is not one of off, parse, strict"),
        ({"GATEWAY_LISTEN": "0.0.0.0:99999"}, "GATEWAY_LISTEN: '99999' is no port"),
    ],
)
def test_a_mistake_in_the_environment_is_named(environment, why):
    with pytest.raises(ValueError, match=why.split(":")[0]) as caught:
        options(environment=environment)
    assert why in str(caught.value)


def test_a_mistake_in_the_server_s_table_is_named(tmp_path):
    file = tmp_path / "a.toml"
    for text, why in (
        ("[server]\nprot = 1", "did you mean 'port'"),
        ("[server]\ntls = 1", "[server] tls must be true or false"),
        ("[server]\nport = 'x'", "[server] port"),
        ("[server]\nfunctions = 'app.py'", "must be an array"),
    ):
        file.write_text(text)
        with pytest.raises(trunkline.InvalidArgument) as caught:
            options("--config", str(file))
        assert why in str(caught.value)


def test_a_folder_may_be_named_from_the_home_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / "project" / "a.toml"
    file.parent.mkdir()
    file.write_text("[engine]\ndata = '~/data'")
    for found, _ in (
        options("--data=~/data"),
        options(environment={"TRUNKLINE_DATA": "~/data"}),
        options("--config", str(file)),
    ):
        assert found.data == str(tmp_path / "data")


def test_a_variable_that_is_misspelt_is_named():
    environment = {"TRUNKLINE_PROT": "1", "TRUNKLINE_AT": "data", "TRUNKLINE_HOST": "::1"}
    _, warnings = options(environment=environment)
    assert warnings == ["TRUNKLINE_PROT is no option; did you mean TRUNKLINE_PORT?"]


def test_variables_of_localstack_are_honoured_or_named():
    environment = {
        "GATEWAY_LISTEN": "0.0.0.0:4510",
        "SERVICES": "sqs,dynamodb",
        "DEBUG": "1",
        "DATA_DIR": "/tmp/x",
        "SQS_DELAY_PURGE_RETRY": "1",
        "LOCALSTACK_AUTH_TOKEN": "ls-secret",
        "DOCKER_HOST": "unix:///x",
    }
    found, warnings = options(environment=environment)
    assert (found.host, found.port, found.data) == ("0.0.0.0", 4510, "/tmp/x")
    assert (found.services, found.log_level, found.limits) == ("sqs", "debug", "aws")
    text = "\n".join(warnings)
    assert all(name in text for name in ("dynamodb", "LOCALSTACK_AUTH_TOKEN", "DOCKER_HOST"))
    assert "ls-secret" not in text
    assert localstack.translate({"PERSISTENCE": "1"})[1] == [
        "PERSISTENCE of LocalStack is not honoured: give a folder with --data"
    ]
    assert localstack.translate({}) == ({}, [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[engine]\ndata = 5", "data must be str"),
        ("[engine]\ndurability = 3", "durability must be str"),
        ("[engine]\nseed = true", "seed must be int"),
        ("[engine]\ndurable_receives = 'no'", "durable_receives must be bool"),
        ("[[topic]]\nname = 't'\nsubscriptions = [{}]", "lacks 'queue'"),
        ("[[machine]]\nname = 'm'", "lacks 'definition'"),
        ("a = " + "[" * 5_000, "is not TOML"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_file(tmp_path, text, why):
    file = tmp_path / "trunkline.toml"
    file.write_text(text)
    with pytest.raises(trunkline.InvalidArgument, match=why) as caught:
        trunkline.open(config=file).close()
    assert str(caught.value).startswith(str(file))
    assert not str(caught.value).endswith("..")
