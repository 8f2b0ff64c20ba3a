"""APIs of API Gateway as targets and as enrichments: they are called in this process."""

from __future__ import annotations

from urllib.parse import quote, urlencode
from uuid import uuid4

from trunkline._per_engine import PerEngine
from trunkline.aws.calls import Failed
from trunkline.aws.events.errors import invalid_parameter
from trunkline.aws.events.requests import is_path
from trunkline.aws.execute_api.kinds import Apis, invoke
from trunkline.aws.targets.kind import Endpoint, Invocation, PipeTarget, TargetKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.arns import Resource
    from trunkline.aws.operation import Call
    from trunkline.aws.targets.kind import Definition, Sender

_RETRIED = (408, 429)
"""What another attempt may change, beside the answers from 500 on."""

_APIS = PerEngine(Apis)


def _endpoint(call: Call, arn: Resource, target: Definition) -> Endpoint:
    """Checks a target of a rule. Whether its API exists is seen when it is called, as on AWS."""
    if _parts(arn) is None:
        raise invalid_parameter(
            "Arn", "Provided Arn is not in correct format. It ends with API/STAGE/METHOD/path."
        )
    given = target.get("HttpParameters") or {}
    values = list(given.get("PathParameterValues") or ())
    for member in ("HeaderParameters", "QueryStringParameters"):
        values += (given.get(member) or {}).values()
    if any(is_path(value) for value in values):
        raise invalid_parameter(
            "HttpParameters",
            "Values that are taken from the event are served for API destinations, not for APIs of "
            "API Gateway. Give constants, or the Input of the target.",
        )
    return Endpoint()


def _parts(arn: Resource) -> tuple[str, str, str, str] | None:
    """The API, the stage, the method and the path of a name.

    >>> from trunkline.aws.arns import read_resource
    >>> _parts(read_resource("arn:aws:execute-api:us-east-1:000000000000:a1/dev/POST/orders/*"))
    ('a1', 'dev', 'POST', 'orders/*')
    """
    api, *rest = arn.resource.split("/", 3)
    if len(rest) < 2 or not all((api, *rest[:2])):
        return None
    return api, rest[0], rest[1], rest[2] if len(rest) > 2 else ""


def _request(arn: Resource, given: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The request to an API that carries `text`."""
    parts = _parts(arn)
    assert parts is not None, "the name was checked"
    api, stage, method, path = parts
    for value in given.get("PathParameterValues") or ():
        path = path.replace("*", quote(value, safe=""), 1)
    host = f"{api}.execute-api.{arn.region}.amazonaws.com"
    own = {name.lower(): value for name, value in (given.get("HeaderParameters") or {}).items()}
    headers = {"host": host, "content-type": "application/json", **own}
    return {
        "api": api,
        "path": f"/{stage}/{path}",
        "method": "POST" if method == "*" else method.upper(),
        "query": urlencode(given.get("QueryStringParameters") or {}),
        "headers": list(headers.items()),
        "body": text.encode(),
        "source_ip": None,
        "is_secure": True,
        "base": f"https://{host}",
        "request_id": str(uuid4()),
        "is_strict": False,
        "signer": (arn.account, arn.region, "events"),
        "refusal": None,
    }


def _send(core: CoreEngine, arn: Resource, given: Mapping[str, Any], text: str) -> str:
    """The answer of an API; raises Failed."""
    status, _, content = invoke(_APIS.of(core), _request(arn, given, text))
    told = content.decode("utf-8", "replace")
    if status // 100 != 2:
        is_final = status < 500 and status not in _RETRIED
        raise Failed(f"HTTP {status}", told, is_final=is_final)
    return told


def _call(core: CoreEngine, arn: Resource, target: Definition, text: str) -> str:
    return _send(core, arn, target.get("HttpParameters") or {}, text)


def _invoke(sender: Sender, body: str) -> str:
    return _send(sender.core, sender.resource, sender.own, body)


API = TargetKind(
    "execute-api",
    rule=_endpoint,
    call=_call,
    pipe=PipeTarget(Invocation(_invoke), "HttpParameters"),
)
