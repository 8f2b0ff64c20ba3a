"""The functions of recorded cases: the recordings name them, and here is what they do."""

from __future__ import annotations

import io
import zipfile
from typing import Any

SEND = """
import json, os, time
from http.client import HTTPConnection
from urllib.parse import urlsplit

def send(url, value):
    place = urlsplit(url)
    body = json.dumps({"QueueUrl": url, "MessageBody": json.dumps(value)})
    credential = os.environ["AWS_ACCESS_KEY_ID"] + "/20230101/us-east-1/sqs/aws4_request"
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "AmazonSQS.SendMessage",
        "X-Amz-Date": "20230101T000000Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=" + credential
        + ", SignedHeaders=host, Signature=0",
    }
    connection = HTTPConnection(place.netloc)
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status == 200, text
"""

BOOTSTRAPS = {
    "provided_bootstrap_empty": """#!/usr/bin/env python3
import os
from http.client import HTTPConnection

api = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
base = "/2018-06-01/runtime/invocation/"
while True:
    api.request("GET", base + "next")
    event = api.getresponse()
    event.read()
    api.request("POST", base + event.headers["Lambda-Runtime-Aws-Request-Id"] + "/response", b"")
    api.getresponse().read()
""",
}
"""Runtimes of their own; that of AWS's suite was a compiled program that answers with nothing."""

CODE = {
    "lambda_echo": """
import json

def handler(event, context):
    print(json.dumps(event))
    return event
""",
    "id_function": """def handler(event, context):
    return event
""",
    "raise_exception": """def handler(event, context):
    raise Exception("Some exception was raised.")
""",
    "raise_custom_exception": """class CustomException(Exception):
    pass


# The recording tells the line of the failure.


def handler(event, context):
    raise CustomException()
""",
    "return_bytes_str": """def handler(event, context):
    return "HelloWorld!"
""",
    "large_output_string": """def handler(event, context):
    return "a" * 300_000
""",
    "wait_60_seconds": """import time

def handler(event, context):
    time.sleep(60)
""",
    "lambda_unhandled_error": """
def handler(event, context):
    raise Exception("unhandled")
""",
    "lambda_integration": """
import json

def handler(event, context):
    if "raise_error" in json.dumps(event):
        raise Exception("Test exception (this is intentional)")
    raise ValueError("an event that no case has")
""",
    "lambda_sleep": """
import os, time

def handler(event, context):
    time.sleep(float(os.environ["TEST_SLEEP_S"]))
""",
    "lambda_sqs_integration": SEND
    + """
def handler(event, context):
    (record,) = event["Records"]
    message = json.loads(record["body"])
    attempts = int(record["attributes"]["ApproximateReceiveCount"])
    if attempts <= message["fail_attempts"]:
        send(message["destination"], {"error": "failed attempt", "event": event})
        raise ValueError("failed attempt " + str(attempts))
    send(message["destination"], {"error": None, "event": event})
""",
    "lambda_sqs_batch_item_failure": SEND
    + """
def handler(event, context):
    failures = []
    for record in event["Records"]:
        message = json.loads(record["body"])
        if int(record["attributes"]["ApproximateReceiveCount"]) <= message["fail_attempts"]:
            failures.append({"itemIdentifier": record["messageId"]})
    result = {"batchItemFailures": failures}
    send(os.environ["DESTINATION_QUEUE_URL"], {"event": event, "result": result})
    return result
""",
    "lambda_event_source_mapping_send_message": SEND
    + """
def handler(event, context):
    send(os.environ["SQS_QUEUE_URL"], event["Records"])
    return {"count": len(event["Records"])}
""",
    "lambda_aws_proxy": """
import json

def handler(event, context):
    print(json.dumps(event))
    return {"statusCode": 200, "body": json.dumps(event), "isBase64Encoded": False}
""",
    "lambda_aws_proxy_format": """
import json

def handler(event, context):
    print(json.dumps(event))
    return {"statusCode": 200, "body": json.dumps({"message": "ok"})}
""",
    "xray_tracing_traceid": """
import json, os

def handler(event, context):
    print(json.dumps({"trace_id": os.environ.get("_X_AMZN_TRACE_ID"), "event": event}))
    return event
""",
    "lambda_select_pattern": """# The recording tells the lines of the failures.
def handler(event, context):
    status = event["statusCode"]
    if status == "200":
        return "Pass"
    if status == "400":
        raise Exception("Error: Raising four hundred from within the Lambda function")
    if status == "500":
        raise Exception("Error: Raising five hundred from within the Lambda function")
    raise ValueError("a status that no case has")
""",
    "lambda_mapping_responses": """
import json

def handler(event, context):
    is_error = "400" in json.dumps(event)
    return {"statusCode": 200, "body": "customerror" if is_error else "noerror"}
""",
}
"""The source of each function that the recordings name."""


def archive(functions: list[str] | None, module: str = "handler") -> bytes | None:
    """The code of a case's function, as CreateFunction takes it; None where it is not known.

    `module` is what its handler is in.
    """
    name = (functions or [""])[0]
    source = name if "def handler" in name else CODE.get(name, BOOTSTRAPS.get(name))
    if source is None:
        return None
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as out:
        entry = zipfile.ZipInfo("bootstrap" if name in BOOTSTRAPS else f"{module}.py")
        entry.external_attr = 0o755 << 16
        out.writestr(entry, source)
    return data.getvalue()


def missing(content: dict[str, Any]) -> list[str]:
    """The functions of a case whose source is not known."""
    created = any(call.get("op") == "CreateFunction" for call in content["calls"])
    if not created or archive(content.get("functions")) is not None:
        return []
    return [f"the function {name.split()[0]}" for name in content.get("functions") or ["?"]]
