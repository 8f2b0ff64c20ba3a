"""Mails of SNS that go to an SMTP server."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import re
import socketserver
import ssl
import threading
import time
import urllib.request
from urllib.parse import urlsplit

import pytest

from trunkline._core import make_certificate
from trunkline.aws.sns.mail import SmtpServer
from trunkline.server import Server
from waiting import until

boto3 = pytest.importorskip("boto3")


class Mailbox(socketserver.ThreadingTCPServer):
    """A small SMTP server that keeps what it is sent, or says what it is told to say."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, context=None, implicit=False, login=None):
        super().__init__(("127.0.0.1", 0), Session)
        self.context, self.implicit, self.login = context, implicit, login
        self.mails, self.replies, self.attempts = [], {}, 0
        self.arrived = threading.Condition()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def wait(self, count):
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.mails) >= count, timeout=60), self.mails
        return self.mails

    def close(self):
        self.shutdown()
        self.server_close()


class Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")
        self.wfile.flush()

    def wrap(self):
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.setup()

    def handle(self):
        try:
            if self.server.implicit:
                self.wrap()
            self.talk()
        except (OSError, ValueError):
            return

    def finish(self):
        try:
            super().finish()
        finally:
            self.request.close()

    def talk(self):
        self.say("220 ready")
        self.secure, self.known = self.server.implicit, self.server.login is None
        while line := self.rfile.readline().decode().strip():
            verb = line.split(":")[0].split()[0].upper()
            if verb == "QUIT":
                return self.say("221 bye")
            self.answer(verb, line)
        return None

    def answer(self, verb, line):
        if verb == "EHLO":
            offers = ["250-mailbox"]
            if self.server.context is not None and not self.secure:
                offers.append("250-STARTTLS")
            if self.server.login is not None:
                offers.append("250-AUTH PLAIN")
            for offer in [*offers, "250 8BITMIME"]:
                self.say(offer)
        elif verb == "STARTTLS":
            self.say("220 go on")
            self.wrap()
            self.secure = True
        elif verb == "AUTH":
            given = base64.b64decode(line.split()[2]).decode().split("\0")[1:]
            self.known = tuple(given) == self.server.login
            self.say("235 welcome" if self.known else "535 who are you")
        elif verb == "RCPT":
            self.server.attempts += 1
            address = re.search("<(.*)>", line)[1]
            self.say(self.server.replies.get(address, "250 ok" if self.known else "530 log in"))
        elif verb == "DATA":
            self.say("354 go on")
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.removeprefix(b"."))
            self.say("250 kept")
            with self.server.arrived:
                text = b"".join(lines)
                self.server.mails.append(
                    email.message_from_bytes(text, policy=email.policy.default)
                )
                self.server.arrived.notify_all()
        else:
            self.say("250 ok")


@pytest.fixture
def mailbox():
    made = Mailbox()
    yield made
    made.close()


def client(server, service):
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id="000000000000",
        aws_secret_access_key="secret",
    )


def outbox(server):
    with urllib.request.urlopen(f"{server.url}/_trunkline/outbox") as answer:
        return json.load(answer)["messages"]


def confirm(server, mail):
    link = re.search(r"https?://\S+Action=ConfirmSubscription\S+", mail.get_content())[0]
    with urllib.request.urlopen(f"{server.url}/?{urlsplit(link).query}") as answer:
        assert answer.status == 200


def test_mails_are_confirmed_and_delivered(engine, mailbox):
    with Server(engine, port=0, smtp=f"127.0.0.1:{mailbox.port}") as server:
        sns = client(server, "sns")
        topic = sns.create_topic(Name="orders")["TopicArn"]
        for protocol, who in (("email", "anna"), ("email-json", "json")):
            sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=f"{who}@example.com")
            (*_, mail) = mailbox.wait(len(mailbox.mails) + 1)
            assert mail["To"] == f"{who}@example.com"
            if protocol == "email":
                assert mail["Subject"] == "AWS Notification - Subscription Confirmation"
                confirm(server, mail)
            else:
                token = json.loads(mail.get_content())["Token"]
                sns.confirm_subscription(TopicArn=topic, Token=token)
        sns.publish(TopicArn=topic, Message="one \N{HOT BEVERAGE}\n.\nend", Subject="an order")
        mails = {mail["To"]: mail for mail in mailbox.wait(4)[2:]}
        text = mails["anna@example.com"]
        assert text["Subject"] == "an order"
        assert text["From"] == "AWS Notifications <no-reply@sns.amazonaws.com>"
        assert text.get_content().startswith("one \N{HOT BEVERAGE}\n.\nend")
        assert "Action=Unsubscribe" in text.get_content()
        whole = json.loads(mails["json@example.com"].get_content())
        assert (whole["Type"], whole["Subject"]) == ("Notification", "an order")
        # What is sent is not kept to be looked at.
        assert outbox(server) == []
        sns.close()


def test_without_a_server_mails_are_kept_to_be_looked_at(engine):
    with Server(engine, port=0) as server:
        sns = client(server, "sns")
        topic = sns.create_topic(Name="orders")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="anna@example.com")
        (kept,) = outbox(server)
        assert (kept["Protocol"], kept["Endpoint"]) == ("email", "anna@example.com")
        assert json.loads(kept["Message"])["Type"] == "SubscriptionConfirmation"
        sns.close()


def test_a_refused_mail_is_a_dead_letter_and_a_delayed_one_is_tried_again(mailbox):
    import trunkline

    clock = trunkline.VirtualClock()
    with (
        trunkline.open(clock=clock) as engine,
        Server(engine, port=0, smtp=f"smtp://127.0.0.1:{mailbox.port}") as server,
    ):
        sns, sqs = client(server, "sns"), client(server, "sqs")
        topic = sns.create_topic(Name="orders")["TopicArn"]
        queue = sqs.create_queue(QueueName="dead")["QueueUrl"]
        dead = json.dumps({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead"})
        for who in ("gone", "busy"):
            sns.subscribe(
                TopicArn=topic,
                Protocol="email",
                Endpoint=f"{who}@example.com",
                Attributes={"RedrivePolicy": dead},
            )
        for mail in list(mailbox.wait(2)):
            confirm(server, mail)
        mailbox.replies = {
            "gone@example.com": "550 no such user",
            "busy@example.com": "451 later",
        }
        mailbox.attempts = 0
        sns.publish(TopicArn=topic, Message="one")
        until(lambda: mailbox.attempts >= 2)
        found = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
        assert found[0]["Body"] == "one", found
        assert len(mailbox.mails) == 2
        mailbox.replies = {}
        clock.advance(60)
        assert mailbox.wait(3)[2]["To"] == "busy@example.com"
        for one in (sns, sqs):
            one.close()


@pytest.mark.parametrize("form", ["smtps", "smtp+starttls"])
def test_a_login_goes_over_tls_whose_certificate_is_verified(engine, tmp_path, monkeypatch, form):
    certificate, key = make_certificate(["localhost"])
    for name, text in (("chain.pem", certificate), ("key.pem", key)):
        (tmp_path / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    mailbox = Mailbox(context, implicit=form == "smtps", login=("anna", "s3/cret"))
    url = f"{form}://anna:s3%2Fcret@localhost:{mailbox.port}"
    try:
        with Server(engine, port=0, smtp=url) as server:
            sns = client(server, "sns")
            topic = sns.create_topic(Name="orders")["TopicArn"]
            sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="anna@example.com")
            time.sleep(1)
            assert mailbox.mails == [], "an unknown certificate was trusted"
            sns.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "chain.pem"))
        with Server(engine, port=0, smtp=url) as server:
            sns = client(server, "sns")
            sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="bob@example.com")
            assert mailbox.wait(1)[0]["To"] == "bob@example.com"
            sns.close()
    finally:
        mailbox.close()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("http://mail.example.com", "names no SMTP server"),
        ("smtp://", "names no SMTP server"),
        ("smtp://mail.example.com/path", "names no SMTP server"),
        ("mail.example.com:port", "cannot be read"),
        ("mail.example.com:99999", "cannot be read"),
        ("smtp://anna:secret@mail.example.com", "clear text"),
    ],
)
def test_an_address_that_is_none_is_refused_without_its_secret(text, part):
    with pytest.raises(ValueError, match=part) as caught:
        SmtpServer.parse(text)
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match="sender"):
        SmtpServer.parse("mail.example.com", "a@b\nBcc: c@d")
