"""Processes of functions end with all that they started, and versions run their own code."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_calls import archive, call, create
from source_calls import until
from test_lambda_hostile import client, engine  # noqa: F401 - fixtures

import trunkline
import trunkline.aws
from trunkline.server.programs import Program

CHILD = "import os, sys, time\nopen(sys.argv[1], 'w').write(str(os.getpid()))\ntime.sleep(600)"
LATE = f"""
import os, sys, time


def handler(event, context):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve(sys.executable, [sys.executable, "-c", {CHILD!r}, event["file"]], {{}})
        os._exit(0)
    while not os.path.exists(event["file"]) or not os.path.getsize(event["file"]):
        time.sleep(0.01)
    """


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("end", ["time.sleep(600)", "os._exit(3)", "os.kill(os.getpid(), 11)"])
def test_what_left_its_session_ends_with_its_function(
    client: Any,  # noqa: F811
    tmp_path: Path,
    end: str,
) -> None:
    # What is to time out gets the time that the program needs to start on a slow machine.
    timeout = 8 if "sleep" in end else 60
    create(client, Code={"ZipFile": archive(handler__py=LATE + end)}, Timeout=timeout)
    _, told = call(client, {"file": str(tmp_path / "pid")})
    assert told["errorType"] in ("Sandbox.Timedout", "Runtime.ExitError")
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not is_alive(pid))


def test_what_a_function_left_behind_ends_with_the_engine(tmp_path: Path) -> None:
    from trunkline.functions.registry import functions_of

    with trunkline.open() as opened:
        functions_of(opened._core).allows_code = True
        client = trunkline.aws.client("lambda", engine=opened)
        code = LATE + "return {'me': os.getpid()}"
        create(client, Code={"ZipFile": archive(handler__py=code)}, Timeout=30)
        _, told = call(client, {"file": str(tmp_path / "pid")})
        pid = int((tmp_path / "pid").read_text())
        assert is_alive(pid)
        assert is_alive(told["me"])
    until(lambda: not is_alive(pid) and not is_alive(told["me"]))


def code_of(word: str) -> dict[str, bytes]:
    text = "def handler(event, context):\n    open(event['Records'][0]['Sns']"
    text += f"['Message'], 'a').write('{word} ' + context.invoked_function_arn)\n"
    return {"ZipFile": archive(handler__py=text)}


def test_a_topic_calls_the_version_or_alias_that_is_subscribed(
    client: Any,  # noqa: F811
    engine: trunkline.Engine,  # noqa: F811
    tmp_path: Path,
) -> None:
    sns = trunkline.aws.client("sns", engine=engine)
    arn = create(client, Code=code_of("old"))["FunctionArn"]
    client.publish_version(FunctionName="echo")
    client.create_alias(FunctionName="echo", Name="live", FunctionVersion="1")
    client.update_function_code(FunctionName="echo", **code_of("new"))
    for qualifier, word in (("live", "old"), ("1", "old"), (None, "new")):
        endpoint = arn if qualifier is None else f"{arn}:{qualifier}"
        topic = sns.create_topic(Name=f"t-{qualifier}")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=endpoint)
        file = tmp_path / str(qualifier)
        sns.publish(TopicArn=topic, Message=str(file))
        until(file.exists)
        until(lambda file=file: file.read_text() != "")
        assert file.read_text() == f"{word} {endpoint}"
    with pytest.raises(ClientError, match="Invalid parameter: Lambda endpoint ARN"):
        sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=f"{arn}:none")


def test_a_destination_names_an_alias(client: Any, tmp_path: Path) -> None:  # noqa: F811
    told = "def handler(event, context):\n    open(event['requestPayload'], 'w')"
    told += ".write(context.invoked_function_arn)\n"
    arn = create(client, "told", Code={"ZipFile": archive(handler__py=told)})
    client.publish_version(FunctionName="told")
    client.create_alias(FunctionName="told", Name="live", FunctionVersion="1")
    quiet = "def handler(event, context):\n    return 1\n"
    create(client, Code={"ZipFile": archive(handler__py=quiet)})
    destination = {"OnSuccess": {"Destination": f"{arn['FunctionArn']}:live"}}
    client.put_function_event_invoke_config(FunctionName="echo", DestinationConfig=destination)
    file = tmp_path / "told"
    client.invoke(FunctionName="echo", InvocationType="Event", Payload=json.dumps(str(file)))
    until(lambda: file.exists() and file.read_text() != "")
    assert file.read_text() == f"{arn['FunctionArn']}:live"


def test_subscriptions_of_an_alias_go_on_after_a_restart(tmp_path: Path) -> None:
    from trunkline.functions.registry import functions_of

    file = tmp_path / "called"
    for turn in range(2):
        with trunkline.open(tmp_path / "data") as opened:
            functions_of(opened._core).allows_code = True
            client = trunkline.aws.client("lambda", engine=opened)
            sns = trunkline.aws.client("sns", engine=opened)
            if turn == 0:
                arn = create(client, Code=code_of("old"))["FunctionArn"]
                client.publish_version(FunctionName="echo")
                client.create_alias(FunctionName="echo", Name="live", FunctionVersion="1")
                topic = sns.create_topic(Name="t")["TopicArn"]
                sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=f"{arn}:live")
                continue
            client.list_functions()
            sns.publish(TopicArn=topic, Message=str(file))
            until(lambda: file.exists() and file.read_text() != "")
            assert file.read_text() == f"old {arn}:live"


@pytest.mark.parametrize("is_module", [False, True])
def test_a_function_taken_out_of_a_program_is_called_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_module: bool
) -> None:
    file = tmp_path / "taken_out.py"
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "taken_out", raising=False)
    tea = "def tea(event, context):\n    return 'tea'\n"
    cake = "def cake(event, context):\n    return 'cake'\n"
    with trunkline.open() as opened:
        other = opened.function("other", lambda event, context: "other")
        program = Program(opened, "taken_out" if is_module else str(file))
        file.write_text(tea + cake)
        assert program.load() == ["cake", "tea"]
        opened.function("cake").invoke_async({})
        write_later(file, tea)
        assert program.reload() == ["tea"]
        with pytest.raises(trunkline.ResourceNotFound):
            opened.function("cake")
        assert (opened.function("tea").invoke({}), other.invoke({})) == ("tea", "other")
        write_later(file, "def broken(:\n")
        with pytest.raises(ValueError, match="SyntaxError"):
            program.reload()
        assert opened.function("tea").invoke({}) == "tea"
        write_later(file, "def register(engine):\n    engine.function('cup', lambda e, c: 'cup')\n")
        assert program.reload() == ["cup"]
        assert [one.name for one in opened.functions()] == ["cup", "other"]


def write_later(file: Path, text: str) -> None:
    before = file.stat().st_mtime
    file.write_text(text)
    os.utime(file, (before + 1, before + 1))


def test_clients_of_aws_in_a_function_reach_the_server() -> None:
    from trunkline.server import Server

    code = "import os\ndef handler(event, context): return os.environ.get('AWS_ENDPOINT_URL')"
    with trunkline.open() as opened, Server(opened, port=0, allow_code=True) as server:
        client = trunkline.aws.client("lambda", engine=opened)
        create(client, Code={"ZipFile": archive(handler__py=code)})
        assert call(client, {})[1] == server.url
        own = {"Variables": {"AWS_ENDPOINT_URL": "http://other"}}
        source = {"ZipFile": archive(handler__py=code)}
        create(client, "own", Code=source, Environment=own)
        answer = client.invoke(FunctionName="own")["Payload"].read()
        assert json.loads(answer) == "http://other"


def test_a_log_is_in_the_group_and_the_form_that_were_asked_for(
    client: Any,  # noqa: F811
    engine: trunkline.Engine,  # noqa: F811
) -> None:
    code = "def handler(event, context):\n    print(context.log_group_name)\n    1 / event['by']"
    given = {"LogFormat": "JSON", "LogGroup": "/shop/orders"}
    told = create(client, Code={"ZipFile": archive(handler__py=code)}, LoggingConfig=given)
    levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
    assert told["LoggingConfig"] == given | levels
    call(client, {"by": 1})
    _, failed = call(client, {"by": 0})
    assert failed["errorType"] == "ZeroDivisionError"
    logs = trunkline.aws.client("logs", engine=engine)
    events = logs.filter_log_events(logGroupName="/shop/orders")["events"]
    lines = [one["message"] for one in events]
    told = [json.loads(line) for line in lines if line.startswith("{")]
    assert [one.get("type", one.get("level")) for one in told] == [
        "platform.start", "platform.report", "platform.start", "ERROR", "platform.report",
    ]  # fmt: skip
    assert [one["record"]["status"] for one in told if one.get("type") == "platform.report"] == [
        "success", "error",
    ]  # fmt: skip
    assert lines.count("/shop/orders") == 2
