"""The access tokens of connections: asked for when the outbox says that one is needed.

The outbox keeps the tokens in memory, and sends a notice with the name of a connection when its
token is absent, has ended, or was refused. A thread handles the notices.
"""

from __future__ import annotations

from trunkline._core import RetryTable
from trunkline._outbox import Outbox
from trunkline.aws.events.connection_store import BACKGROUND, find_named, prefix
from trunkline.aws.events.emitting import emit_connection
from trunkline.aws.events.names import read_arn
from trunkline.aws.events.oauth import NoToken, ask
from trunkline.aws.operation import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import LeasedDelivery
    from trunkline.aws.store import Store

NOTICES = "connection-tokens"
"""The destination of the notices in the outbox."""

LEASE_SECONDS = 30.0
"""How long one notice may take."""

THREADS = 2

OAUTH = "OAUTH_CLIENT_CREDENTIALS"


def notices_of(store: Store) -> int:
    """The id of the destination of notices; what handles them runs."""
    with store.lock:
        outbox = Outbox(store.core.outbox())
        destination = outbox.find(NOTICES)
        if destination is None:
            retry = RetryTable.named("event-bridge")
            destination = outbox.handler(NOTICES, lease=LEASE_SECONDS, retry=retry)
            store.put(f"{BACKGROUND}tokens", {"destination": NOTICES})
        if NOTICES not in store.background:
            worker = destination.handle(_Authorizer(store).handle, THREADS)
            worker.start()
            store.background[NOTICES] = worker
        return destination.id


def resume(store: Store) -> None:
    """Handles notices that an earlier opening left."""
    if store.core.outbox().find(NOTICES) is not None:
        notices_of(store)


def begin(call: Call, connection: Mapping[str, Any]) -> None:
    """Has a token be asked for, because the connection is new or was changed."""
    arn = connection["ConnectionArn"]
    outbox = call.store.core.outbox()
    outbox.forget_token(arn)
    if has_client(connection):
        outbox.ask_for_token(arn, notices_of(call.store))


def has_client(connection: Mapping[str, Any]) -> bool:
    """Whether a token can be asked for: the secret was not removed."""
    client = connection["AuthParameters"].get("OAuthParameters", {}).get("ClientParameters", {})
    return "ClientSecret" in client


def token_of(store: Store, connection: Mapping[str, Any]) -> str:
    """The token for a call that is made at once; raises NoToken."""
    outbox = store.core.outbox()
    value = outbox.valid_token(connection["ConnectionArn"])
    if value is None:
        _authorize(store, connection["ConnectionArn"])
        value = outbox.valid_token(connection["ConnectionArn"])
    if value is None:
        raise NoToken("The connection was changed meanwhile.")
    return value


class _Authorizer:
    """Handles notices."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def handle(self, delivery: LeasedDelivery) -> None:
        """Asks for the token that a notice names, unless there is one by now."""
        arn = bytes(delivery.body).decode()
        outbox = self._store.core.outbox()
        if outbox.valid_token(arn) is not None:
            return
        try:
            _authorize(self._store, arn)
        except NoToken as refused:
            outbox.refuse_token(arn, str(refused))


def _authorize(store: Store, arn: str) -> None:
    """Asks for a token; the outbox and the connection have what came of it. Raises NoToken."""
    parts = read_arn(arn)
    if parts is None:
        raise NoToken("The connection does not exist.")
    call = Call(store, parts.account, parts.region, None, "", "")
    connection = find_named(call, "connection", arn, "ConnectionArn")
    if connection is None or not has_client(connection):
        raise NoToken("The connection was removed, or has no client secret.")
    outbox, reason = store.core.outbox(), None
    state: str | None = "AUTHORIZED"
    try:
        token = ask(outbox, connection["AuthParameters"]["OAuthParameters"])
    except NoToken as refused:
        reason, state = str(refused), "DEAUTHORIZED" if refused.is_final else None
    with store.lock:
        now = find_named(call, "connection", arn, "ConnectionArn")
        if now is None or now["AuthParameters"] != connection["AuthParameters"]:
            raise NoToken("The connection was changed meanwhile.")
        changed = {
            **now,
            # A server that does not answer proves nothing.
            "ConnectionState": state or now["ConnectionState"],
            "StateReason": reason,
        }
        if reason is None:
            changed["LastAuthorizedTime"] = store.now()
            outbox.set_token(arn, token.value, store.now() + token.seconds)
        store.put(prefix(call, "connection") + now["Name"], changed)
    if changed["ConnectionState"] != now["ConnectionState"]:
        emit_connection(call, changed, changed["ConnectionState"].capitalize())
    if reason is not None:
        raise NoToken(reason)
