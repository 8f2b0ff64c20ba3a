"""Connections: how API destinations authorize their calls.

A connection lies in a document of the engine with its secrets, which no answer shows.
"""

from __future__ import annotations

from uuid import uuid4

from trunkline.aws.arns import partition
from trunkline.aws.events.connection_store import documents, find_connection, prefix
from trunkline.aws.events.emitting import emit_connection
from trunkline.aws.events.errors import already_exists, invalid_parameter
from trunkline.aws.events.names import write_arn
from trunkline.aws.events.pages import page_behind
from trunkline.aws.events.refresh import refresh_connection
from trunkline.aws.events.registry import operations
from trunkline.aws.events.tokens import OAUTH, begin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline.aws.operation import Call

_PARAMETERS = {
    "BASIC": "BasicAuthParameters",
    "API_KEY": "ApiKeyAuthParameters",
    OAUTH: "OAuthParameters",
}
"""The member with the secrets of each type of authorization."""

REMOVED = "SecretsRemoved"
"""The member of a connection that is kept without its secrets; no answer shows it."""

_SECRET = ("Password", "ApiKeyValue", "ClientSecret")
"""The members that no answer shows."""


def _keep(call: Call, connection: dict[str, Any]) -> None:
    call.store.put(prefix(call, "connection") + connection["Name"], connection)


def _check(kind: str, parameters: Mapping[str, Any]) -> None:
    wanted = _PARAMETERS[kind]
    given = [name for name in _PARAMETERS.values() if name in parameters]
    if given != [wanted]:
        raise invalid_parameter(
            "AuthParameters", f"AuthorizationType {kind} needs {wanted} and no other."
        )


def _state(kind: str) -> str:
    # A token is being asked for: its answer proves the client.
    return "AUTHORIZING" if kind == OAUTH else "AUTHORIZED"


def _changed(connection: dict[str, Any], *, authorized: bool = False) -> dict[str, Any]:
    names = ["ConnectionArn", "ConnectionState", "CreationTime", "LastModifiedTime"]
    if authorized:
        names.append("LastAuthorizedTime")
    return {name: connection[name] for name in names}


@operations.add("CreateConnection", writes=True)
def create_connection(
    call: Call,
    *,
    name: str,
    authorization_type: str,
    auth_parameters: Mapping[str, Any],
    description: str | None = None,
    invocation_connectivity_parameters: Mapping[str, Any] | None = None,
    kms_key_identifier: str | None = None,
) -> dict[str, Any]:
    """Creates a connection."""
    if invocation_connectivity_parameters is not None:
        raise invalid_parameter(
            "InvocationConnectivityParameters", "Private APIs are not served here."
        )
    _check(authorization_type, auth_parameters)
    now = call.store.now()
    connection = {
        "Name": name,
        "ConnectionArn": write_arn(call.account, call.region, f"connection/{name}/{uuid4()}"),
        "Description": description,
        "AuthorizationType": authorization_type,
        "AuthParameters": dict(auth_parameters),
        "ConnectionState": _state(authorization_type),
        "KmsKeyIdentifier": kms_key_identifier,
        "SecretArn": _secret_arn(call, name),
        "CreationTime": now,
        "LastModifiedTime": now,
        "LastAuthorizedTime": now,
    }
    with call.store.lock:
        if call.store.get(prefix(call, "connection") + name) is not None:
            raise already_exists(f"Connection {name} already exists.")
        _keep(call, connection)
    emit_connection(call, connection, "Creation Started")
    _settle(call, connection, "CREATING")
    return _changed(connection)


def _settle(call: Call, connection: Mapping[str, Any], was: str) -> None:
    """Has a token be asked for where the connection needs one, and tells of its state."""
    if connection["AuthorizationType"] == OAUTH:
        emit_connection(call, connection, "Authorization Started")
        begin(call, connection)
    elif was != "AUTHORIZED":
        emit_connection(call, connection, "Authorized")


def _secret_arn(call: Call, name: str) -> str:
    secret = f"events!connection/{name}/{uuid4()}-{uuid4().hex[:6]}"
    head = f"arn:{partition(call.region)}:secretsmanager:{call.region}:{call.account}"
    return f"{head}:secret:{secret}"


@operations.add("DescribeConnection")
def describe_connection(call: Call, *, name: str) -> dict[str, Any]:
    """A connection with everything but its secrets."""
    connection = find_connection(call, name)
    connection.pop(REMOVED, None)
    return connection | {"AuthParameters": _without_secrets(connection["AuthParameters"])}


def _without_secrets(parameters: Any) -> Any:
    """Parameters of an authorization, or a part of them, as answers show them."""
    if isinstance(parameters, list):
        return [_without_secrets(part) for part in parameters]
    if not isinstance(parameters, dict):
        return parameters
    hidden = {"Value"} if parameters.get("IsValueSecret", False) else set()
    return {
        name: _without_secrets(part)
        for name, part in parameters.items()
        if name not in _SECRET and name not in hidden
    }


@operations.add("ListConnections")
def list_connections(
    call: Call,
    *,
    name_prefix: str = "",
    connection_state: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The connections of the caller, sorted by name."""

    def behind(after: str | None) -> Iterator[dict[str, Any]]:
        for connection in documents(call, "connection", name_prefix, after):
            if connection_state in (None, connection["ConnectionState"]):
                yield connection

    shown, rest = page_behind(behind, lambda one: str(one["Name"]), limit, next_token)
    members = ("ConnectionArn", "Name", "ConnectionState", "AuthorizationType")
    times = ("CreationTime", "LastModifiedTime", "LastAuthorizedTime")
    return {"Connections": [{name: one[name] for name in members + times} for one in shown]} | rest


@operations.add("UpdateConnection", writes=True)
def update_connection(
    call: Call,
    *,
    name: str,
    description: str | None = None,
    authorization_type: str | None = None,
    auth_parameters: Mapping[str, Any] | None = None,
    invocation_connectivity_parameters: Mapping[str, Any] | None = None,
    kms_key_identifier: str | None = None,
) -> dict[str, Any]:
    """Changes what is given of a connection, also for the targets that use it."""
    if invocation_connectivity_parameters is not None:
        raise invalid_parameter(
            "InvocationConnectivityParameters", "Private APIs are not served here."
        )
    with call.store.lock:
        old = find_connection(call, name)
        connection = dict(old)
        if description is not None:
            connection["Description"] = description
        if kms_key_identifier is not None:
            connection["KmsKeyIdentifier"] = kms_key_identifier
        kind = authorization_type or connection["AuthorizationType"]
        if auth_parameters is not None:
            connection.pop(REMOVED, None)
            connection["AuthParameters"] = _merged(connection, kind, auth_parameters)
        _check(kind, connection["AuthParameters"])
        now = call.store.now()
        connection |= {
            "AuthorizationType": kind,
            "ConnectionState": _state(kind),
            "StateReason": None,
            "LastModifiedTime": now,
        }
        if kind != OAUTH:
            connection["LastAuthorizedTime"] = now
        if REMOVED in connection:
            connection["ConnectionState"] = "DEAUTHORIZED"
        _keep(call, connection)
        try:
            refresh_connection(call, connection["ConnectionArn"])
        except Exception:
            # A target that cannot be called so keeps the whole connection as it was.
            _keep(call, old)
            raise
    emit_connection(call, connection, "Update Started")
    if REMOVED not in connection:
        _settle(call, connection, old["ConnectionState"])
    return _changed(connection, authorized=True)


def _merged(connection: dict[str, Any], kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a connection with those that are given; other types' go."""
    old = connection["AuthParameters"]
    wanted = _PARAMETERS[kind]
    merged = {"InvocationHttpParameters": old.get("InvocationHttpParameters")} | dict(given)
    merged[wanted] = old.get(wanted, {}) | dict(given.get(wanted, {}))
    return {name: value for name, value in merged.items() if value is not None}


@operations.add("DeauthorizeConnection", writes=True)
def deauthorize_connection(call: Call, *, name: str) -> dict[str, Any]:
    """Removes the secrets of a connection, also from the targets that use it."""
    with call.store.lock:
        connection = find_connection(call, name)
        connection |= {
            "AuthParameters": _without_secrets(connection["AuthParameters"]),
            "ConnectionState": "DEAUTHORIZED",
            "LastModifiedTime": call.store.now(),
            REMOVED: True,
        }
        _keep(call, connection)
        call.store.core.outbox().forget_token(connection["ConnectionArn"])
        refresh_connection(call, connection["ConnectionArn"])
    emit_connection(call, connection, "Deauthorized")
    return _changed(connection, authorized=True)


@operations.add("DeleteConnection", writes=True)
def delete_connection(call: Call, *, name: str) -> dict[str, Any]:
    """Removes a connection with its secrets. API destinations that use it become inactive."""
    with call.store.lock:
        connection = find_connection(call, name)
        call.store.put(prefix(call, "connection") + name, None)
        call.store.core.outbox().forget_token(connection["ConnectionArn"])
        refresh_connection(call, connection["ConnectionArn"])
    connection["ConnectionState"] = "DELETING"
    emit_connection(call, connection, "Deletion Started")
    return _changed(connection, authorized=True)
