"""Functions whose code or whose callers mean no good, and archives that are not what they say."""

from __future__ import annotations

import base64
import io
import json
import threading
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_calls import archive, call, create, refused
from source_calls import until

import trunkline
import trunkline.aws
from trunkline.aws.store import Store
from trunkline.functions.invocation import LOG_CHARS_MAX, LogLines
from trunkline.functions.registry import functions_of
from trunkline.server.programs import Program

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:echo"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:orders"
LAYER = "arn:aws:lambda:us-east-1:000000000000:layer:cups"


@pytest.fixture
def engine() -> Any:
    with trunkline.open() as opened:
        functions_of(opened._core).allows_code = True
        yield opened


@pytest.fixture
def client(engine: trunkline.Engine) -> Any:
    return trunkline.aws.client("lambda", engine=engine)


def tail(answer: Any) -> list[str]:
    return base64.b64decode(answer["LogResult"]).decode().splitlines()


def pieces(engine: trunkline.Engine) -> int:
    return len(Store(engine._core).page("lambda/code/", limit=100)[0])


def test_what_is_printed_without_an_end_of_line_is_a_line(client: Any) -> None:
    code = "def handler(event, context):\n    print(event['say'], end='')\n"
    create(client, Code={"ZipFile": archive(handler__py=code)})
    for word in ("one", "two"):
        answer, _ = call(client, {"say": word}, LogType="Tail")
        assert tail(answer)[1] == word
        assert "end of log" not in "".join(tail(answer))


def test_a_log_is_bounded_in_lines_and_in_their_length(client: Any) -> None:
    code = "def handler(event, context):\n    print('x' * 20_000_000, end='')\n    return 1\n"
    create(client, Code={"ZipFile": archive(handler__py=code)})
    answer, told = call(client, LogType="Tail")
    assert told == 1
    assert len(answer["LogResult"]) < 10_000
    lines = LogLines()
    for _ in range(100):
        lines.keep("x" * 1_000_000)
    assert sum(map(len, lines)) <= LOG_CHARS_MAX


def damaged(kind: str) -> bytes:
    data = bytearray(archive(handler__py="def handler(e, c): return 1\n" * 20))
    central = data.index(b"PK\x01\x02")
    if kind == "encrypted":
        data[6] |= 1
        data[central + 8] |= 1
    elif kind == "method":
        data[central + 10] = data[8] = 12
    elif kind == "version":
        data[central + 6] = 99
    return bytes(data)


@pytest.mark.parametrize("kind", ["encrypted", "method", "version"])
def test_an_archive_that_cannot_be_unpacked_is_refused(client: Any, kind: str) -> None:
    code, message = refused(create, client=client, Code={"ZipFile": damaged(kind)})
    assert code == "InvalidParameterValueException"
    assert "Could not unzip" in message


def test_an_archive_with_a_wrong_sum_fails_each_invocation_alike(client: Any) -> None:
    data = bytearray(archive(handler__py="def handler(e, c): return 1\n"))
    data[data.index(b"return 1")] ^= 1
    create(client, Code={"ZipFile": bytes(data)})
    for _ in range(2):
        told = call(client)[1]
        assert told["errorType"] == "Runtime.InvalidEntrypoint"
        assert "Bad CRC-32" in told["errorMessage"]


def test_an_archive_puts_nothing_outside_of_its_folder(client: Any, tmp_path: Any) -> None:
    data = io.BytesIO()
    outside = tmp_path / "outside"
    with zipfile.ZipFile(data, "w") as out:
        out.writestr("handler.py", "import os\ndef handler(e, c): return os.path.islink('link')\n")
        out.writestr(f"../../..{outside}", "x")
        out.writestr(str(outside), "x")
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        out.writestr(link, str(tmp_path))
    create(client, Code={"ZipFile": data.getvalue()})
    assert call(client)[1] is False
    assert list(tmp_path.iterdir()) == []


def test_archives_that_nothing_names_are_forgotten(engine: Any, client: Any) -> None:
    create(client)
    assert pieces(engine) == 1
    for number in range(3):
        client.update_function_code(
            FunctionName="echo", ZipFile=archive(handler__py=f"def handler(e, c): return {number}")
        )
    assert pieces(engine) == 1
    client.publish_version(FunctionName="echo")
    client.update_function_code(FunctionName="echo", ZipFile=archive(handler__py="x = 1"))
    assert pieces(engine) == 2
    content = {"ZipFile": archive(handler__py="x = 1")}
    client.publish_layer_version(LayerName="cups", Content=content)
    client.delete_function(FunctionName="echo")
    assert pieces(engine) == 1
    client.delete_layer_version(LayerName="cups", VersionNumber=1)
    assert pieces(engine) == 0


def test_a_client_context_may_have_any_letters(client: Any) -> None:
    code = "def handler(event, context):\n    return context.client_context.custom\n"
    create(client, Code={"ZipFile": archive(handler__py=code)})
    custom = {"name": "Zo\u00eb \u0141\n"}
    text = json.dumps({"custom": custom}, ensure_ascii=False).encode()
    given = base64.b64encode(text).decode()
    assert call(client, ClientContext=given)[1] == custom
    deep = base64.b64encode(b'{"custom":' + b"[" * 2_000 + b"]" * 2_000 + b"}").decode()
    with pytest.raises(ClientError, match="Client context"):
        client.invoke(FunctionName="echo", ClientContext=deep)


def test_another_account_needs_a_permission(engine: Any, client: Any) -> None:
    create(client, Code={"ZipFile": archive(handler__py="def handler(e, c): return 7")})
    other = trunkline.aws.client("lambda", engine=engine, aws_access_key_id="111111111111")
    for verb, given in (
        (other.invoke, {}),
        (other.delete_function, {}),
        (other.get_function, {}),
        (other.create_event_source_mapping, {"EventSourceArn": QUEUE}),
    ):
        assert refused(verb, FunctionName=FUNCTION, **given)[0] == "AccessDeniedException"
    layer = {"LayerName": LAYER, "Content": {"ZipFile": archive(cups__py="")}}
    assert refused(other.publish_layer_version, **layer)[0] == "AccessDeniedException"
    client.add_permission(
        FunctionName="echo",
        StatementId="other",
        Action="lambda:InvokeFunction",
        Principal="111111111111",
    )
    assert other.invoke(FunctionName=FUNCTION)["Payload"].read() == b"7"
    assert refused(other.delete_function, FunctionName=FUNCTION)[0] == "AccessDeniedException"


def test_a_function_of_the_program_is_not_deleted_over_the_wire(engine: Any, client: Any) -> None:
    engine.function("tea", lambda event, context: "ready")
    assert refused(client.delete_function, FunctionName="tea")[0] == (
        "InvalidParameterValueException"
    )
    assert call(client, name="tea")[1] == "ready"


class SilentError(BaseException):
    """An exception that does not want to be told."""

    def __str__(self) -> str:
        raise SystemExit(1)


def test_a_function_that_fails_while_its_failure_is_told_gives_its_slot_back(engine: Any) -> None:
    def handler(event: Any, context: Any) -> None:
        raise SilentError

    function = engine.function("silent", handler, concurrency=1)
    for _ in range(2):
        with pytest.raises(trunkline.errors.FunctionError):
            function.invoke()
    assert function.statistics()["timeouts"] == 0


def test_code_is_replaced_while_it_is_called(client: Any) -> None:
    def code(number: int) -> bytes:
        return archive(handler__py=f"def handler(e, c): return {number}")

    create(client, Code={"ZipFile": code(0)})
    told: list[Any] = []
    stopping = threading.Event()

    def caller() -> None:
        while not stopping.is_set():
            told.append(call(client)[1])

    threads = [threading.Thread(target=caller) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(1, 6):
        client.update_function_code(FunctionName="echo", ZipFile=code(number))
        call(client)
    stopping.set()
    for thread in threads:
        thread.join()
    assert [one for one in told if not isinstance(one, int)] == []
    assert call(client)[1] == 5


def test_a_mapping_to_an_alias_calls_its_version(engine: Any, client: Any) -> None:
    def code(word: str) -> bytes:
        return archive(handler__py=f"def handler(e, c): return '{word}' + c.function_version")

    orders = engine.queue("orders")
    create(client, Code={"ZipFile": code("old")})
    client.publish_version(FunctionName="echo")
    client.create_alias(FunctionName="echo", Name="prod", FunctionVersion="1")
    client.update_function_code(FunctionName="echo", ZipFile=code("new"))
    client.create_event_source_mapping(FunctionName="echo:prod", EventSourceArn=QUEUE)
    orders.send("tea")
    group = "/aws/lambda/echo"
    logs = trunkline.aws.client("logs", engine=engine)

    def lines() -> list[str]:
        try:
            return [one["message"] for one in logs.filter_log_events(logGroupName=group)["events"]]
        except ClientError:
            return []

    until(lambda: any("Version: " in line for line in lines()))
    assert "Version: 1" in next(line for line in lines() if "Version: " in line)


def test_a_program_that_exits_while_it_is_loaded_is_refused(tmp_path: Any) -> None:
    file = tmp_path / "app.py"
    file.write_text("import sys\nsys.exit(3)\n")
    with trunkline.open() as engine, pytest.raises(ValueError, match="SystemExit: 3"):
        Program(engine, str(file)).load()


def test_a_mapping_reads_no_source_of_another_account(engine: Any) -> None:
    engine.queue("orders")
    engine.stream("clicks")
    other = trunkline.aws.client("lambda", engine=engine, aws_access_key_id="111111111111")
    create(other)
    for source in (QUEUE, "arn:aws:kinesis:us-east-1:000000000000:stream/clicks"):
        given = {"EventSourceArn": source, "StartingPosition": "LATEST"}
        code, _ = refused(other.create_event_source_mapping, FunctionName="echo", **given)
        assert code == "AccessDeniedException"
