"""Domain names of HTTP and WebSocket APIs, and the stages that their paths are mapped to."""

from __future__ import annotations

from trunkline.aws.apigatewayv2.documents import members, new_id, paged, paged_behind, read
from trunkline.aws.apigatewayv2.errors import bad, conflict, missing
from trunkline.aws.apigatewayv2.registry import operations
from trunkline.aws.arns import partition
from trunkline.aws.execute_api.domains import may_claim, publish
from trunkline.aws.limits import API_ID_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline.aws.operation import Call

    Document = dict[str, Any]


def domain_key(account: str, region: str, name: str = "") -> str:
    """The key of a domain name; without one, the prefix of all."""
    return f"apigatewayv2/domain/{account}/{region}/{name}"


def _read(call: Call, name: str) -> Document:
    found = call.store.get(domain_key(call.account, call.region, name))
    if found is None:
        raise missing("domain name", name)
    return found


def _save(call: Call, document: Document) -> None:
    name = document["domain"]["DomainName"]
    call.store.put(domain_key(call.account, call.region, name), document)
    mappings = [
        (one.get("ApiMappingKey", ""), one["ApiId"], one["Stage"])
        for one in document["mappings"].values()
    ]
    publish(call.store, name, (call.account, call.region), "http", mappings)


def _configured(call: Call, given: Document) -> Document:
    domain = given["DomainName"]
    for one in given.get("DomainNameConfigurations") or []:
        one.setdefault(
            "ApiGatewayDomainName", f"d-{new_id(API_ID_CHARS)}.execute-api.{call.region}"
        )
        one.setdefault("DomainNameStatus", "AVAILABLE")
        one.setdefault("EndpointType", "REGIONAL")
        one.setdefault("SecurityPolicy", "TLS_1_2")
    arn = f"arn:{partition(call.region)}:apigateway:{call.region}::/domainnames/{domain}"
    return {
        "ApiMappingSelectionExpression": "$request.basepath",
        "RoutingMode": "API_MAPPING_ONLY",
        "Tags": {},
        **given,
        "DomainNameArn": arn,
    }


@operations.add("CreateDomainName", writes=True)
def create_domain_name(call: Call, *, domain_name: str, **given: Any) -> Document:
    """Claims a domain name."""
    with call.store.lock:
        is_taken = call.store.get(domain_key(call.account, call.region, domain_name)) is not None
        if is_taken or not may_claim(call.store, domain_name, (call.account, call.region)):
            raise conflict("The domain name you provided already exists.")
        told = members(given)
        if not told.get("DomainNameConfigurations"):
            raise bad("A domain name needs DomainNameConfigurations")
        domain = _configured(call, {"DomainName": domain_name, **told})
        _save(call, {"domain": domain, "mappings": {}})
    return domain


@operations.add("GetDomainName")
def get_domain_name(call: Call, *, domain_name: str) -> Document:
    """One domain name."""
    told: Document = _read(call, domain_name)["domain"]
    return told


@operations.add("GetDomainNames")
def get_domain_names(
    call: Call, *, max_results: str | None = None, next_token: str | None = None
) -> Document:
    """The domain names of the caller."""
    prefix = domain_key(call.account, call.region)

    def behind(after: str | None) -> Iterator[Document]:
        return (one["domain"] for one in call.store.every(prefix, after=after))

    return paged_behind(behind, "DomainName", max_results, next_token)


@operations.add("UpdateDomainName", writes=True)
def update_domain_name(call: Call, *, domain_name: str, **given: Any) -> Document:
    """Changes a domain name."""
    with call.store.lock:
        document = _read(call, domain_name)
        document["domain"] = _configured(call, {**document["domain"], **members(given)})
        _save(call, document)
    told: Document = document["domain"]
    return told


@operations.add("DeleteDomainName", writes=True)
def delete_domain_name(call: Call, *, domain_name: str) -> None:
    """Forgets a domain name with its mappings."""
    with call.store.lock:
        _read(call, domain_name)
        call.store.put(domain_key(call.account, call.region, domain_name), None)
        publish(call.store, domain_name, (call.account, call.region), "http", None)


def _mapping_of(call: Call, domain: str, id: str) -> tuple[Document, Document]:
    document = _read(call, domain)
    found = document["mappings"].get(id)
    if found is None:
        raise missing("ApiMapping", id)
    return document, found


def _check_mapping(call: Call, document: Document, mapping: Document) -> None:
    if mapping["Stage"] not in read(call, mapping["ApiId"])["stages"]:
        raise missing("Stage", mapping["Stage"])
    for other in document["mappings"].values():
        same = other.get("ApiMappingKey", "") == mapping.get("ApiMappingKey", "")
        if same and other["ApiMappingId"] != mapping["ApiMappingId"]:
            raise conflict("ApiMapping key already exists for this domain name")


@operations.add("CreateApiMapping", writes=True)
def create_api_mapping(call: Call, *, domain_name: str, **given: Any) -> Document:
    """Maps a path of a domain name to a stage."""
    with call.store.lock:
        document = _read(call, domain_name)
        mapping = {"ApiMappingId": new_id(6), "ApiMappingKey": "", **members(given)}
        _check_mapping(call, document, mapping)
        document["mappings"][mapping["ApiMappingId"]] = mapping
        _save(call, document)
    return mapping


@operations.add("GetApiMapping")
def get_api_mapping(call: Call, *, domain_name: str, api_mapping_id: str) -> Document:
    """One mapping."""
    return _mapping_of(call, domain_name, api_mapping_id)[1]


@operations.add("GetApiMappings")
def get_api_mappings(
    call: Call, *, domain_name: str, max_results: str | None = None, next_token: str | None = None
) -> Document:
    """The mappings of a domain name."""
    found = _read(call, domain_name)["mappings"].values()
    return paged(found, "ApiMappingId", max_results, next_token)


@operations.add("UpdateApiMapping", writes=True)
def update_api_mapping(
    call: Call, *, domain_name: str, api_mapping_id: str, **given: Any
) -> Document:
    """Changes a mapping."""
    with call.store.lock:
        document, mapping = _mapping_of(call, domain_name, api_mapping_id)
        mapping = {**mapping, **members(given)}
        _check_mapping(call, document, mapping)
        document["mappings"][api_mapping_id] = mapping
        _save(call, document)
    return mapping


@operations.add("DeleteApiMapping", writes=True)
def delete_api_mapping(call: Call, *, domain_name: str, api_mapping_id: str) -> None:
    """Forgets a mapping."""
    with call.store.lock:
        document, _ = _mapping_of(call, domain_name, api_mapping_id)
        del document["mappings"][api_mapping_id]
        _save(call, document)
