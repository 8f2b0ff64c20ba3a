"""Whether a request has the parameters and the body that its method asks for."""

from __future__ import annotations

import json
import re

from trunkline.aws.apigateway.front.keywords import KEYWORDS
from trunkline.aws.apigateway.front.refusing import Refusal, internal
from trunkline.aws.apigateway.front.sources import read_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from trunkline.aws.apigateway.front.exchange import Exchange

    class Modelled(Protocol):
        """What has models, by their names, and remembers their validators."""

        models: dict[str, Any]
        schemas: dict[str, Any]


_MODEL_URI = re.compile(r"https://apigateway\.amazonaws\.com/restapis/[^/]+/models/(\w+)(#.*)?")


def check_request(exchange: Exchange) -> None:
    """Refuses a request that the method's validator does not let pass."""
    method = exchange.routed.method
    validator = exchange.deployed.validators.get(method.get("requestValidatorId", ""))
    if validator is None:
        return
    if validator["validateRequestParameters"]:
        _check_parameters(exchange, method.get("requestParameters", {}))
    if validator["validateRequestBody"] and method.get("requestModels"):
        _check_body(exchange, method["requestModels"])


def _check_parameters(exchange: Exchange, parameters: dict[str, bool]) -> None:
    missing = [
        name.split(".", 3)[3]
        for name, is_required in parameters.items()
        if is_required and not read_source(exchange, name)
    ]
    if missing:
        raise Refusal(
            "BAD_REQUEST_PARAMETERS", f"Missing required request parameters: [{', '.join(missing)}]"
        )


def _check_body(exchange: Exchange, models: dict[str, str]) -> None:
    given = exchange.request.header("content-type") or "application/json"
    name = models.get(given.partition(";")[0].strip()) or models.get("$default")
    if name is None:
        # A content type without a model passes.
        return
    model = exchange.deployed.models.get(name)
    if model is None or "json" not in model["contentType"]:
        return
    errors = validator_of(exchange.deployed, name)
    try:
        body = json.loads(exchange.request.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise _invalid(f"[The body is no JSON: {error}]") from None
    try:
        first = errors(body)
    except RecursionError:
        first = "the body is nested too deeply"
    if first is not None:
        raise _invalid(f"[{first}]")


def _invalid(reason: str) -> Refusal:
    return Refusal("BAD_REQUEST_BODY", "Invalid request body", reason=reason)


def validator_of(deployed: Modelled, name: str) -> Callable[[Any], str | None]:
    """A function that tells what is wrong with a body, if anything is."""
    found: Callable[[Any], str | None] | None = deployed.schemas.get(name)
    if found is None:
        found = deployed.schemas[name] = _compiled(deployed.models, name)
    return found


def _compiled(models: dict[str, Any], name: str) -> Callable[[Any], str | None]:
    try:
        from jsonschema import Draft4Validator
        from jsonschema.exceptions import ValidationError
        from jsonschema.validators import extend
        from referencing import Registry, Resource
        from referencing.exceptions import Unresolvable
        from referencing.jsonschema import DRAFT4
    except ImportError:
        raise internal("bodies are checked with jsonschema: pip install 'trunkline[aws]'") from None
    # Models refer to each other by address. Nothing is fetched: the registry knows them all.
    schemas = {
        one: _local(json.loads(model["schema"]))
        for one, model in models.items()
        if "json" in model["contentType"]
    }
    registry = Registry().with_resources(
        (f"models:{one}", Resource.from_contents(schema, default_specification=DRAFT4))
        for one, schema in schemas.items()
    )
    bounded = extend(Draft4Validator, KEYWORDS)
    validator = bounded({"$ref": f"models:{name}"}, registry=registry)

    def first_error(body: Any) -> str | None:
        try:
            validator.validate(body)
        except ValidationError as error:
            return str(error.message)
        except (Unresolvable, ValueError) as error:
            raise internal(f"the model {name} cannot be used: {error}") from None
        return None

    return first_error


def _local(schema: Any) -> Any:
    """A schema whose references to models of the API stay in the registry."""
    if isinstance(schema, list):
        return [_local(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        key: _local(value)
        for key, value in schema.items()
        # A property may have one of these names as well.
        if not (key in ("$schema", "id") and isinstance(value, str))
    }
    target = found.get("$ref")
    meant = _MODEL_URI.fullmatch(target) if isinstance(target, str) else None
    if meant is not None:
        found["$ref"] = f"models:{meant[1]}{meant[2] or ''}"
    return found
