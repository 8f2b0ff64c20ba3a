"""What callers of S3 send that is wrong, cut off or made to harm."""

from __future__ import annotations

import contextlib
import http.client
import socket

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from trunkline.server import Server
from waiting import until

boto3 = pytest.importorskip("boto3")
from botocore.exceptions import ClientError  # noqa: E402

KEY = Credentials("AKIAOWNER", "secret")
KEYS = [
    "..", "../../etc/passwd", "/", "//", "a//b", "a/../b", "./x", "é", "e\u0301", "A", "a",
    "k" * 1024, "\x01", "a\nb", "a b+c%20?#", "\U0001f600", "x&y=<>\"'", " ", "trail/",
]  # fmt: skip


@pytest.fixture
def strict(engine):
    known = [("AKIAOWNER", "secret", None, "111111111111")]
    with Server(engine, port=0, auth="strict", credentials=known) as server:
        yield server


def client(server, **options):
    keys = {"aws_access_key_id": KEY.access_key, "aws_secret_access_key": KEY.secret_key}
    session = boto3.session.Session()
    return session.client("s3", region_name="us-east-1", endpoint_url=server.url, **keys, **options)


@pytest.fixture
def s3(server):
    made = client(server)
    made.create_bucket(Bucket="uploads")
    return made


def send(server, method, target, body=b"", **headers):
    """Sends a request that is not signed; returns the status and the body of the answer."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with contextlib.closing(http.client.HTTPConnection(*server.address, timeout=60)) as connection:
        connection.request(method, target, body, names)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace"), response.headers


class Stated(S3SigV4Auth):
    """Signs a hash that the caller chooses."""

    hash = "UNSIGNED-PAYLOAD"

    def payload(self, request):
        return self.hash


def signed(server, method, target, body, stated):
    """Sends a request whose signature is of `stated` in place of the hash of its body."""
    request = AWSRequest(method, server.url + target, data=body)
    signer = Stated(KEY, "s3", "us-east-1")
    signer.hash = stated
    signer.add_auth(request)
    known = {name.replace("-", "_"): value for name, value in request.headers.items()}
    return send(server, method, target, body, **known)


def code_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


@pytest.mark.parametrize("kind", ["server", "strict"])
def test_keys_are_texts_and_no_paths(request, kind):
    s3 = client(request.getfixturevalue(kind))
    s3.create_bucket(Bucket="uploads")
    for key in KEYS:
        s3.put_object(Bucket="uploads", Key=key, Body=key.encode())
    for key in KEYS:
        assert s3.get_object(Bucket="uploads", Key=key)["Body"].read() == key.encode()
    listed = [one["Key"] for one in s3.list_objects_v2(Bucket="uploads")["Contents"]]
    assert listed == sorted(KEYS, key=str.encode)
    assert code_of(s3.put_object, Bucket="uploads", Key="k" * 1025) == "KeyTooLongError"
    gone = {"Objects": [{"Key": key} for key in KEYS]}
    assert "Errors" not in s3.delete_objects(Bucket="uploads", Delete=gone)
    assert "Contents" not in s3.list_objects_v2(Bucket="uploads")


@pytest.mark.parametrize(
    "document",
    [
        "",
        "x",
        "<Delete>",
        "<Delete></Delete>",
        "<Delete><Object></Object></Delete>",
        "<Delete><Object><Key></Key></Object></Delete>",
        "<Delete>" + "<Object><Key>a</Key></Object>" * 1001 + "</Delete>",
        "<Delete>" + "<a>" * 50_000 + "</a>" * 50_000 + "</Delete>",
        '<!DOCTYPE a [<!ENTITY x "xx">]><Delete><Object><Key>&x;</Key></Object></Delete>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&x;</Key>'
        "</Object></Delete>",
    ],
)
def test_documents_that_are_wrong_are_refused(server, s3, document):
    status, answer, _ = send(server, "POST", "/uploads?delete", document.encode())
    assert (status, "<Code>MalformedXML</Code>" in answer) == (400, True), answer[:300]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["Content-Length: 10"], b"short"),
        (["Transfer-Encoding: chunked"], b"3\r\nabc\r\n"),
        (["Transfer-Encoding: chunked"], b"3\r\nabc\r\nzz\r\n\r\n"),
        (["x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Length: 8"],
         b"3\r\nabc\r\n"),
        (["x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Length: 13",
          "x-amz-decoded-content-length: 4"], b"3\r\nabc\r\n0\r\n\r\n"),
        (["x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Length: 13",
          "x-amz-decoded-content-length: 3", "x-amz-trailer: x-amz-checksum-crc32"],
         b"3\r\nabc\r\n0\r\n\r\n"),
    ],
)  # fmt: skip
def test_content_that_is_not_whole_makes_no_object(server, s3, headers, body):
    head = ["PUT /uploads/cut HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    with socket.create_connection(server.address, timeout=60) as connection:
        connection.sendall("\r\n".join(head).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert b" 200 " not in answer.split(b"\r\n")[0]
    assert code_of(s3.get_object, Bucket="uploads", Key="cut") == "NoSuchKey"


def test_a_header_of_an_answer_is_one_header(server, s3):
    s3.put_object(Bucket="uploads", Key="k", Body=b"x")
    date = "Thu, 01 Dec 2033 16:00:00 GMT"
    target = "/uploads/k?response-content-type=a%0d%0aX-Evil:%201&response-expires="
    target += date.replace(" ", "%20")
    status, _, headers = send(server, "GET", target)
    assert (status, headers["X-Evil"], headers["Expires"]) == (200, None, date)


def test_a_presigned_upload_does_not_become_a_copy(strict):
    s3 = client(strict)
    s3.create_bucket(Bucket="uploads")
    s3.put_object(Bucket="uploads", Key="private", Body=b"secret")
    request = AWSRequest("PUT", f"{strict.url}/uploads/mine")
    S3SigV4QueryAuth(KEY, "s3", "us-east-1", expires=60).add_auth(request)
    target = request.url.removeprefix(strict.url)
    status, answer, _ = send(strict, "PUT", target, x_amz_copy_source="/uploads/private")
    assert (status, "<Code>AccessDenied</Code>" in answer) == (403, True), answer
    assert send(strict, "PUT", target, b"mine")[0] == 200
    assert s3.get_object(Bucket="uploads", Key="mine")["Body"].read() == b"mine"


def test_a_body_is_proved_or_said_not_to_be(strict):
    client(strict).create_bucket(Bucket="uploads")
    assert signed(strict, "PUT", "/uploads/k", b"x", "UNSIGNED-PAYLOAD")[0] == 200
    for stated, code in [
        ("0" * 64, "XAmzContentSHA256Mismatch"),
        ("anything", "InvalidArgument"),
    ]:
        status, answer, _ = signed(strict, "PUT", "/uploads/k", b"other", stated)
        assert (status, f"<Code>{code}</Code>" in answer) == (400, True), answer
    chunks = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    document = b"<Delete><Object><Key>k</Key></Object></Delete>"
    assert signed(strict, "POST", "/uploads?delete", document, chunks)[0] == 501
    body = b"3;chunk-signature=" + b"0" * 64 + b"\r\nabc\r\n0;chunk-signature=" + b"0" * 64
    status, answer, _ = signed(strict, "PUT", "/uploads/k", body + b"\r\n\r\n", chunks)
    assert (status, "SignatureDoesNotMatch" in answer) == (403, True), answer
    assert client(strict).get_object(Bucket="uploads", Key="k")["Body"].read() == b"x"


def test_a_body_that_comes_byte_by_byte_is_given_up(engine):
    with Server(engine, port=0, read_timeout=1) as server:
        client(server).create_bucket(Bucket="uploads")
        head = b"PUT /uploads/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
        with socket.create_connection(server.address, timeout=0.3) as connection:
            connection.sendall(head)
            answer = []

            def is_answered():
                with contextlib.suppress(TimeoutError):
                    answer.append(connection.recv(65536))
                    return True
                connection.sendall(b"x")
                return False

            # A byte that crosses the answer resets the connection: that is given up, too.
            with contextlib.suppress(ConnectionError):
                until(is_answered)
                assert answer[0].startswith(b"HTTP/1.1 408 ")
