"""``trunkline serve`` as a program: start, stop, and what survives a kill."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

from waiting import until

KILLS = 20


@contextlib.contextmanager
def serve(*options):
    """A server process and its port; killed at the end if it still runs."""
    command = [sys.executable, "-m", "trunkline", "serve", "--port", "0", "--log", "json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            started = json.loads(process.stdout.readline())
            yield process, int(started["url"].rsplit(":", 1)[1])
        finally:
            process.kill()


class Caller:
    """One connection to a server."""

    def __init__(self, port):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def __call__(self, operation, **given):
        headers = {
            "X-Amz-Target": f"AmazonSQS.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
        }
        self._connection.request("POST", "/", json.dumps(given), headers)
        response = self._connection.getresponse()
        answer = json.loads(response.read() or b"{}")
        assert response.status == 200, answer
        return answer

    def close(self):
        self._connection.close()


def received(call):
    """All bodies that are left in the queue."""
    bodies = []
    while True:
        found = call("ReceiveMessage", QueueUrl="q", MaxNumberOfMessages=10).get("Messages", [])
        if not found:
            return bodies
        bodies += [message["Body"] for message in found]
        entries = [
            {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
            for place, message in enumerate(found)
        ]
        call("DeleteMessageBatch", QueueUrl="q", Entries=entries)


def test_sigterm_ends_with_status_zero_and_frees_the_folder(tmp_path):
    with serve("--data", str(tmp_path / "data")) as (process, port):
        call = Caller(port)
        call("CreateQueue", QueueName="q")
        call("SendMessage", QueueUrl="q", MessageBody="kept")
        call.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    with serve("--data", str(tmp_path / "data")) as (_, port):
        call = Caller(port)
        assert received(call) == ["kept"]
        call.close()


def test_every_acknowledged_message_survives_a_kill_under_load(tmp_path):
    folder = str(tmp_path / "data")
    acknowledged = set()
    for run in range(KILLS):
        with serve("--data", folder) as (process, port):
            if run == 0:
                call = Caller(port)
                call("CreateQueue", QueueName="q")
                call.close()
            lock = threading.Lock()

            def load(thread, run=run, port=port, lock=lock):
                call = Caller(port)
                number = 0
                # Ends when the server is gone in the middle of a call.
                with contextlib.suppress(OSError, http.client.HTTPException):
                    while True:
                        body = f"{run}-{thread}-{number}"
                        call("SendMessage", QueueUrl="q", MessageBody=body)
                        with lock:
                            acknowledged.add(body)
                        number += 1
                call.close()

            before = len(acknowledged)
            threads = [threading.Thread(target=load, args=(n,)) for n in range(4)]
            for thread in threads:
                thread.start()
            until(lambda before=before: len(acknowledged) > before)
            time.sleep(0.1 + run * 0.01)
            os.kill(process.pid, signal.SIGKILL)
            for thread in threads:
                thread.join()
    assert acknowledged
    with serve("--data", folder) as (_, port):
        call = Caller(port)
        found = received(call)
        call.close()
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))


def run(*options):
    command = [sys.executable, "-m", "trunkline", "serve", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_taken_port_is_explained():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken by another program" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_used_is_explained(tmp_path):
    file = tmp_path / "file"
    file.write_text("no folder")
    done = run("--port", "0", "--data", str(file))
    assert done.returncode == 1
    assert "DataFolder" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--auth", "strict"), "--auth strict needs --credentials FILE"),
        (("--services", "sqs,nothing"), "service 'nothing' is not served"),
        (("--host", "nowhere"), "is no IP address"),
        (("--init", "/nowhere"), "--init /nowhere is no folder"),
    ],
)
def test_options_that_do_not_fit_are_explained(options, words):
    done = run("--port", "0", *options)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "console: http://127.0.0.1:"),
        (("--host", "0.0.0.0"), "console: needs --admin-token"),
        (("--host", "0.0.0.0", "--admin-token", "t"), "/_trunkline, with the admin token"),
    ],
)
def test_the_first_lines_say_whether_the_console_can_be_used(options, words):
    command = [sys.executable, "-m", "trunkline", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(3)]
        process.terminate()
    assert words in lines[2]


def test_a_port_that_needs_rights_is_explained():
    from types import SimpleNamespace

    from trunkline.server.command import _explain

    told = _explain(PermissionError(13, "Permission denied"), SimpleNamespace(port=80, host="::1"))
    assert told.startswith("this user may not listen on port 80 of ::1")
    assert "--port" in told


def test_init_hooks_run_when_the_server_answers(tmp_path):
    pytest.importorskip("boto3")
    hook = tmp_path / "queues.py"
    hook.write_text("import boto3\nboto3.client('sqs').create_queue(QueueName='q')\n")
    with serve("--init", str(tmp_path)) as (process, port):
        assert json.loads(process.stdout.readline())["status"] == 0
        call = Caller(port)
        assert call("ListQueues")["QueueUrls"] == [f"http://127.0.0.1:{port}/000000000000/q"]
        call.close()


def test_a_reset_runs_the_init_hooks_again_if_it_is_told_to(tmp_path):
    (tmp_path / "note.sh").write_text(f"echo {{}} >> '{tmp_path}/runs'\n")
    with serve("--init", str(tmp_path)) as (process, port):
        assert json.loads(process.stdout.readline())["hook"] == "note.sh"
        for query, runs in (("", 1), ("?init=1", 2), ("?init=0", 2)):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("POST", f"/_trunkline/reset{query}")
            assert connection.getresponse().status == 200
            connection.close()
            assert (tmp_path / "runs").read_text() == "{}\n" * runs


def test_both_loopback_addresses_are_listened_on():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no ::1")
    with serve() as (_, port):
        for host in ("127.0.0.1", "::1"):
            connection = http.client.HTTPConnection(host, port, timeout=60)
            connection.request("GET", "/_trunkline/health")
            assert connection.getresponse().status == 200
            connection.close()


def asked(port, certificate):
    context = ssl.create_default_context(cafile=certificate)
    connection = http.client.HTTPSConnection("localhost", port, timeout=60, context=context)
    connection.request("GET", "/_trunkline/health")
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_certificate_of_its_own_is_trusted_by_its_file_and_kept_with_the_data(tmp_path):
    folder = tmp_path / "data"
    with serve("--tls", "--data", str(folder)) as (_, port):
        made = (folder / "tls-cert.pem").read_bytes()
        assert asked(port, folder / "tls-cert.pem") == 200
    assert (folder / "tls-key.pem").stat().st_mode & 0o777 == 0o600
    with serve("--tls", "--data", str(folder)) as (_, port):
        assert asked(port, folder / "tls-cert.pem") == 200
        assert (folder / "tls-cert.pem").read_bytes() == made
    # It is for other names: it has to be another one.
    with serve("--tls", "--data", str(folder), "--allowed-host", "queues.test"):
        assert (folder / "tls-cert.pem").read_bytes() != made


def test_a_certificate_of_a_server_in_memory_ends_with_it():
    command = [sys.executable, "-m", "trunkline", "serve", "--port", "0", "--log", "json", "--tls"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        told = json.loads(process.stdout.readline())
        assert asked(int(told["url"].rpartition(":")[2]), told["certificate"]) == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not os.path.exists(os.path.dirname(told["certificate"]))


def test_a_hook_that_hangs_does_not_keep_the_server_from_stopping(tmp_path):
    hooks, begun = tmp_path / "hooks", tmp_path / "begun"
    hooks.mkdir()
    (hooks / "a.sh").write_text(f"touch '{begun}'\nsleep 600\n")
    (hooks / "b.sh").write_text("exit 0\n")
    with serve("--init", str(hooks)) as (process, port):
        call = Caller(port)
        call("CreateQueue", QueueName="q")
        call.close()
        until(begun.exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        said = [json.loads(line) for line in process.stdout]
    assert [line.get("hook") for line in said] == ["a.sh", None]


def test_the_help_tells_every_default():
    done = subprocess.run(
        [sys.executable, "-m", "trunkline", "serve", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    shown = " ".join(done.stdout.split())
    for default in ("4566", "this machine only", "in memory", "disk with --data", "parse", "text"):
        assert f"(default: {default}" in shown


def refused(*options):
    """The status and the last line, but for hints, of what a server says that does not start."""
    command = [sys.executable, "-m", "trunkline", "serve", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    said = [line for line in ended.stderr.splitlines() if not line.startswith("hint: ")]
    return ended.returncode, said[-1]


@pytest.mark.parametrize("port", ["70000", "-1", "http", "4566.0"])
def test_a_port_that_is_none_is_a_mistake_in_the_command(port):
    status, why = refused("--port", port)
    assert status == 2
    assert why.endswith(f"argument --port: {port!r} is no port; use 0 to 65535")


def test_a_name_to_listen_on_is_looked_up():
    with serve("--host", "localhost") as (_, port):
        call = Caller(port)
        call("CreateQueue", QueueName="q")
        call.close()
    status, why = refused("--host", "no.such.name.invalid", "--port", "0")
    assert (status, "'no.such.name.invalid'" in why) == (1, True)


def test_an_error_about_a_certificate_names_its_file(tmp_path):
    from trunkline._core import make_certificate

    chain, key = make_certificate(["localhost"])
    other = make_certificate(["localhost"])[1]
    names = {"chain": chain, "key": key, "other": other, "broken": "no certificate"}
    files = {name: tmp_path / f"{name}.pem" for name in names}
    for name, text in names.items():
        files[name].write_text(text)
    files["binary"] = tmp_path / "binary.pem"
    files["binary"].write_bytes(b"\xff\xfe")
    files["missing"] = tmp_path / "missing.pem"
    for cert, private, guilty in (
        ("broken", "key", "--cert {broken}: The certificate chain cannot be used"),
        ("chain", "broken", "--key {broken}: The private key cannot be used"),
        ("chain", "other", "--key {other}: The private key cannot be used: it does not belong"),
        ("binary", "key", "--cert {binary} cannot be read: it is no text in PEM"),
        ("chain", "missing", "--key {missing} cannot be read: No such file or directory"),
    ):
        options = ["--cert", str(files[cert]), "--key", str(files[private]), "--port", "0"]
        status, why = refused(*options)
        assert status == 1
        assert why.startswith("trunkline: " + guilty.format(**files)), why


def test_a_request_that_failed_names_its_resource_where_others_have_no_line():
    with serve("--log-level", "warning") as (process, port):
        call = Caller(port)
        call("CreateQueue", QueueName="q")
        with pytest.raises(AssertionError):
            call("SendMessage", QueueUrl="none", MessageBody="a")
        call.close()
        line = json.loads(process.stdout.readline())
        told = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        told.request("GET", "/_trunkline/requests")
        latest = json.load(told.getresponse())["requests"]
        told.close()
    assert (line["operation"], line["resource"]) == ("sqs.SendMessage", "none")
    assert [one.get("resource") for one in latest] == [None, "none"]


def test_a_line_is_written_for_each_request():
    with serve("--log-requests") as (process, port):
        call = Caller(port)
        call("CreateQueue", QueueName="q")
        with pytest.raises(AssertionError):
            call("SendMessage", QueueUrl="none", MessageBody="a")
        call.close()
        lines = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert [(line["operation"], line["status"]) for line in lines] == [
        ("sqs.CreateQueue", 200),
        ("sqs.SendMessage", 400),
    ]
    assert [line["resource"] for line in lines] == ["q", "none"]
    assert lines[1]["error"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert (lines[1]["level"], "does not exist" in lines[1]["message"]) == ("warning", True)
    assert lines[0]["seconds"] > 0


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_health_says_when_a_failed_write_has_poisoned_the_engine(tmp_path):
    import resource

    def ask(port, path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", path)
        response = connection.getresponse()
        answer = response.status, json.loads(response.read())
        connection.close()
        return answer

    def health(port):
        status, answer = ask(port, "/_trunkline/health")
        # What scripts made for LocalStack wait for says the same.
        assert ask(port, "/_localstack/health")[0] == status
        return status, answer["status"]

    with serve("--data", str(tmp_path / "data")) as (process, port):
        call = Caller(port)
        call("CreateQueue", QueueName="q")
        assert health(port) == (200, "ok")
        # From now on a write to a file fails.
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, 1))
        with pytest.raises(AssertionError, match="EnginePoisoned"):
            call("SendMessage", QueueUrl="q", MessageBody="a")
        assert health(port) == (503, "poisoned")
        call.close()


def test_a_signal_in_the_middle_of_waiting_or_of_another_does_no_harm():
    from trunkline.server.stopping import Stopping

    stopping = Stopping()
    before = signal.signal(signal.SIGALRM, lambda *_: stopping.set())
    try:
        # `threading.Event` hangs here: the handler asks for the lock that the wait holds.
        signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
        for _ in range(20_000):
            stopping = Stopping()
            stopping.wait(0)
            stopping.set()
            assert stopping.wait()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
