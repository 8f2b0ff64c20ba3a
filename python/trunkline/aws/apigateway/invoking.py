"""REST APIs as a kind of the data path (see `trunkline.aws.execute_api.kinds`)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.execute_api.kinds import Apis
    from trunkline.aws.execute_api.message import ApiRequest, ApiResponse


def invoke(apis: Apis, request: ApiRequest) -> ApiResponse | None:
    """Answers a request to a REST API; None if the API is none."""
    if apis.store.raw(f"apigateway/api/{request.api}") is None:
        return None
    raise NotImplementedError("REST APIs cannot be invoked yet")
