"""API facade: callers speak HTTP; behind the API a queue takes what a function works off.

::

    curl --> [ HTTP ] --> accept (function) --> [ orders ] --> charge (function) --> [ done ]
               400 for what is no order, 202 for the rest

It prints::

    400 {"error": "what?"}
    202 {"accepted": "tea"}
    charged: tea
"""

import json
import urllib.error
import urllib.parse
import urllib.request

import trunkline
import trunkline.aws
from trunkline.server import Server


def accept(event, context):
    order = json.loads(event.get("body") or "{}")
    if "what" not in order:
        return {"statusCode": 400, "body": json.dumps({"error": "what?"})}
    orders.send(json.dumps(order))
    return {"statusCode": 202, "body": json.dumps({"accepted": order["what"]})}


def charge(event, context):
    for record in event["Records"]:
        done.send(json.loads(record["body"])["what"])


def post(url: str, order: dict[str, str]) -> str:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(order).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return f"{answer.status} {answer.read().decode()}"
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode()}"


with trunkline.open() as engine, Server(engine, port=0) as server:
    orders, done = engine.queue("orders"), engine.queue("done")
    engine.function("accept", accept)
    client = trunkline.aws.client("lambda", engine=engine)
    made = client.create_function_url_config(FunctionName="accept", AuthType="NONE")
    url = server.url + urllib.parse.urlsplit(made["FunctionUrl"]).path
    engine.event_source(orders, engine.function("charge", charge))
    print(post(url, {}))
    print(post(url, {"what": "tea"}))
    print("charged:", done.receive(wait=30)[0].text())
