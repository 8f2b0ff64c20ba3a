"""Tokens of subscriptions are good for two days."""

from __future__ import annotations

import json
import urllib.request

import pytest
from botocore.exceptions import ClientError

import trunkline
from trunkline.server import Server

boto3 = pytest.importorskip("boto3")

DAY = 86_400


class Side:
    def __init__(self, server, clock):
        self.server, self.clock = server, clock
        self.sns = boto3.session.Session().client(
            "sns",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="000000000000",
            aws_secret_access_key="secret",
        )
        self.topic = self.sns.create_topic(Name="news")["TopicArn"]

    def subscribe(self, name):
        self.sns.subscribe(TopicArn=self.topic, Protocol="email", Endpoint=f"{name}@example.com")
        with urllib.request.urlopen(f"{self.server.url}/_trunkline/outbox") as answer:
            mails = json.load(answer)["messages"]
        return json.loads(mails[-1]["Message"])["Token"]

    def confirm(self, token):
        try:
            answer = self.sns.confirm_subscription(TopicArn=self.topic, Token=token)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return answer["SubscriptionArn"]

    def endpoints(self):
        found = self.sns.list_subscriptions_by_topic(TopicArn=self.topic)["Subscriptions"]
        return sorted(one["Endpoint"].split("@")[0] for one in found)


@pytest.fixture
def side():
    clock = trunkline.VirtualClock()
    with trunkline.open(clock=clock) as engine, Server(engine, port=0) as server:
        made = Side(server, clock)
        yield made
        made.sns.close()


def test_a_subscription_that_is_not_confirmed_in_two_days_is_removed(side):
    tokens = [side.subscribe(name) for name in ("anna", "ben", "cleo", "dan", "eve")]
    confirmed = side.confirm(tokens[0])
    assert confirmed.startswith(side.topic)
    side.clock.advance(3 * DAY)
    assert side.confirm(tokens[1]) == "InvalidParameter"
    # Each new token removes up to four old ones.
    for name in ("fay", "gil"):
        side.subscribe(name)
    assert side.endpoints() == ["anna", "fay", "gil"]


def test_a_token_confirms_again_while_it_would_have_been_good(side):
    token = side.subscribe("anna")
    confirmed = side.confirm(token)
    side.clock.advance(DAY)
    assert side.confirm(token) == confirmed
    side.clock.advance(2 * DAY)
    assert side.confirm(token) == "InvalidParameter"
    assert side.endpoints() == ["anna"]
