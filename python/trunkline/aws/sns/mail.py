"""Mails of topics: what they say, and the thread that hands them to an SMTP server."""

from __future__ import annotations

import json
import smtplib
import ssl
import threading
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from trunkline.aws.json_text import read_object
from trunkline.aws.limits import MAILS_AT_ONCE
from trunkline.aws.sns.mail_index import confirmations, forget, subscriptions
from trunkline.errors import EngineUnavailable, NotFound, TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from trunkline._core import Handler, LeasedDelivery
    from trunkline.aws.store import Store

SENDER = "AWS Notifications <no-reply@sns.amazonaws.com>"
"""Who mails come from unless the server is told otherwise: SNS's."""

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_TIMEOUT_SECONDS = 30.0
_LOOK_SECONDS = 0.2
_REFUSED_FROM = 500


class SmtpServer:
    """An SMTP server that takes mails, named by ``HOST:PORT`` or by a URL.

    >>> server = SmtpServer.parse("smtps://anna:secret@mail.example.com")
    >>> server.host, server.port, server.tls, server.login
    ('mail.example.com', 465, 'implicit', ('anna', 'secret'))
    >>> server
    <SmtpServer mail.example.com:465>
    """

    __slots__ = ("host", "login", "port", "sender", "tls")

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: str = "none",
        login: tuple[str, str] | None = None,
        sender: str = SENDER,
    ) -> None:
        self.host: str = host
        self.port: int = port
        self.tls: str = tls
        self.login: tuple[str, str] | None = login
        self.sender: str = sender

    @classmethod
    def parse(cls, text: str, sender: str = SENDER) -> Self:
        """Reads ``HOST:PORT``, or a URL: ``smtp://``, ``smtp+starttls://`` or ``smtps://``, with
        ``USER:PASSWORD@`` where the server wants a login. Raises ValueError for anything else.
        """
        forms = "use HOST:PORT, smtp://, smtp+starttls:// or smtps://[USER:PASSWORD@]HOST[:PORT]"
        try:
            parts = urlsplit(text if "://" in text else f"smtp://{text}")
            port = parts.port
        except ValueError:
            # Why is not told: it may repeat a part of the password.
            raise ValueError(f"--smtp cannot be read: {forms}") from None
        rest = parts.path.strip("/") or parts.query or parts.fragment
        if parts.scheme not in _PORTS or not parts.hostname or rest:
            raise ValueError(f"--smtp names no SMTP server: {forms}")
        tls = {"smtp": "none", "smtp+starttls": "starttls", "smtps": "implicit"}[parts.scheme]
        login = None
        if parts.username is not None:
            login = (unquote(parts.username), unquote(parts.password or ""))
            if tls == "none":
                raise ValueError(
                    "--smtp has a login, which smtp:// would send in clear text: use "
                    "smtp+starttls:// or smtps://"
                )
        if any(ord(character) < 32 for character in sender) or "@" not in sender:
            raise ValueError(f"--smtp-from {sender!r} is no address of a sender")
        return cls(
            parts.hostname, port or _PORTS[parts.scheme], tls=tls, login=login, sender=sender
        )

    def send(self, message: EmailMessage) -> None:
        """Hands one mail over; the certificate of a TLS server is verified."""
        context = None if self.tls == "none" else ssl.create_default_context()
        with self._connect(context) as connection:
            if self.tls == "starttls":
                connection.starttls(context=context)
            if self.login is not None:
                connection.login(*self.login)
            connection.send_message(message)

    def _connect(self, context: ssl.SSLContext | None) -> smtplib.SMTP:
        if self.tls == "implicit":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_TIMEOUT_SECONDS, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_SECONDS)

    def __repr__(self) -> str:
        return f"<SmtpServer {self.host}:{self.port}>"


def notification(sender: str, endpoint: str, content: str, *, whole: bool) -> EmailMessage:
    """The mail of a message: its text, or the whole envelope for ``email-json``."""
    envelope = read_object(content) or {}
    subject = str(envelope.get("Subject") or "AWS Notification Message")
    text = content
    if not whole:
        text = (
            f"{envelope.get('Message', content)}\n\n--\n"
            "If you wish to stop receiving notifications from this topic, please visit the link "
            f"below to unsubscribe:\n{envelope.get('UnsubscribeURL', '')}\n"
        )
    return _mail(sender, endpoint, subject, text)


def confirmation(sender: str, about: dict[str, Any]) -> EmailMessage:
    """The mail that asks an address to confirm its subscription."""
    text = about["Message"]
    if about["Protocol"] == "email":
        body = json.loads(text)
        text = (
            f"You have chosen to subscribe to the topic:\n{body['TopicArn']}\n\n"
            "To confirm this subscription, visit the link below (If this was in error no action "
            f"is necessary):\n{body['SubscribeURL']}\n"
        )
    subject = "AWS Notification - Subscription Confirmation"
    return _mail(sender, about["Endpoint"], subject, text)


def _mail(sender: str, endpoint: str, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = Address(addr_spec=endpoint)
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message.set_content(text, cte="base64" if not text.isascii() else None)
    return message


class MailSender:
    """A thread that hands the mails of an engine's topics to an SMTP server.

    A mail that the server refuses for good (5xx) goes to the dead-letter queue of its subscription.
    Any other failure is tried again, as AWS tries mails.
    """

    def __init__(self, store: Store, server: SmtpServer) -> None:
        self._store = store
        self._server = server
        self._stopping = threading.Event()
        self._handlers: dict[int, Handler] = {}
        self._thread = threading.Thread(target=self._work, name="trunkline-smtp", daemon=True)

    def start(self) -> None:
        """Starts the thread. From then on no mail is kept to be looked at."""
        asked = confirmations(self._store)
        self._handlers[asked] = self._store.core.outbox().handler(asked)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread behind the mail that it sends."""
        self._stopping.set()
        self._thread.join()
        self._handlers.clear()

    def _work(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            try:
                self._round()
            except EngineUnavailable:
                return
            except TrunklineError:
                continue

    def _round(self) -> None:
        asked = confirmations(self._store)
        self._drain(asked, None)
        seen = {asked}
        for about in subscriptions(self._store):
            seen.add(about["destination"])
            self._drain(about["destination"], about)
        # The engine knows by these objects that deliveries are handled.
        self._handlers = {id: one for id, one in self._handlers.items() if id in seen}

    def _drain(self, destination: int, about: dict[str, Any] | None) -> None:
        try:
            handler = self._handlers.get(destination)
            if handler is None:
                handler = self._store.core.outbox().handler(destination)
                self._handlers[destination] = handler
            while not self._stopping.is_set():
                leased = handler.lease(MAILS_AT_ONCE, 0)
                if not leased:
                    return
                for delivery in leased:
                    self._send(handler, delivery, about)
        except NotFound:
            # The subscription was removed meanwhile.
            self._handlers.pop(destination, None)
            if about is not None:
                forget(self._store, about["arn"])

    def _send(
        self, handler: Handler, delivery: LeasedDelivery, about: dict[str, Any] | None
    ) -> None:
        content = delivery.body.decode("utf-8", "replace")
        try:
            if about is None:
                message = confirmation(self._server.sender, json.loads(content))
            else:
                whole = about["protocol"] == "email-json"
                message = notification(self._server.sender, about["endpoint"], content, whole=whole)
        except (ValueError, KeyError, IndexError) as error:
            handler.refused(delivery, f"no mail can be made of it: {type(error).__name__}: {error}")
            return
        try:
            self._server.send(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            self._failed(handler, delivery, code, text)
        except smtplib.SMTPResponseException as error:
            # A login that fails is the operator's mistake, which a restart mends.
            is_login = isinstance(error, smtplib.SMTPAuthenticationError)
            self._failed(handler, delivery, 0 if is_login else error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            handler.failed(delivery, f"{type(error).__name__}: {error}")
        else:
            handler.delivered(delivery)

    def _failed(
        self, handler: Handler, delivery: LeasedDelivery, code: int, text: bytes | str
    ) -> None:
        said = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text
        if code >= _REFUSED_FROM:
            handler.refused(delivery, f"{code} {said}")
        else:
            handler.failed(delivery, f"{code} {said}")
