"""The links in messages of SNS, which are followed without a signature."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from urllib.parse import quote, urlsplit

import pytest

from trunkline.server import Server

boto3 = pytest.importorskip("boto3")

ACCOUNT, REGION = "111111111111", "eu-west-1"
MODES = ("off", "parse", "strict")


class Side:
    """A server, its clients, and a subscription whose unsubscribe link was delivered."""

    def __init__(self, server, mode):
        self.server, self.mode = server, mode
        key = f"AKIA{ACCOUNT}" if mode == "strict" else ACCOUNT
        self.clients = {
            service: boto3.session.Session().client(
                service,
                region_name=REGION,
                endpoint_url=server.url,
                aws_access_key_id=key,
                aws_secret_access_key="secret",
            )
            for service in ("sns", "sqs")
        }
        self.sns, self.sqs = self.clients["sns"], self.clients["sqs"]
        self.topic = self.sns.create_topic(Name="orders")["TopicArn"]

    def subscribe(self):
        """Subscribes a queue; the link that a message to it carries, and the ARN."""
        queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
        statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}}
        statement |= {"Action": "sqs:SendMessage", "Resource": queue}
        policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
        url = self.sqs.create_queue(QueueName="q", Attributes={"Policy": policy})["QueueUrl"]
        made = self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=queue)
        self.sns.publish(TopicArn=self.topic, Message="one")
        (message,) = self.sqs.receive_message(QueueUrl=url)["Messages"]
        return json.loads(message["Body"])["UnsubscribeURL"], made["SubscriptionArn"]

    def arns(self):
        found = self.sns.list_subscriptions_by_topic(TopicArn=self.topic)["Subscriptions"]
        return [one["SubscriptionArn"] for one in found]

    def outbox(self):
        """The mails that were sent."""
        headers = {"Authorization": "Bearer admin"}
        request = urllib.request.Request(f"{self.server.url}/_trunkline/outbox", headers=headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["messages"]

    def get(self, query, method="GET", **headers):
        """Follows a link of the server, as a program does or a person who pastes it."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            f"{self.server.url}/?{query}", method=method, headers=headers
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code


@pytest.fixture(params=MODES)
def side(engine, request):
    is_strict = request.param == "strict"
    known = [(f"AKIA{ACCOUNT}", "secret", None, ACCOUNT)]
    options = {"credentials": known, "admin_token": "admin"} if is_strict else {}
    with Server(engine, port=0, auth=request.param, **options) as server:
        made = Side(server, request.param)
        yield made
        for client in made.clients.values():
            client.close()


def test_the_link_of_a_message_ends_its_subscription(side):
    link, arn = side.subscribe()
    assert side.arns() == [arn]
    assert side.get(urlsplit(link).query) == 200
    assert side.arns() == []


def test_the_arn_of_a_subscription_is_no_link(side):
    link, arn = side.subscribe()
    right = urlsplit(link).query
    token = right.split("Token=")[1].split("&")[0]
    other = f"{arn[:-1]}{'0' if arn[-1] != '0' else '1'}"
    wrong = f"{'0' if token[0] != '0' else '1'}{token[1:]}"
    named = f"Action=Unsubscribe&SubscriptionArn={quote(arn)}"
    for query in (
        named,
        f"{named}&Token=",
        f"{named}&Token={token[:-1]}",
        f"{named}&Token={wrong}",
        f"Action=Unsubscribe&Token={token}&SubscriptionArn={other}",
        f"Action=DeleteTopic&Token={token}&TopicArn={quote(side.topic)}",
        f"Action=Publish&Message=x&Token={token}&TopicArn={quote(side.topic)}",
        f"Action=ListTopics&Version=2010-03-31&Token={token}",
    ):
        status = side.get(query)
        reads = "ListTopics" in query and side.mode != "strict"
        assert (status == 200) == reads, query
    assert side.get(right, "HEAD") != 200
    assert side.arns() == [arn]


CLICK = {
    "User_Agent": "Mozilla/5.0",
    "Sec_Fetch_Site": "cross-site",
    "Sec_Fetch_Mode": "navigate",
    "Sec_Fetch_Dest": "document",
    "Referer": "https://mail.example/",
}


def test_a_click_in_web_mail_follows_a_link_and_nothing_else(side):
    link, arn = side.subscribe()
    query = urlsplit(link).query
    image = CLICK | {"Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"}
    frame = CLICK | {"Sec_Fetch_Dest": "iframe"}
    for headers in (image, frame, CLICK | {"Origin": "https://mail.example"}):
        assert side.get(query, **headers) == 403
    wrong = query.replace("Token=", "Token=0")
    other = query.replace("Unsubscribe", "DeleteTopic") + f"&TopicArn={quote(side.topic)}"
    twice = f"{query.replace('Token=', 'Token=0')}&Action=DeleteTopic&TopicArn={quote(side.topic)}"
    listed = "Action=ListTopics&Token=1"
    for refused in (wrong, other, twice, listed):
        assert side.get(refused, **CLICK) >= 400, refused
    assert side.arns() == [arn]
    assert side.get(query, **CLICK) == 200
    assert side.arns() == []


def test_a_mail_is_confirmed_by_its_link_and_by_no_other(side):
    made = side.sns.subscribe(
        TopicArn=side.topic,
        Protocol="email",
        Endpoint="anna@example.com",
        ReturnSubscriptionArn=True,
    )
    (mail,) = side.outbox()
    query = urlsplit(json.loads(mail["Message"])["SubscribeURL"]).query
    assert side.get(query[:-2] + ("00" if query[-2:] != "00" else "11")) == 400
    assert side.arns() == ["PendingConfirmation"]
    assert side.get(f"{query}&AuthenticateOnUnsubscribe=true") == 403
    assert side.arns() == ["PendingConfirmation"]
    assert side.get(query) == 200
    assert side.arns() == [made["SubscriptionArn"]]
