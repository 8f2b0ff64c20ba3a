"""Domains: registered, deprecated, described."""

from __future__ import annotations

from trunkline.aws.limits import SWF_RETENTION_DAYS_MAX
from trunkline.aws.swf.errors import invalid
from trunkline.aws.swf.names import arn_of, check_name, domains_of, find
from trunkline.aws.swf.pages import page
from trunkline.aws.swf.registry import operations
from trunkline.aws.swf.tags import as_mapping, check_tags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline._core import WorkflowDomain
    from trunkline.aws.operation import Call


def _check_retention(text: str) -> None:
    is_number = text.isascii() and text.isdigit()
    if text != "NONE" and not (is_number and int(text) <= SWF_RETENTION_DAYS_MAX):
        raise invalid(
            f"Value '{text}' at 'workflowExecutionRetentionPeriodInDays' failed to satisfy "
            f"constraint: Member must be a number of days up to {SWF_RETENTION_DAYS_MAX}, or NONE"
        )


@operations.add("RegisterDomain")
def register_domain(
    call: Call,
    *,
    name: str,
    workflow_execution_retention_period_in_days: str,
    description: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
) -> None:
    """Registers a domain."""
    check_name(name, "name")
    _check_retention(workflow_execution_retention_period_in_days)
    given = as_mapping(tags)
    check_tags(given, name)
    domains_of(call).register(
        (call.account, call.region, name),
        description,
        workflow_execution_retention_period_in_days,
        given,
    )


@operations.add("DeprecateDomain")
def deprecate_domain(call: Call, *, name: str) -> None:
    """Lets nothing new start in a domain; what runs goes on."""
    find(call, name).deprecate()


@operations.add("UndeprecateDomain")
def undeprecate_domain(call: Call, *, name: str) -> None:
    """Lets a domain be used again."""
    find(call, name).undeprecate()


def _info(domain: WorkflowDomain) -> dict[str, Any]:
    description, _, is_deprecated, _ = domain.settings()
    info = {
        "name": domain.name[2],
        "status": "DEPRECATED" if is_deprecated else "REGISTERED",
        "arn": arn_of(domain),
    }
    return info if description is None else info | {"description": description}


@operations.add("DescribeDomain")
def describe_domain(call: Call, *, name: str) -> dict[str, Any]:
    """How a domain stands."""
    domain = find(call, name)
    days = domain.settings()[1]
    return {
        "domainInfo": _info(domain),
        "configuration": {"workflowExecutionRetentionPeriodInDays": days},
    }


@operations.add("ListDomains")
def list_domains(
    call: Call,
    *,
    registration_status: str,
    next_page_token: str | None = None,
    maximum_page_size: int | None = None,
    reverse_order: bool = False,
) -> dict[str, Any]:
    """The domains of the caller, by name."""
    infos = [_info(domain) for domain in domains_of(call).list(call.account, call.region)]
    wanted = [info for info in infos if info["status"] == registration_status]
    shown, rest = page(
        wanted,
        lambda info: [info["name"]],
        next_page_token,
        maximum_page_size,
        reverse=reverse_order,
    )
    return {"domainInfos": shown, **rest}
