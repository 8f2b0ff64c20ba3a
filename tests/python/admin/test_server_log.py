"""What the library logs comes out of the server in the form of its own lines."""

import io
import json
import logging

import pytest

from trunkline.server.log import Log


@pytest.fixture
def logger():
    logger = logging.getLogger("trunkline")
    before = (logger.level, logger.propagate, list(logger.handlers))
    yield logger
    logger.level, logger.propagate, logger.handlers = before


def test_text_names_the_time_the_level_and_the_logger(logger, capsys):
    Log("text").capture()
    logger.warning("queue %s: %s", "orders", "slow")
    moment, rest = capsys.readouterr().out.split(" ", 1)
    assert rest == "warning trunkline: queue orders: slow\n"
    assert moment.endswith("Z")


def test_json_has_the_message_and_the_traceback_as_facts(logger, capsys):
    Log("json").capture()
    try:
        raise ValueError("no such flavour")
    except ValueError:
        logger.getChild("pipes").exception("a batch failed")
    captured = capsys.readouterr()
    told = json.loads(captured.err)
    assert captured.out == ""
    assert told["traceback"].endswith("ValueError: no such flavour")
    assert {name: told[name] for name in ("level", "event", "logger", "message")} == {
        "level": "error",
        "event": "log",
        "logger": "trunkline.pipes",
        "message": "a batch failed",
    }


def test_a_second_capture_writes_no_line_twice(logger, capsys):
    log = Log("text")
    log.capture()
    log.capture()
    logger.info("once")
    assert capsys.readouterr().out.count("once") == 1


def test_failures_go_to_standard_error(capsys):
    assert Log("json").fail("no such folder") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    told = json.loads(captured.err)
    assert (told["event"], told["level"], told["why"]) == ("failed", "error", "no such folder")


class Pieces(io.StringIO):
    """Keeps what it is given, call by call; then its reader is gone."""

    def __init__(self):
        super().__init__()
        self.pieces = []

    def write(self, text):
        if self.pieces:
            raise BrokenPipeError
        self.pieces.append(text)
        return len(text)


def test_a_line_is_written_in_one_piece_and_a_reader_that_is_gone_stops_nothing(monkeypatch):
    out = Pieces()
    monkeypatch.setattr("sys.stdout", out)
    log = Log("text")
    log.say("ready")
    log.say("stopped")
    log.hint("  a hint")
    assert out.pieces == ["ready\n"]
