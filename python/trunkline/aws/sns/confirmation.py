"""Confirmation of subscriptions: tokens, and the messages that carry them."""

from __future__ import annotations

import json
import re
import secrets
import uuid
from datetime import UTC, datetime

from trunkline._core import DestinationSettings, RetryTable
from trunkline.aws.limits import CONFIRMATION_SECONDS
from trunkline.aws.sns import mail_index, waiting
from trunkline.aws.sns.engine_settings import carry_out, settings_of
from trunkline.aws.sns.errors import invalid, not_found, plain
from trunkline.aws.sns.expiry import expire_at
from trunkline.aws.sns.filters import queue_name
from trunkline.aws.sns.registry import operations
from trunkline.aws.sns.resources import document_key, split_arn
from trunkline.aws.sns.topics import PENDING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Topic
    from trunkline.aws.operation import Call

_CONFIRMED_FIRST = ("http", "https", "email", "email-json")
_TOKEN_BYTES = 144
_TOKEN = re.compile(rf"[0-9a-f]{{{_TOKEN_BYTES},}}")
_TIMEOUT_MS = 15_000
# What a signature is of, in this order.
_SIGNED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_USER_AGENT = "Amazon Simple Notification Service Agent"


def request_confirmation(call: Call, topic: Topic, kept: dict[str, Any]) -> None:
    """Makes a token for a subscription and sends it to the endpoint."""
    _forget_token(call, topic, kept)
    token = secrets.token_hex(_TOKEN_BYTES)
    kept["token"] = token
    until = call.store.now() + CONFIRMATION_SECONDS
    key = f"{PENDING}{topic.arn}/{token}"
    call.store.put(key, {"arn": kept["arn"], "until": until})
    call.store.put(document_key(kept["arn"]), kept)
    expire_at(call, key, until)
    text = (
        f"You have chosen to subscribe to the topic {topic.arn}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message."
    )
    _send(call, topic, kept, "SubscriptionConfirmation", text, token)


def request_goodbye(call: Call, topic: Topic, kept: dict[str, Any]) -> None:
    """Tells an endpoint that it was unsubscribed."""
    text = (
        f"You have chosen to deactivate subscription {kept['arn']}.\n"
        "To cancel this operation and restore the subscription, visit the SubscribeURL included "
        "in this message."
    )
    token = secrets.token_hex(_TOKEN_BYTES)
    restored = {name: kept[name] for name in ("protocol", "endpoint", "attributes", "owner")}
    until = call.store.now() + CONFIRMATION_SECONDS
    key = f"sns/restore/{topic.arn}/{token}"
    call.store.put(key, {"until": until, "restore": restored})
    expire_at(call, key, until)
    _send(call, topic, kept, "UnsubscribeConfirmation", text, token)


def _forget_token(call: Call, topic: Topic, kept: dict[str, Any]) -> None:
    if kept.get("token"):
        call.store.put(f"{PENDING}{topic.arn}/{kept['token']}", None)


def _send(call: Call, topic: Topic, kept: dict[str, Any], kind: str, text: str, token: str) -> None:
    """Delivers a message about a subscription: over HTTP, or into the outbox for mails."""
    id = str(uuid.uuid4())
    named = f"TopicArn={topic.arn}&Token={token}"
    link = f"{call.base}/?Action=ConfirmSubscription&{named}"
    now = datetime.fromtimestamp(call.store.now(), UTC)
    body = {
        "Type": kind,
        "MessageId": id,
        "Token": token,
        "TopicArn": topic.arn,
        "Message": text,
        "SubscribeURL": link,
        "Timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1_000:03}Z",
    }
    owner = (topic.account, topic.region, topic.name)
    signature = call.store.sign_notification(owner, [(field, body[field]) for field in _SIGNED])
    if signature is not None:
        version, value, certificate = signature
        body["SignatureVersion"] = str(version)
        body |= {"Signature": value, "SigningCertURL": certificate}
    content = json.dumps(body, indent=2, separators=(",", " : "), ensure_ascii=False)
    if kept["protocol"] == "sqs":
        deliver_to_queue(call, topic, kept["endpoint"], content)
        return
    if kept["protocol"] not in ("http", "https"):
        about = {"Protocol": kept["protocol"], "Endpoint": kept["endpoint"], "Message": content}
        about |= {"MessageId": id, "TopicArn": topic.arn, "SubscriptionArn": kept["arn"]}
        about |= {"Account": topic.account, "Region": topic.region}
        call.store.core.outbox().deliver(mail_index.confirmations(call.store), json.dumps(about))
        return
    headers = [
        ("content-type", "text/plain; charset=UTF-8"),
        ("user-agent", _USER_AGENT),
        ("x-amz-sns-message-type", kind),
        ("x-amz-sns-message-id", id),
        ("x-amz-sns-topic-arn", topic.arn),
    ]
    if kind != "SubscriptionConfirmation":
        headers.append(("x-amz-sns-subscription-arn", kept["arn"]))
    settings = DestinationSettings.http(
        kept["endpoint"],
        method="POST",
        headers=headers,
        timeout=_TIMEOUT_MS,
        retry=RetryTable.named("sns-http"),
        dead_letter=None,
        concurrency=1,
    )
    outbox = call.store.core.outbox()
    # One destination a subscription: the newest token is the one that counts.
    name = f"sns/confirmation/{kept['arn'].rsplit(':', 1)[-1]}"
    old = outbox.find(name)
    if old is not None:
        outbox.remove(old)
    outbox.deliver(outbox.create(name, settings), content)


def is_foreign(call: Call, protocol: str, endpoint: str) -> bool:
    """Whether an endpoint is a queue of an account that does not subscribe it itself."""
    name = queue_name(endpoint) if protocol == "sqs" else None
    return name is not None and name[0] != call.account


def deliver_to_queue(call: Call, topic: Topic, arn: str, content: str) -> None:
    """Asks the owner of a queue; one that is not there, or takes no message, cannot be asked."""
    name = queue_name(arn)
    queue = None if name is None else call.store.core.find_queue(name)
    if queue is None or name is None or not topic.may_send_to(name):
        return
    if name[2].endswith(".fifo"):
        queue.begin_send(content, group="confirmation", dedup_id=str(uuid.uuid4()))
    else:
        queue.begin_send(content)


def create(
    call: Call, topic: Topic, protocol: str, endpoint: str, attributes: dict[str, str]
) -> str:
    """Subscribes an endpoint, and asks it for its confirmation where it has to give one."""
    pending = protocol in _CONFIRMED_FIRST or is_foreign(call, protocol, endpoint)
    settings = settings_of(call, topic, protocol, endpoint, attributes, pending=pending)
    id = carry_out("Attributes Reason: ", topic.subscribe, settings)
    arn: str = topic.subscription(id)["arn"]
    kept = {
        "topic": topic.id,
        "id": id,
        "arn": arn,
        "protocol": protocol,
        "endpoint": endpoint,
        "owner": call.account,
        "principal": "root" if call.access_key is None else f"user/{call.access_key}",
        "attributes": attributes,
        "authenticated": not pending,
    }
    call.store.put(document_key(arn), kept)
    waiting.note(call.store, kept)
    if protocol in mail_index.PROTOCOLS:
        target: int = topic.subscription(id)["target"]
        mail_index.note(call.store, arn, protocol, endpoint, target)
    if pending:
        request_confirmation(call, topic, kept)
    return arn


@operations.add("ConfirmSubscription", writes=True)
def confirm_subscription(
    call: Call, *, topic_arn: str, token: str = "", authenticate_on_unsubscribe: str = ""
) -> dict[str, Any]:
    """Confirms a subscription by the token that its endpoint was sent."""
    split_arn(topic_arn, "TopicArn")
    if not _TOKEN.fullmatch(token):
        raise plain("Invalid token")
    topic = None if call.target is None else call.store.core.topic(call.target, False, None, None)
    with call.store.lock:
        if topic is not None:
            arn = _confirm(call, topic, token, authenticate_on_unsubscribe.lower() == "true")
            if arn is not None:
                return {"SubscriptionArn": arn}
    raise invalid("Token")


def _confirm(call: Call, topic: Topic, token: str, locked: bool) -> str | None:
    found = call.store.get(f"{PENDING}{topic.arn}/{token}")
    used = call.store.get(f"sns/confirmed/{topic.arn}/{token}")
    if found is None and used is not None and used["until"] >= call.store.now():
        return str(used["arn"])
    if found is None:
        restored = call.store.get(f"sns/restore/{topic.arn}/{token}")
        if restored is None or restored["until"] < call.store.now():
            return None
        what = restored["restore"]
        call.store.put(f"sns/restore/{topic.arn}/{token}", None)
        arn = create(call, topic, what["protocol"], what["endpoint"], what["attributes"])
        found = {"arn": arn, "until": restored["until"]}
        token = (call.store.get(document_key(arn)) or {}).get("token", token)
    if found["until"] < call.store.now():
        return None
    kept = call.store.get(document_key(found["arn"]))
    if kept is None or kept["topic"] != topic.id:
        raise not_found("Subscription")
    settings = settings_of(
        call, topic, kept["protocol"], kept["endpoint"], kept["attributes"], pending=False
    )
    topic.configure_subscription(kept["id"], settings)
    del kept["token"]
    kept["authenticated"] = call.access_key is not None
    kept["locked"] = locked
    call.store.put(document_key(kept["arn"]), kept)
    # A caller who confirms again is told the same while the token would have been good.
    key = f"sns/confirmed/{topic.arn}/{token}"
    call.store.put(key, {"arn": kept["arn"], "until": found["until"]})
    call.store.put(f"{PENDING}{topic.arn}/{token}", None)
    expire_at(call, key, found["until"])
    return str(kept["arn"])
