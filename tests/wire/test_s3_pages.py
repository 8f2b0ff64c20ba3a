"""Web pages and browsers: the CORS rules of a bucket, and what browsers ask for by themselves."""

from __future__ import annotations

import pytest

pytest.importorskip("boto3")
from test_guard import ask

PAGE = "https://app.example"
RULE = {
    "AllowedOrigins": [PAGE, "https://*.partner.example"],
    "AllowedMethods": ["GET", "PUT"],
    "AllowedHeaders": ["x-amz-*"],
    "ExposeHeaders": ["ETag"],
    "MaxAgeSeconds": 60,
}


@pytest.fixture
def s3(server):
    import boto3

    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    made = boto3.client("s3", endpoint_url=server.url, region_name="us-east-1", **keys)
    made.create_bucket(Bucket="uploads")
    made.put_object(Bucket="uploads", Key="k", Body=b"content")
    return made


def rules(s3, *given):
    s3.put_bucket_cors(Bucket="uploads", CORSConfiguration={"CORSRules": list(given)})


def preflight(server, origin, method="PUT", headers="x-amz-date", **options):
    given = {"access_control_request_method": method, "access_control_request_headers": headers}
    status, _, got = ask(server, "OPTIONS", "/uploads/k", origin=origin, **given, **options)
    return status, {k.lower().removeprefix("access-control-"): v for k, v in got.items()}


def test_a_page_that_no_bucket_lets_in_is_refused(server, s3):
    assert ask(server, "GET", "/uploads/k", origin=PAGE)[0] == 403
    rules(s3, RULE)
    assert ask(server, "GET", "/uploads/k", origin="https://evil.example")[0] == 403
    assert ask(server, "GET", "/other/k", origin=PAGE)[0] == 403
    assert ask(server, "DELETE", "/uploads/k", origin=PAGE)[0] == 403
    assert ask(server, "POST", "/?Action=CreateQueue&QueueName=q", origin=PAGE)[0] == 403
    assert s3.get_object(Bucket="uploads", Key="k")["Body"].read() == b"content"


@pytest.mark.parametrize("origin", [PAGE, "https://a.partner.example"])
def test_a_rule_lets_its_pages_read(server, s3, origin):
    rules(s3, {"AllowedOrigins": ["https://first.example"], "AllowedMethods": ["GET"]}, RULE)
    status, body, headers = ask(server, "GET", "/uploads/k", origin=origin)
    assert (status, body) == (200, "content")
    assert headers["access-control-allow-origin"] == origin
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["access-control-expose-headers"] == "ETag"
    assert "Origin" in headers["vary"]


def test_a_browser_is_told_before_it_sends(server, s3):
    rules(s3, RULE)
    status, told = preflight(server, PAGE)
    assert (status, told["allow-origin"], told["allow-methods"]) == (200, PAGE, "GET, PUT")
    assert (told["allow-headers"], told["max-age"]) == ("x-amz-date", "60")
    for origin, method, headers in [
        ("https://evil.example", "PUT", "x-amz-date"),
        (PAGE, "DELETE", "x-amz-date"),
        (PAGE, "PUT", "x-amz-date,authorization"),
    ]:
        status, told = preflight(server, origin, method, headers)
        assert (status, "allow-origin" in told) == (403, False), (origin, method)


def test_a_rule_for_all_pages_gives_no_credentials(server, s3):
    rules(s3, RULE | {"AllowedOrigins": ["*"]})
    _, _, headers = ask(server, "GET", "/uploads/k", origin="https://any.example")
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers


def test_a_page_of_this_machine_reads_what_the_rules_let_it_read(server, s3):
    local = "http://localhost:3000"
    headers = ask(server, "GET", "/uploads/k", origin=local)[2]
    assert headers["access-control-allow-origin"] == local
    rules(s3, RULE)
    status, _, headers = ask(server, "GET", "/uploads/k", origin=local)
    assert (status, "access-control-allow-origin" in headers) == (200, False)
    s3.delete_bucket_cors(Bucket="uploads")
    headers = ask(server, "GET", "/uploads/k", origin=local)[2]
    assert headers["access-control-allow-origin"] == local


def test_the_picture_of_the_site_is_no_bucket(server):
    status, body, _ = ask(server, "GET", "/favicon.ico")
    assert (status, "NoSuchBucket" in body) == (404, False), body


@pytest.mark.botocore_knows("s3", "CreateBucket.BucketArn")
def test_the_answer_to_a_new_bucket_names_it(s3):
    answer = s3.create_bucket(Bucket="another")
    assert answer["Location"] == "/another"
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-bucket-arn"] == "arn:aws:s3:::another"
