"""What types of workflows and types of activities have in common."""

from __future__ import annotations

import json

from trunkline.aws.swf.names import check_name, find
from trunkline.aws.swf.pages import page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call

    TypeId = Mapping[str, str]


def _id(given: TypeId) -> tuple[str, str]:
    return given["name"], given["version"]


class Types:
    """The types of workflows, or of activities."""

    def __init__(self, *, is_workflow: bool) -> None:
        self._is_workflow = is_workflow
        self._member = "workflowType" if is_workflow else "activityType"

    def register(
        self,
        call: Call,
        domain: str,
        id: tuple[str, str],
        description: str | None,
        defaults: Mapping[str, Any],
    ) -> None:
        """Registers a type; `defaults` are members of the input, by the names of the model."""
        check_name(id[0], "name")
        check_name(id[1], "version")
        given = {name: value for name, value in defaults.items() if value not in (None, "")}
        found = find(call, domain)
        found.register_type(self._is_workflow, id, description, json.dumps(given))

    def describe(self, call: Call, domain: str, given: TypeId) -> dict[str, Any]:
        """A type with its defaults."""
        text = find(call, domain).describe_type(self._is_workflow, _id(given))
        return dict(json.loads(text))

    def deprecate(self, call: Call, domain: str, given: TypeId, *, deprecated: bool) -> None:
        """Deprecates a type, or takes that back."""
        find(call, domain).deprecate_type(self._is_workflow, _id(given), deprecated)

    def delete(self, call: Call, domain: str, given: TypeId) -> None:
        """Deletes a type that is deprecated."""
        find(call, domain).delete_type(self._is_workflow, _id(given))

    def list(
        self,
        call: Call,
        domain: str,
        name: str | None,
        status: str,
        pages: tuple[str | None, int | None, bool],
    ) -> dict[str, Any]:
        """The types of a domain, by name and version. `pages` are token, size and direction."""
        texts = find(call, domain).types(self._is_workflow, status == "DEPRECATED")
        infos = [json.loads(text) for text in texts]
        member = self._member
        wanted = [info for info in infos if not name or info[member]["name"] == name]
        token, size, reverse = pages
        shown, rest = page(
            wanted, lambda info: list(_id(info[member])), token, size, reverse=reverse
        )
        return {"typeInfos": shown, **rest}


WORKFLOWS = Types(is_workflow=True)
ACTIVITIES = Types(is_workflow=False)
