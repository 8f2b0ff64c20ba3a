"""Classes of Python for the events that a schema describes."""

from __future__ import annotations

import io
import keyword
import re
import zipfile

from trunkline.aws.schemas.writing import camel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DEFINITIONS = "#/definitions/"
_TYPES = {
    "string": "str",
    "number": "float",
    "integer": "int",
    "boolean": "bool",
    "object": "dict[str, Any]",
}
_HEAD = '''"""Generated from a schema."""

from __future__ import annotations

from trunkline._dataclasses import dataclass
from typing import Any, ClassVar
'''
_MARSHALLER = '''"""Reads events into the classes of this package, and writes them again."""

from __future__ import annotations

from typing import Any

from . import models


class Marshaller:
    """From and to the values that a JSON parser gives."""

    @classmethod
    def unmarshall(cls, data: dict[str, Any], kind: Any) -> Any:
        """An object of the class `kind`. Raises TypeError if a required member is missing."""
        given = {}
        for field, (name, spec) in kind._members.items():
            if name in data:
                given[field] = cls._read(data[name], spec)
        return kind(**given)

    @classmethod
    def _read(cls, value: Any, spec: Any) -> Any:
        if isinstance(spec, str) and isinstance(value, dict):
            return cls.unmarshall(value, getattr(models, spec))
        if isinstance(spec, list) and isinstance(value, list):
            return [cls._read(one, spec[0]) for one in value]
        return value

    @classmethod
    def marshall(cls, value: Any) -> Any:
        """What a JSON writer takes; members that are None are left out."""
        if isinstance(value, list):
            return [cls.marshall(one) for one in value]
        members = getattr(value, "_members", None)
        if members is None:
            return value
        told = {name: getattr(value, field) for field, (name, _) in members.items()}
        return {name: cls.marshall(one) for name, one in told.items() if one is not None}
'''


def archive(schema_name: str, document: dict[str, Any], root: str) -> bytes:
    """A zip with the package ``schema.SOURCE.NAME``; `document` is JSON Schema draft 4."""
    source, _, name = schema_name.rpartition("@")
    folders = ["schema", *(_identifier(part) for part in (source, name) if part)]
    package = "/".join(folders)
    models = _models(document, root)
    names = ", ".join(re.findall(r"^class (\w+)", models, re.MULTILINE))
    files = {
        f"{package}/models.py": models,
        f"{package}/marshaller.py": _MARSHALLER,
        f"{package}/__init__.py": (
            f'"""Generated from a schema."""\n\nfrom .marshaller import Marshaller\n'
            f"from .models import {names}\n"
        ),
    }
    for number in range(1, len(folders)):
        files["/".join([*folders[:number], "__init__.py"])] = ""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for path, text in sorted(files.items()):
            # One time for all, so that the same schema has the same archive.
            made.writestr(zipfile.ZipInfo(path), text)
    return buffer.getvalue()


def _identifier(text: str) -> str:
    """A name of Python: members and packages in lower case."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text)
    name = re.sub(r"\W+", "_", words, flags=re.ASCII).strip("_").lower()
    if not name or name[0].isdigit() or keyword.iskeyword(name):
        name = f"member_{name}"
    return name


def _unique(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken or keyword.iskeyword(name):
        name, number = f"{wanted}_{number}", number + 1
    taken.add(name)
    return name


def _models(document: dict[str, Any], root: str) -> str:
    taken = {"Any", "ClassVar", "Marshaller"}
    classes = {"#": _unique(camel(root), taken)}
    definitions = document.get("definitions", {})
    for name in definitions:
        classes[_DEFINITIONS + name] = _unique(camel(name), taken)
    parts = [_HEAD, _class(classes["#"], document, classes)]
    for name, schema in definitions.items():
        parts.append(_class(classes[_DEFINITIONS + name], schema, classes))
    return "\n\n".join(parts)


def _class(name: str, schema: Any, classes: dict[str, str]) -> str:
    schema = schema if isinstance(schema, dict) else {}
    required = schema.get("required", ())
    members, lines, taken = {}, [], set[str]()
    for member, kind in schema.get("properties", {}).items():
        field = _unique(_identifier(member), taken)
        spec, annotation = _kind(kind, classes)
        members[field] = (member, spec)
        optional = "" if member in required else " | None = None"
        lines.append(f"    {field}: {annotation}{optional}")
    table = f"    _members: ClassVar[dict[str, tuple[str, Any]]] = {members!r}"
    return "\n".join(["@dataclass(kw_only=True)", f"class {name}:", table, *lines, ""])


def _kind(schema: Any, classes: dict[str, str]) -> tuple[Any, str]:
    """How a member is read, and its annotation."""
    if not isinstance(schema, dict):
        return None, "Any"
    found = classes.get(str(schema.get("$ref")))
    if found is not None:
        return found, found
    for choice in ("anyOf", "allOf"):
        options = [one for one in schema.get(choice, ()) if one != {"type": "null"}]
        if len(options) == 1:
            spec, annotation = _kind(options[0], classes)
            return spec, annotation if choice == "allOf" else f"{annotation} | None"
    kind, is_null = schema.get("type"), ""
    if isinstance(kind, list):
        kinds = [one for one in kind if one != "null"]
        is_null = " | None" if "null" in kind else ""
        kind = kinds[0] if len(kinds) == 1 else None
    if kind == "array":
        spec, annotation = _kind(schema.get("items"), classes)
        return (None if spec is None else [spec]), f"list[{annotation}]{is_null}"
    told = _TYPES.get(str(kind))
    return None, "Any" if told is None else told + is_null
