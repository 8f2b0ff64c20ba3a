"""The operation that writes what a stage serves as a definition."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from trunkline.aws.apigateway.documents import deployment_key, read
from trunkline.aws.apigateway.errors import bad, missing
from trunkline.aws.apigateway.openapi.exporting import Export
from trunkline.aws.apigateway.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

_TYPES = ("oas30", "swagger")
_JSON = "application/json"


@operations.add("GetExport")
def get_export(
    call: Call,
    *,
    rest_api_id: str,
    stage_name: str,
    export_type: str,
    parameters: dict[str, str] | None = None,
    accepts: str = _JSON,
) -> dict[str, Any]:
    """A definition in OpenAPI 3.0 or Swagger 2.0."""
    if export_type not in _TYPES:
        raise bad(f"No API exporter for type '{export_type}'")
    if accepts not in (_JSON, "application/yaml"):
        raise bad(f"Invalid content type '{accepts}': use {_JSON} or application/yaml")
    document = read(call, rest_api_id)
    stage = document["stages"].get(stage_name)
    if stage is None:
        raise missing("Invalid stage identifier specified")
    snapshot = call.store.get(deployment_key(rest_api_id, stage["deploymentId"])) or document
    extensions = {
        name.strip() for name in (parameters or {}).get("extensions", "").split(",") if name
    }
    export = Export(
        {**snapshot, "rest": document["rest"]},
        is_swagger=export_type == "swagger",
        extensions=extensions,
    )
    created = datetime.fromtimestamp(float(document["rest"]["createdDate"]), UTC)
    version = document["rest"].get("version") or f"{created:%Y-%m-%dT%H:%M:%SZ}"
    host = f"{rest_api_id}.execute-api.{call.region}.amazonaws.com"
    told = export.definition(host, stage_name, version)
    text, suffix = _written(told, accepts)
    return {
        "contentType": "application/octet-stream",
        "contentDisposition": f'attachment; filename="{export_type}_{version}.{suffix}"',
        "body": text.encode(),
    }


def _written(told: dict[str, Any], accepts: str) -> tuple[str, str]:
    if accepts == _JSON:
        return json.dumps(told, indent=2, ensure_ascii=False), "json"
    try:
        import yaml
    except ImportError:
        raise bad("An export in YAML needs PyYAML on the server: pip install pyyaml") from None
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True), "yaml"
