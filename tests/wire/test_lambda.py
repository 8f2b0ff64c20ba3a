"""AWS Lambda over the wire: functions from archives in processes, and those of the program."""

from __future__ import annotations

import json
import shutil
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_calls import ECHO, archive, call, create, refused

import trunkline
import trunkline.aws
from trunkline.aws.lambda_ import code
from trunkline.aws.limits import CODE_PIECE_BYTES
from trunkline.aws.store import Store
from trunkline.functions.registry import functions_of
from trunkline.server.programs import Program
from waiting import until


@pytest.fixture
def engine() -> Any:
    with trunkline.open() as opened:
        functions_of(opened._core).allows_code = True
        yield opened


@pytest.fixture
def client(engine: trunkline.Engine) -> Any:
    return trunkline.aws.client("lambda", engine=engine)


def test_code_is_refused_unless_it_is_allowed() -> None:
    with trunkline.open() as engine:
        client = trunkline.aws.client("lambda", engine=engine)
        with pytest.raises(ClientError, match="--allow-code"):
            create(client)


def test_a_function_runs_in_a_process_that_is_used_again(client: Any) -> None:
    made = create(client, Environment={"Variables": {"STAGE": "test"}})
    assert (made["State"], made["ResponseMetadata"]["HTTPStatusCode"]) == ("Pending", 201)
    got = client.get_function(FunctionName="echo")["Configuration"]
    assert (got["State"], got["Version"], got["Timeout"]) == ("Active", "$LATEST", 20)
    answer, first = call(client, {"a": 1}, LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert (first["event"], first["left"], first["stage"]) == ({"a": 1}, True, "test")
    import base64

    log = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert log[0].startswith("START RequestId: ")
    assert log[1] == "got {'a': 1}"
    assert log[-1].startswith("REPORT RequestId: ")
    assert call(client)[1]["pid"] == first["pid"]


def test_failures_of_a_process_have_the_shape_of_lambda(client: Any) -> None:
    create(client, Timeout=60)
    answer, told = call(client, {"fail": "no tea"})
    assert answer["FunctionError"] == "Unhandled"
    assert (told["errorType"], told["errorMessage"]) == ("ValueError", "no tea")
    assert "handler.py" in told["stackTrace"][0]
    pid = call(client)[1]["pid"]
    answer, told = call(client, {"exit": 1})
    assert told["errorType"] == "Runtime.ExitError"
    assert "exit status 3" in told["errorMessage"]
    client.update_function_configuration(FunctionName="echo", Timeout=1)
    answer, told = call(client, {"sleep": 30})
    assert told["errorType"] == "Sandbox.Timedout"
    assert told["errorMessage"].endswith("Task timed out after 1.00 seconds")
    client.update_function_configuration(FunctionName="echo", Timeout=60)
    assert call(client)[1]["pid"] != pid


def test_code_that_cannot_be_loaded_says_so(client: Any) -> None:
    create(client, Handler="absent.handler")
    told = call(client)[1]
    assert told["errorType"] == "Runtime.ImportModuleError"
    assert "Unable to import module 'absent'" in told["errorMessage"]
    create(client, "other", Handler="handler.absent")
    assert call(client, name="other")[1]["errorType"] == "Runtime.HandlerNotFound"


def test_memory_is_bounded(client: Any) -> None:
    code = "def handler(event, context):\n    return len(bytearray(event['bytes']))\n"
    create(client, MemorySize=128, Code={"ZipFile": archive(handler__py=code)})
    assert call(client, {"bytes": 1_000_000})[1] == 1_000_000
    assert call(client, {"bytes": 1_000_000_000})[1]["errorType"] == "MemoryError"


@pytest.mark.botocore_knows("lambda", "CreateFunction.Runtime=nodejs22.x")
@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_a_function_of_node_runs(client: Any) -> None:
    code = (
        "exports.handler = async (event, context) => ({ got: event, name: context.functionName });"
    )
    create(
        client,
        Runtime="nodejs22.x",
        Handler="index.handler",
        Code={"ZipFile": archive(index__js=code)},
    )
    assert call(client, {"a": 1})[1] == {"got": {"a": 1}, "name": "echo"}
    code = "exports.handler = async () => { throw new TypeError('no tea'); };"
    client.update_function_code(FunctionName="echo", ZipFile=archive(index__js=code))
    told = call(client)[1]
    assert (told["errorType"], told["errorMessage"]) == ("TypeError", "no tea")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_bootstrap_of_its_own_runs(client: Any) -> None:
    script = """#!/bin/sh
base="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  body=$(curl -sS -D headers "$base/next")
  id=$(grep -i Lambda-Runtime-Aws-Request-Id headers | tr -d '[:space:]' | cut -d: -f2)
  curl -sS -o /dev/null "$base/$id/response" -d "{\\"echo\\": $body}"
done
"""
    create(client, Runtime="provided.al2023", Code={"ZipFile": archive(bootstrap=script)})
    assert call(client, {"a": 1})[1] == {"echo": {"a": 1}}


def test_versions_and_aliases_keep_their_code(client: Any) -> None:
    create(client, Code={"ZipFile": archive(handler__py="def handler(e, c): return 1")})
    assert client.publish_version(FunctionName="echo")["Version"] == "1"
    assert client.publish_version(FunctionName="echo")["Version"] == "1"
    client.create_alias(FunctionName="echo", Name="live", FunctionVersion="1")
    code = archive(handler__py="def handler(e, c): return [2, c.invoked_function_arn]")
    client.update_function_code(FunctionName="echo", ZipFile=code, Publish=True)
    arn = "arn:aws:lambda:us-east-1:000000000000:function:echo"
    assert call(client)[1] == [2, arn]
    assert call(client, Qualifier="live")[1] == 1
    assert call(client, name=f"{arn}:live")[1] == 1
    client.update_alias(FunctionName="echo", Name="live", FunctionVersion="2")
    answer, told = call(client, Qualifier="live")
    assert (answer["ExecutedVersion"], told) == ("2", [2, f"{arn}:live"])
    listed = client.list_versions_by_function(FunctionName="echo")["Versions"]
    assert [one["Version"] for one in listed] == ["$LATEST", "1", "2"]
    assert refused(client.delete_function, FunctionName="echo", Qualifier="2")[0] == (
        "ResourceConflictException"
    )
    assert refused(client.invoke, FunctionName="echo", Qualifier="9")[0] == (
        "ResourceNotFoundException"
    )


def test_concurrency_is_reserved(client: Any) -> None:
    create(client)
    client.put_function_concurrency(FunctionName="echo", ReservedConcurrentExecutions=0)
    code, message = refused(client.invoke, FunctionName="echo")
    assert (code, message) == ("TooManyRequestsException", "Rate Exceeded.")
    assert client.get_function_concurrency(FunctionName="echo") | {"ResponseMetadata": None} == {
        "ReservedConcurrentExecutions": 0,
        "ResponseMetadata": None,
    }
    client.delete_function_concurrency(FunctionName="echo")
    assert call(client)[0]["StatusCode"] == 200


def test_an_event_is_accepted_and_its_failure_goes_to_the_dead_letter_queue(
    engine: trunkline.Engine, client: Any
) -> None:
    dead = engine.queue("dead")
    told = engine.queue("told")
    arn = "arn:aws:sqs:us-east-1:000000000000:"
    create(client, DeadLetterConfig={"TargetArn": f"{arn}dead"})
    client.put_function_event_invoke_config(
        FunctionName="echo",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnSuccess": {"Destination": f"{arn}told"}},
    )
    answer, _ = call(client, {"fail": "no tea"}, InvocationType="Event")
    assert answer["StatusCode"] == 202
    (letter,) = dead.receive(wait=20)
    assert letter.json() == {"fail": "no tea"}
    assert letter.attributes["ErrorMessage"] == "no tea"
    call(client, {"a": 1}, InvocationType="Event")
    (record,) = told.receive(wait=20)
    assert record.json()["responsePayload"]["event"] == {"a": 1}


def test_functions_of_the_program_are_served(engine: trunkline.Engine, client: Any) -> None:
    engine.function(
        "tea", lambda event, context: {"cups": event["cups"], "id": context.aws_request_id}
    )
    answer, told = call(client, {"cups": 2}, name="tea")
    assert told["cups"] == 2
    assert told["id"] == answer["ResponseMetadata"]["RequestId"]
    assert [one["FunctionName"] for one in client.list_functions()["Functions"]] == ["tea"]
    code, message = refused(client.update_function_configuration, FunctionName="tea", Timeout=5)
    assert code == "InvalidParameterValueException"
    assert "belongs to the program" in message
    client.put_function_concurrency(FunctionName="tea", ReservedConcurrentExecutions=7)
    assert engine.function("tea").settings()["concurrency"] == 7


def test_rules_schedules_and_pipes_reach_a_function_by_its_arn(
    engine: trunkline.Engine, client: Any
) -> None:
    done = engine.queue("done")
    function = engine.function("tea", lambda event, context: event, on_success=done)
    events = trunkline.aws.client("events", engine=engine)
    events.put_rule(Name="orders", EventPattern='{"source": ["shop"]}')
    target = {"Id": "tea", "Arn": function.arn, "InputPath": "$.detail"}
    assert events.put_targets(Rule="orders", Targets=[target])["FailedEntryCount"] == 0
    events.put_events(Entries=[{"Source": "shop", "DetailType": "Order", "Detail": '{"cups": 2}'}])
    assert done.receive(wait=20)[0].json()["requestPayload"] == {"cups": 2}
    assert events.list_targets_by_rule(Rule="orders")["Targets"][0]["Arn"] == function.arn


def test_permissions_tags_urls_and_layers_are_kept(client: Any) -> None:
    create(client, Tags={"team": "tea"})
    arn = client.get_function(FunctionName="echo")["Configuration"]["FunctionArn"]
    added = client.add_permission(
        FunctionName="echo",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn="arn:aws:events:us-east-1:000000000000:rule/orders",
    )
    assert json.loads(added["Statement"])["Principal"] == {"Service": "events.amazonaws.com"}
    policy = json.loads(client.get_policy(FunctionName="echo")["Policy"])
    assert [one["Sid"] for one in policy["Statement"]] == ["rule"]
    client.remove_permission(FunctionName="echo", StatementId="rule")
    assert refused(client.get_policy, FunctionName="echo")[0] == "ResourceNotFoundException"
    client.tag_resource(Resource=arn, Tags={"stage": "test"})
    client.untag_resource(Resource=arn, TagKeys=["team"])
    assert client.list_tags(Resource=arn)["Tags"] == {"stage": "test"}
    made = client.create_function_url_config(FunctionName="echo", AuthType="NONE")
    assert client.get_function_url_config(FunctionName="echo")["FunctionUrl"] == made["FunctionUrl"]
    layer = client.publish_layer_version(
        LayerName="cups",
        Content={"ZipFile": archive(**{"python/cups__py": "COUNT = 7"})},
    )
    code = archive(handler__py="import cups\ndef handler(e, c): return cups.COUNT")
    create(client, "cup", Layers=[layer["LayerVersionArn"]], Code={"ZipFile": code})
    assert call(client, name="cup")[1] == 7
    assert client.list_layers()["Layers"][0]["LatestMatchingVersion"]["Version"] == 1


@pytest.mark.parametrize(
    ("operation", "arguments", "expected"),
    [
        ("invoke", {"FunctionName": "none"}, "ResourceNotFoundException"),
        ("get_function", {"FunctionName": "none"}, "ResourceNotFoundException"),
        ("invoke", {"FunctionName": "echo", "Payload": b"{"}, "InvalidRequestContentException"),
        ("get_alias", {"FunctionName": "echo", "Name": "x"}, "ResourceNotFoundException"),
        ("invoke_with_response_stream", {"FunctionName": "echo"}, "NotImplemented"),
    ],
)
def test_a_request_that_cannot_be_carried_out_has_the_code_of_lambda(
    client: Any, operation: str, arguments: dict[str, Any], expected: str
) -> None:
    create(client)
    assert refused(getattr(client, operation), **arguments)[0] == expected


def test_a_function_that_exists_is_not_created_twice(client: Any) -> None:
    create(client)
    with pytest.raises(ClientError, match="Function already exist: echo"):
        create(client)
    client.delete_function(FunctionName="echo")
    assert refused(client.delete_function, FunctionName="echo")[0] == "ResourceNotFoundException"
    create(client)


def test_functions_and_their_code_are_there_after_a_restart(tmp_path: Any) -> None:
    for opening in range(2):
        with trunkline.open(tmp_path) as engine:
            functions_of(engine._core).allows_code = True
            client = trunkline.aws.client("lambda", engine=engine)
            if not opening:
                create(client)
            assert call(client, {"a": opening})[1]["event"] == {"a": opening}


def test_the_processes_end_with_the_engine(client: Any, engine: trunkline.Engine) -> None:
    import os

    create(client)
    pid = call(client)[1]["pid"]
    engine.close()

    def is_gone():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    until(is_gone)


def test_the_functions_of_a_file_are_loaded_and_loaded_again(tmp_path: Any) -> None:
    file = tmp_path / "app.py"
    file.write_text("def tea(event, context): return 1\ndef _own(event, context): pass\n")
    with trunkline.open() as engine:
        program = Program(engine, str(file))
        assert program.load() == ["tea"]
        assert engine.function("tea").invoke() == 1
        assert program.reload() is None
        file.write_text("def register(engine): engine.function('tea', lambda e, c: 22)\n")
        import os

        os.utime(file, (1, 1))
        assert program.reload() == ["tea"]
        assert engine.function("tea").invoke() == 22
        file.write_text("def")
        os.utime(file, (2, 2))
        with pytest.raises(ValueError, match="SyntaxError"):
            program.reload()
        assert engine.function("tea").invoke() == 22


def test_the_server_names_functions_and_allows_code() -> None:
    import boto3

    from trunkline.server import Server

    with trunkline.open() as engine, Server(engine, port=0, allow_code=True) as server:
        client = boto3.client(
            "lambda",
            endpoint_url=server.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        # More than the body of any other request may have.
        padding = "x" * (20 << 20)
        large = archive(handler__py=ECHO, padding__txt=padding)
        create(client, Code={"ZipFile": large})
        threads = []
        found: list[Any] = []
        for number in range(4):

            def run(number=number):
                return found.append(call(client, {"n": number})[1]["event"]["n"])

            threads.append(threading.Thread(target=run))
            threads[-1].start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [0, 1, 2, 3]


def test_a_topic_calls_a_function_with_the_event_of_sns(
    engine: trunkline.Engine, client: Any
) -> None:
    done = engine.queue("done")
    function = engine.function("tea", lambda event, context: event, on_success=done)
    sns = trunkline.aws.client("sns", engine=engine)
    topic = sns.create_topic(Name="orders")["TopicArn"]
    made = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function.arn)
    sns.publish(TopicArn=topic, Message="one tea", Subject="order")
    (record,) = done.receive(wait=20)[0].json()["requestPayload"]["Records"]
    assert record["EventSubscriptionArn"] == made["SubscriptionArn"]
    assert (record["Sns"]["Message"], record["Sns"]["Subject"]) == ("one tea", "order")
    with pytest.raises(ClientError, match="Lambda endpoint ARN"):
        sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=f"{function.arn}-absent")


def test_a_reset_forgets_archives_and_keeps_functions_of_the_program(
    engine: trunkline.Engine, client: Any
) -> None:
    from trunkline.aws.dispatcher import dispatcher_of

    create(client)
    engine.function("tea", lambda event, context: "tea")
    call(client)
    reset = ("POST", "/_trunkline/reset", [], b"", "http://trunkline.local")
    dispatcher_of(engine).call(reset)
    assert [one["FunctionName"] for one in client.list_functions()["Functions"]] == ["tea"]
    assert refused(client.invoke, FunctionName="echo")[0] == "ResourceNotFoundException"
    done = engine.queue("done")
    engine.function("tea", lambda event, context: "tea", on_success=done).invoke_async()
    assert done.receive(wait=20)[0].json()["responsePayload"] == "tea"


def test_an_archive_that_was_cut_off_is_written_again(
    engine: trunkline.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(engine._core)
    request: Any = SimpleNamespace(store=store)
    given = {"ZipFile": archive(handler__py=ECHO, filler__txt="x" * 3 * CODE_PIECE_BYTES)}
    keep, written = store.put, []

    def put(key: str, value: Any) -> None:
        if len(written) == 2:
            raise OSError("the process ends here")
        written.append(key)
        keep(key, value)

    monkeypatch.setattr(store, "put", put)
    with pytest.raises(OSError, match="ends here"):
        code.put(request, given)
    monkeypatch.undo()
    kept = code.put(request, given)
    assert code.read(store, kept["Sha256"]) == given["ZipFile"]
    code.forget(store, kept["Sha256"])
    assert code.read(store, kept["Sha256"]) == b""
