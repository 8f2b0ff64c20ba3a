"""Stages of REST APIs for the core: mocks, and operations of services whose templates are plain."""

from __future__ import annotations

import re

from trunkline.aws.apigateway.front.answering import mocked, selected
from trunkline.aws.apigateway.front.forms import members
from trunkline.aws.apigateway.front.integration import IntegrationAnswer, status_of
from trunkline.aws.apigateway.front.mapping import STAGE_VARIABLE
from trunkline.aws.apigateway.front.refusing import Refusal
from trunkline.aws.apigateway.front.services import FORM, INTEGRATION_URI
from trunkline.aws.apigateway.front.templates import of_answer, pieces
from trunkline.aws.apigateway.front.throttling import limits_of
from trunkline.aws.execute_api.access_logs import is_group
from trunkline.aws.execute_api.compiling import NotCompiled, constant, member, text
from trunkline.aws.execute_api.message import ApiResponse, as_sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Document = dict[str, Any]

_CONTENT_TYPE = "integration.request.header.content-type"
_QUEUE = re.compile(r"path/(\d{12}/[A-Za-z0-9_-]+(?:\.fifo)?)")
_JSON_ACTIONS = {
    ("events", "action/PutEvents"): ("events", "PutEvents"),
    ("kinesis", "action/PutRecord"): ("kinesis", "PutRecord"),
    ("states", "action/StartExecution"): ("stepfunctions", "StartExecution"),
}
_OWN_HEADERS = frozenset(("x-amzn-requestid", "x-amz-apigw-id", "x-amzn-trace-id"))


def compile_stage(api: str, kept: Document, deployment: Document) -> Document:
    """The table of a stage; raises NotCompiled where Python has to see every request."""
    stage, told = kept["stage"], kept["api"]
    log = stage.get("accessLogSettings") or {}
    is_logged = bool(log.get("format")) and is_group(log.get("destinationArn") or "")
    is_plain = not (told.get("disableExecuteApiEndpoint") or is_logged)
    is_plain = is_plain and told.get("minimumCompressionSize") is None
    if not is_plain or stage.get("canarySettings") is not None:
        raise NotCompiled
    compiler = _Compiler(api, stage, deployment)
    resources = [
        {
            "path": resource["path"],
            "methods": {
                verb: compiler.route(resource, method)
                for verb, method in resource["methods"].items()
            },
        }
        for resource in deployment["resources"].values()
    ]
    return {"style": "rest", "resources": resources, "default": None, "cors": None}


class _Compiler:
    def __init__(self, api: str, stage: Document, deployment: Document) -> None:
        self._api = api
        self._stage = stage
        self._deployment = deployment
        self._variables = stage.get("variables", {})
        self._context: dict[str, str] = {}

    def route(self, resource: Document, method: Document) -> Document | None:
        """A method; None if Python serves it."""
        validator = self._deployment["validators"].get(method.get("requestValidatorId", ""))
        is_open = method["authorizationType"] == "NONE" and not method["apiKeyRequired"]
        integration = method.get("methodIntegration")
        if not is_open or validator is not None or integration is None:
            return None
        self._context = {
            "accountId": self._deployment["account"],
            "apiId": self._api,
            "deploymentId": self._stage["deploymentId"],
            "protocol": "HTTP/1.1",
            "resourceId": resource["id"],
            "resourcePath": resource["path"],
            "stage": self._stage["stageName"],
        }
        make: Callable[[Document, str], Document]
        if integration["type"] == "MOCK":
            make = self._mock
        elif integration["type"] == "AWS":
            make = self._call
        else:
            return None
        works = self._works(integration, make)
        if not any(work for _, work in works):
            return None
        owner = (self._deployment["account"], self._deployment["region"])
        verb = method["httpMethod"]
        limits = limits_of(self._stage, owner, self._api, resource["path"], verb)
        return {
            "limits": [limit.plain() for limit in limits],
            "throttled": self._throttled(),
            "works": works,
        }

    def _works(
        self, integration: Document, make: Callable[[Document, str], Document]
    ) -> list[tuple[str | None, Document | None]]:
        """What is done, by content type; the one without comes last."""
        works: list[tuple[str | None, Document | None]] = []
        templates = integration.get("requestTemplates", {})
        for name, template in sorted(templates.items(), key=lambda one: one[0] == "$default"):
            work = None
            if not integration.get("contentHandling"):
                try:
                    work = make(integration, template)
                except (NotCompiled, Refusal, ValueError):
                    work = None
            works.append((None if name == "$default" else name, work))
        return works

    def _throttled(self) -> Document | None:
        own = self._deployment["responses"]
        if "THROTTLED" in own or "DEFAULT_4XX" in own:
            return None
        headers = [
            ("x-amzn-errortype", "TooManyRequestsException"),
            ("content-type", "application/json"),
        ]
        return {"status": 429, "headers": headers, "body": '{"message":"Too Many Requests"}'}

    def _mock(self, integration: Document, template: str) -> Document:
        if integration.get("requestParameters"):
            raise NotCompiled
        body = constant(pieces(template, self._variables, context=self._context))
        return {"mock": self._answer(integration, mocked(body.encode()))}

    def _call(self, integration: Document, template: str) -> Document:
        is_form = _is_form(integration.get("requestParameters", {}))
        uri = STAGE_VARIABLE.sub(
            lambda found: self._variables.get(found[1], ""), integration.get("uri", "")
        )
        found = INTEGRATION_URI.fullmatch(uri)
        if found is None or "{" in uri or integration.get("httpMethod") != "POST":
            raise NotCompiled
        region, scope, kind, rest = found.groups()
        target = f"{kind}/{rest}"
        made = pieces(template, self._variables, context=self._context)
        queue = _QUEUE.fullmatch(target)
        call: Document = {
            "account": self._deployment["account"],
            "region": region or self._deployment["region"],
            "answer": self._answer(integration, IntegrationAnswer(200)),
        }
        if is_form and scope == "sqs" and queue is not None:
            address = member("QueueUrl", [text(f"/{queue[1]}")])
            given = [one for one in members("SendMessage", made, None) if one["name"] != "QueueUrl"]
            call |= _form("sqs", "SendMessage", [address, *given])
        elif is_form and (scope, target) in (
            ("sqs", "action/SendMessage"),
            ("sns", "action/Publish"),
        ):
            call |= _form(scope, rest, members(rest, made, rest))
        elif not is_form and (scope, target) in _JSON_ACTIONS:
            service, operation = _JSON_ACTIONS[scope, target]
            call |= {"service": service, "operation": operation, "output": "plain"}
            call["input"] = {"body": made}
        else:
            raise NotCompiled
        return {"call": call}

    def _answer(self, integration: Document, answer: IntegrationAnswer) -> Document:
        response = selected(integration, answer)
        if response.get("contentHandling"):
            raise NotCompiled
        headers = []
        for name, source in response.get("responseParameters", {}).items():
            if not (source.startswith("'") and source.endswith("'")):
                raise NotCompiled
            headers.append((name.removeprefix("method.response.header."), source[1:-1]))
        templates = response.get("responseTemplates") or {}
        content_type, body = "application/json", None
        if templates:
            if content_type not in templates:
                content_type = next(iter(templates))
            if templates[content_type]:
                template = templates[content_type]
                made = pieces(template, self._variables, context=self._context)
                body = of_answer(made)
        if not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", content_type))
        status = status_of(response["statusCode"])
        _, sent, _ = as_sent(ApiResponse(status, headers, b""))
        if any(name in _OWN_HEADERS for name, _ in sent):
            raise NotCompiled
        return {"status": status, "headers": sent, "body": body}


def _is_form(parameters: dict[str, str]) -> bool:
    """Whether the body is a form; raises NotCompiled where more is mapped than its type."""
    for target, source in parameters.items():
        is_text = source.startswith("'") and source.endswith("'")
        if target.lower() != _CONTENT_TYPE or not is_text:
            raise NotCompiled
        kind = source[1:-1]
        if kind == FORM:
            return True
        if not kind.startswith(("application/json", "application/x-amz-json")):
            raise NotCompiled
    return False


def _form(service: str, operation: str, given: list[Document]) -> Document:
    return {
        "service": service,
        "operation": operation,
        "input": {"members": given},
        "output": "query",
    }
