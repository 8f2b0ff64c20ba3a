"""Custom domain names, and which API lies at which of their paths."""

from __future__ import annotations

from trunkline.aws.apigateway.documents import members, new_id, paged, paged_behind, read
from trunkline.aws.apigateway.errors import bad, conflict, missing
from trunkline.aws.apigateway.patching import LISTED, Rule, check_operations, patched
from trunkline.aws.apigateway.registry import operations
from trunkline.aws.execute_api.domains import may_claim, publish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from trunkline.aws.operation import Call

NO_PATH = "(none)"
_ADDED = ("add", "replace", "remove")
RULES = {
    "/certificateName": Rule(),
    "/certificateArn": Rule(_ADDED),
    "/regionalCertificateName": Rule(),
    "/regionalCertificateArn": Rule(_ADDED),
    "/securityPolicy": Rule(),
    "/endpointConfiguration/types/*": LISTED,
}
MAPPING_RULES = {"/basePath": Rule(), "/restapiId": Rule(), "/stage": Rule(_ADDED)}


def domain_key(name: str) -> str:
    """The document of a domain name; names are unique over all accounts."""
    return f"apigateway/domain/{name.lower()}"


def _read(call: Call, name: str) -> dict[str, Any]:
    found = call.store.get(domain_key(name))
    if found is None or (found["account"], found["region"]) != (call.account, call.region):
        raise missing("Invalid domain name identifier specified")
    return found


def _save(call: Call, domain: dict[str, Any]) -> None:
    """Keeps a domain name, and what requests need of it."""
    name = domain["members"]["domainName"]
    call.store.put(domain_key(name), domain)
    mappings = [
        ("" if path == NO_PATH else path, mapping["restApiId"], mapping.get("stage"))
        for path, mapping in domain["mappings"].items()
    ]
    publish(call.store, name, (call.account, call.region), "rest", mappings)


def _shown(domain: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = domain["members"]
    return told


@operations.add("CreateDomainName", writes=True)
def create_domain_name(call: Call, *, domain_name: str, **given: Any) -> dict[str, Any]:
    """Claims a domain name for APIs."""
    if not domain_name or "/" in domain_name or "." not in domain_name:
        raise bad("Invalid domain name specified")
    with call.store.lock:
        is_taken = call.store.get(domain_key(domain_name)) is not None
        if is_taken or not may_claim(call.store, domain_name, (call.account, call.region)):
            raise conflict("The domain name you provided already exists.")
        target = f"{new_id()}.execute-api.{call.region}.amazonaws.com"
        told = {
            "domainName": domain_name,
            "domainNameStatus": "AVAILABLE",
            "securityPolicy": "TLS_1_2",
            "endpointConfiguration": {"types": ["EDGE"]},
            **members(given),
        }
        is_edge = told["endpointConfiguration"].get("types") == ["EDGE"]
        told["distributionDomainName" if is_edge else "regionalDomainName"] = target
        domain = {
            "account": call.account,
            "region": call.region,
            "members": told,
            "mappings": {},
        }
        _save(call, domain)
    return told


@operations.add("GetDomainName")
def get_domain_name(
    call: Call, *, domain_name: str, domain_name_id: str | None = None
) -> dict[str, Any]:
    """One domain name."""
    return _shown(_read(call, domain_name))


@operations.add("GetDomainNames")
def get_domain_names(
    call: Call,
    *,
    position: str | None = None,
    limit: int | None = None,
    resource_owner: str | None = None,
) -> dict[str, Any]:
    """The domain names of the caller."""

    def behind(after: str | None) -> Iterator[dict[str, Any]]:
        for domain in call.store.every(domain_key(""), after=after):
            if (domain["account"], domain["region"]) == (call.account, call.region):
                yield _shown(domain)

    return paged_behind(behind, lambda one: str(one["domainName"]).lower(), limit, position)


@operations.add("UpdateDomainName", writes=True)
def update_domain_name(
    call: Call,
    *,
    domain_name: str,
    domain_name_id: str | None = None,
    patch_operations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Patches a domain name."""
    check_operations("updateDomainName", patch_operations)
    with call.store.lock:
        domain = _read(call, domain_name)
        domain["members"] = patched(domain["members"], patch_operations, RULES)
        _save(call, domain)
    return _shown(domain)


@operations.add("DeleteDomainName", writes=True)
def delete_domain_name(call: Call, *, domain_name: str, domain_name_id: str | None = None) -> None:
    """Gives a domain name back."""
    with call.store.lock:
        _read(call, domain_name)
        call.store.put(domain_key(domain_name), None)
        publish(call.store, domain_name, (call.account, call.region), "rest", None)


def _mapping_of(call: Call, domain: str, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    document = _read(call, domain)
    found = document["mappings"].get(path)
    if found is None:
        raise missing("Invalid base path mapping identifier specified")
    return document, found


def _check_mapping(call: Call, mapping: dict[str, Any]) -> None:
    document = read(call, mapping["restApiId"])
    if mapping.get("stage") and mapping["stage"] not in document["stages"]:
        raise bad("Invalid stage identifier specified")


@operations.add("CreateBasePathMapping", writes=True)
def create_base_path_mapping(
    call: Call,
    *,
    domain_name: str,
    rest_api_id: str,
    domain_name_id: str | None = None,
    base_path: str | None = None,
    stage: str | None = None,
) -> dict[str, Any]:
    """Lets a path of a domain name reach an API."""
    with call.store.lock:
        domain = _read(call, domain_name)
        path = base_path or NO_PATH
        if path in domain["mappings"]:
            raise conflict("Base path already exists for this domain name")
        mapping = {
            "basePath": path,
            "restApiId": rest_api_id,
            **members({"stage": stage}),
        }
        _check_mapping(call, mapping)
        domain["mappings"][path] = mapping
        _save(call, domain)
    return mapping


@operations.add("GetBasePathMapping")
def get_base_path_mapping(
    call: Call, *, domain_name: str, base_path: str, domain_name_id: str | None = None
) -> dict[str, Any]:
    """One mapping."""
    return _mapping_of(call, domain_name, base_path)[1]


@operations.add("GetBasePathMappings")
def get_base_path_mappings(
    call: Call,
    *,
    domain_name: str,
    domain_name_id: str | None = None,
    position: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The mappings of a domain name."""
    return paged(_read(call, domain_name)["mappings"].values(), limit, position)


@operations.add("UpdateBasePathMapping", writes=True)
def update_base_path_mapping(
    call: Call,
    *,
    domain_name: str,
    base_path: str,
    domain_name_id: str | None = None,
    patch_operations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Patches a mapping."""
    check_operations("updateBasePathMapping", patch_operations)
    with call.store.lock:
        domain, mapping = _mapping_of(call, domain_name, base_path)
        changed = patched(mapping, patch_operations, MAPPING_RULES)
        changed["restApiId"] = changed.pop("restapiId", changed["restApiId"])
        changed.setdefault("basePath", NO_PATH)
        if changed["basePath"] != base_path and changed["basePath"] in domain["mappings"]:
            raise conflict("Base path already exists for this domain name")
        _check_mapping(call, changed)
        del domain["mappings"][base_path]
        domain["mappings"][changed["basePath"]] = changed
        _save(call, domain)
    return changed


@operations.add("DeleteBasePathMapping", writes=True)
def delete_base_path_mapping(
    call: Call, *, domain_name: str, base_path: str, domain_name_id: str | None = None
) -> None:
    """Deletes a mapping."""
    with call.store.lock:
        domain, _ = _mapping_of(call, domain_name, base_path)
        del domain["mappings"][base_path]
        _save(call, domain)
