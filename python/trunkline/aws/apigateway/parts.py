"""What authorizers, models and request validators have in common: they lie in the document of an
API, and are told, listed, patched and deleted in the same way.
"""

from __future__ import annotations

from trunkline._dataclasses import dataclass
from trunkline.aws.apigateway.documents import paged, read, read_or, save
from trunkline.aws.apigateway.patching import check_operations, patched
from trunkline.aws.apigateway.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from trunkline.aws.apigateway.patching import Rule
    from trunkline.aws.errors import ServiceError
    from trunkline.aws.operation import Call

    Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A kind of part, by the word that its operations have in their names."""

    noun: str
    place: str
    """Where the document of an API has them."""
    argument: str
    """The argument that names one."""
    absent: Callable[[str], ServiceError]
    """The error for one that is not there, by its name."""
    rules: Mapping[str, Rule]
    check: Callable[[Document], None] = lambda part: None
    """Refuses what one cannot be."""
    check_unused: Callable[[Document, str], None] = lambda document, name: None
    """Refuses the deletion of one that an API needs."""

    def find(self, call: Call, api: str, name: str) -> tuple[Document, Document]:
        """An API and one of its parts."""
        document = read_or(call, api, lambda: self.absent(name))
        found = document[self.place].get(name)
        if found is None:
            raise self.absent(name)
        return document, found


def register(part: Part) -> None:
    """Registers the operations on parts of this kind; each kind creates its own."""

    @operations.add(f"Get{part.noun}")
    def get(call: Call, *, rest_api_id: str, **given: Any) -> Document:
        return part.find(call, rest_api_id, given[part.argument])[1]

    @operations.add(f"Get{part.noun}s")
    def get_all(
        call: Call, *, rest_api_id: str, limit: int | None = None, position: str | None = None
    ) -> Document:
        return paged(read(call, rest_api_id)[part.place].values(), limit, position)

    @operations.add(f"Update{part.noun}", writes=True)
    def update(
        call: Call,
        *,
        rest_api_id: str,
        patch_operations: Sequence[Document] = (),
        **given: Any,
    ) -> Document:
        check_operations(f"update{part.noun}", patch_operations)
        name = given[part.argument]
        with call.store.lock:
            document, found = part.find(call, rest_api_id, name)
            changed = patched(found, patch_operations, part.rules)
            part.check(changed)
            document[part.place][name] = changed
            save(call, document)
        return changed

    @operations.add(f"Delete{part.noun}", writes=True)
    def delete(call: Call, *, rest_api_id: str, **given: Any) -> None:
        name = given[part.argument]
        with call.store.lock:
            document, _ = part.find(call, rest_api_id, name)
            part.check_unused(document, name)
            del document[part.place][name]
            save(call, document)
