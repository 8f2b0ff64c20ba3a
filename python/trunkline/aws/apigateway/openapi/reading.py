"""From the text of a definition to its parts, whichever version of OpenAPI it is written in."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
ANY_METHOD = "x-amazon-apigateway-any-method"
NODES_MAX = 200_000
"""The most values of a definition: aliases of YAML could make a short text a huge one."""
_DEPTH_MAX = 60
_REFERENCES_MAX = 16


class InvalidDefinition(Exception):
    """A text that is no definition of an API."""


def load(text: str) -> dict[str, Any]:
    """The definition in a text of JSON or YAML."""
    try:
        value = json.loads(text) if text.lstrip().startswith("{") else _yaml(text)
    except (ValueError, RecursionError):
        raise InvalidDefinition("the text is neither JSON nor YAML") from None
    if not isinstance(value, dict):
        raise InvalidDefinition("the text holds no object")
    checked: dict[str, Any] = _checked(value, _DEPTH_MAX, [NODES_MAX])
    return checked


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise InvalidDefinition("a definition in YAML needs PyYAML: pip install pyyaml") from None
    try:
        # The loader without types of its own for dates: a version stays text.
        return yaml.load(text, Loader=_loader(yaml))
    except yaml.YAMLError:
        raise ValueError("not YAML") from None


def _loader(yaml: Any) -> Any:
    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        pass

    Loader.yaml_implicit_resolvers = {
        letter: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
        for letter, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def _checked(value: Any, depth: int, left: list[int]) -> Any:
    """The value with texts as keys, in bounded size."""
    left[0] -= 1
    if depth == 0 or left[0] < 0:
        raise InvalidDefinition("the definition is nested too deeply, or too large")
    if isinstance(value, dict):
        return {str(key): _checked(item, depth - 1, left) for key, item in value.items()}
    if isinstance(value, list):
        return [_checked(item, depth - 1, left) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


class Definition:
    """A definition of an API."""

    def __init__(self, source: dict[str, Any]) -> None:
        self.source = source
        self.is_swagger: bool = str(source.get("swagger", "")).startswith("2")
        if not self.is_swagger and not str(source.get("openapi", "")).startswith("3."):
            raise InvalidDefinition("neither swagger 2.0 nor openapi 3.0 is named")
        self.info: dict[str, Any] = mapping(source.get("info"))
        self.title: str = text(self.info.get("title"))

    def resolved(self, value: Any) -> dict[str, Any]:
        """A part, or the part that its `$ref` names."""
        for _ in range(_REFERENCES_MAX):
            found = mapping(value)
            reference = found.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#/"):
                return found
            value = self.source
            for step in reference[2:].split("/"):
                value = mapping(value).get(step.replace("~1", "/").replace("~0", "~"))
        raise InvalidDefinition("references lead in a circle")

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Path, method in capital letters (or ANY) and operation."""
        for path, found in mapping(self.source.get("paths")).items():
            if path.startswith("x-"):
                continue
            item = self.resolved(found)
            shared = items(item.get("parameters"))
            for name in (*METHODS, ANY_METHOD):
                if name in item:
                    operation = dict(mapping(item[name]))
                    operation["parameters"] = [*shared, *items(operation.get("parameters"))]
                    yield path, "ANY" if name == ANY_METHOD else name.upper(), operation

    def paths(self) -> list[str]:
        """All paths."""
        named = mapping(self.source.get("paths"))
        return [path for path in named if path.startswith("/")]

    def schemas(self) -> dict[str, Any]:
        """The models."""
        if self.is_swagger:
            return mapping(self.source.get("definitions"))
        return mapping(mapping(self.source.get("components")).get("schemas"))

    def schemes(self) -> dict[str, Any]:
        """The ways of authorization, by name."""
        if self.is_swagger:
            return mapping(self.source.get("securityDefinitions"))
        return mapping(mapping(self.source.get("components")).get("securitySchemes"))

    def base_path(self) -> str:
        """The path in front of all paths; empty for none."""
        if self.is_swagger:
            return text(self.source.get("basePath")).rstrip("/")
        servers = items(self.source.get("servers"))
        if not servers:
            return ""
        server = mapping(servers[0])
        url = text(server.get("url"))
        for name, variable in mapping(server.get("variables")).items():
            url = url.replace(f"{{{name}}}", text(mapping(variable).get("default")).strip("/"))
        return urlsplit(url).path.rstrip("/")


def with_base(path: str, base: str, mode: str) -> str:
    """A path with the base path in front, as the parameter `basepath` says.

    >>> [with_base("/a", "/v1/x", mode) for mode in ("ignore", "prepend", "split")]
    ['/a', '/v1/x/a', '/x/a']
    """
    if mode == "prepend":
        front = base
    elif mode == "split":
        front = "".join(f"/{part}" for part in base.strip("/").split("/")[1:])
    else:
        front = ""
    return front + path if path != "/" or not front else front


def mapping(value: Any) -> dict[str, Any]:
    """The value, if it is an object; otherwise an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The value, if it is a list; otherwise an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """The text of a plain value, and an empty one for everything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else ""
