"""Which addresses the requests of an engine may go to."""

from __future__ import annotations

import json

import pytest
from event_calls import arn, entry

import trunkline
from trunkline.server import Server

AUTH = {"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}}


def refusal(events, engine, url):
    """Why a rule's event did not reach an API destination: what its dead letter says."""
    dead = engine.queue("dead")
    connection = events.create_connection(
        Name="c", AuthorizationType="API_KEY", AuthParameters=AUTH
    )
    made = events.create_api_destination(
        Name="d",
        ConnectionArn=connection["ConnectionArn"],
        InvocationEndpoint=url,
        HttpMethod="POST",
    )
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["shop"]}))
    target = {
        "Id": "t",
        "Arn": made["ApiDestinationArn"],
        "DeadLetterConfig": {"Arn": arn("dead", "sqs")},
    }
    events.put_targets(Rule="r", Targets=[target])
    events.put_events(Entries=[entry()])
    (letter,) = dead.receive(1, wait=20)
    return letter.attributes["ERROR_MESSAGE"]


@pytest.mark.parametrize(
    ("reach", "url"),
    [
        ("usual", "http://169.254.169.254/latest/meta-data"),
        ("public", "http://169.254.169.254/latest/meta-data"),
        ("public", "http://127.0.0.1:9/"),
        ("public", "http://10.0.0.1/"),
    ],
)
def test_a_delivery_that_may_not_go_out_is_a_dead_letter(connect, engine, reach, url):
    with Server(engine, port=0, reach=reach):
        assert "the address may not be reached" in refusal(connect("events"), engine, url)


def test_a_reach_that_there_is_not_is_refused():
    with trunkline.open() as engine, pytest.raises(trunkline.TrunklineError, match="everywhere"):
        Server(engine, port=0, reach="nowhere")
