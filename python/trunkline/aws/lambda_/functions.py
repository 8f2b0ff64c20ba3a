"""Functions: create, read, update, delete, list."""

from __future__ import annotations

from heapq import merge

from trunkline.aws.lambda_ import code, provisioned
from trunkline.aws.lambda_.code_signing import check_code
from trunkline.aws.lambda_.documents import (
    PREFIX,
    configuration,
    find,
    key_of,
    made,
    name_of,
    named,
    of_program,
    read,
    snapshot,
    version_of,
)
from trunkline.aws.lambda_.errors import conflict, invalid, stale, unsupported
from trunkline.aws.lambda_.listing import listed_behind
from trunkline.aws.lambda_.registry import operations
from trunkline.aws.lambda_.running import activate, definition
from trunkline.aws.lambda_.versions import publish
from trunkline.functions.names import LATEST
from trunkline.functions.registry import functions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline.aws.errors import ServiceError
    from trunkline.aws.operation import Call

_CONFIG = {
    "runtime": "Runtime",
    "role": "Role",
    "handler": "Handler",
    "description": "Description",
    "timeout": "Timeout",
    "memory_size": "MemorySize",
    "environment": "Environment",
    "dead_letter_config": "DeadLetterConfig",
    "tracing_config": "TracingConfig",
    "kms_key_arn": "KMSKeyArn",
    "layers": "Layers",
    "vpc_config": "VpcConfig",
    "architectures": "Architectures",
    "ephemeral_storage": "EphemeralStorage",
    "logging_config": "LoggingConfig",
    "package_type": "PackageType",
}

_CODE = {
    "zip_file": "ZipFile",
    "s3_bucket": "S3Bucket",
    "s3_key": "S3Key",
    "s3_object_version": "S3ObjectVersion",
    "image_uri": "ImageUri",
}


_UNBUILT = {
    "image_config": "The configuration of a container image",
    "tenancy_config": "A function with an environment for each tenant",
    "durable_config": "A durable function",
    "capacity_provider_config": "A function on a capacity provider",
    "file_system_configs": "A file system of a function",
}
_RESERVED = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}  # fmt: skip
"""Variables that are Lambda's own."""
_RUNTIMES = ("python3", "nodejs", "provided")


def _config(given: Mapping[str, Any]) -> dict[str, Any]:
    for name, what in _UNBUILT.items():
        if given.get(name):
            raise unsupported(what)
    if (given.get("snap_start") or {}).get("ApplyOn", "None") != "None":
        raise unsupported("SnapStart")
    return {_CONFIG[name]: value for name, value in given.items() if name in _CONFIG}


def _check_config(config: Mapping[str, Any]) -> None:
    if config.get("PackageType", "Zip") != "Zip":
        raise unsupported("A function of a container image")
    if not config.get("Runtime") or not config.get("Handler"):
        raise invalid(
            "Runtime and Handler are mandatory parameters for functions created with "
            "deployment packages."
        )
    if not config["Runtime"].startswith(_RUNTIMES):
        runtime = config["Runtime"]
        raise unsupported(f"The runtime {runtime}; there are python3, nodejs and provided: it")
    reserved = sorted(_RESERVED & set(config.get("Environment", {}).get("Variables", {})))
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided contains reserved keys that are currently not supported "
            f"for modification. Reserved keys used in this request: {', '.join(reserved)}"
        )
    for arn in config.get("Layers", ()):
        if len(arn.split(":")) != 8:
            raise invalid(f"Layer ARN is not valid: {arn[:140]}")


@operations.add("CreateFunction", writes=True)
def create_function(
    call: Call,
    *,
    function_name: str,
    code: Mapping[str, Any],
    publish: bool = False,
    tags: Mapping[str, str] | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Creates a function from an archive of its code."""
    wanted = named(call, function_name)
    if wanted.qualifier is not None:
        raise invalid("A function name to be created has no version.")
    config = _config(given)
    _check_config(config)
    signing = given.get("code_signing_config_arn")
    with call.store.lock:
        check_code(call, signing)
        if find(call, wanted.name) is not None:
            raise conflict(f"Function already exist: {wanted.name.name}")
        kept = _put_code(call, code)
        document = made(wanted.name, config, kept, call.store.now(), dict(tags or {}))
        document["code_signing"] = signing
        definition(call.store.core, document)
        call.store.put(key_of(wanted.name), document)
        activate(call.store, document)
        if publish:
            version, copy = _publish(call, document)
            return configuration(document, version, copy)
    told = configuration(document, LATEST, document["latest"])
    reason = {"StateReason": "The function is being created.", "StateReasonCode": "Creating"}
    return told | {"State": "Pending", **reason, "LastUpdateStatus": None}


def _put_code(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    return code.put(call, given)


def _publish(call: Call, document: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return publish(call, document, None)


@operations.add("GetFunction")
def get_function(call: Call, *, function_name: str, qualifier: str | None = None) -> dict[str, Any]:
    """A function with its tags, and where its code is."""
    wanted = named(call, function_name, qualifier)
    document = read(call, wanted)
    version, kept = version_of(document, wanted.qualifier)
    told: dict[str, Any] = {"Configuration": configuration(document, version, kept)}
    sha = kept["code"]["Sha256"]
    place = f"{call.base}/_trunkline/functions/{wanted.name.name}" if sha else call.base
    told["Code"] = {"RepositoryType": "S3", "Location": place}
    if document["tags"]:
        told["Tags"] = document["tags"]
    if document["concurrency"] is not None:
        told["Concurrency"] = {"ReservedConcurrentExecutions": document["concurrency"]}
    return told


@operations.add("GetFunctionConfiguration")
def get_function_configuration(
    call: Call, *, function_name: str, qualifier: str | None = None
) -> dict[str, Any]:
    """The configuration of a function."""
    wanted = named(call, function_name, qualifier)
    document = read(call, wanted)
    return configuration(document, *version_of(document, wanted.qualifier))


def own_document(call: Call, function_name: str) -> dict[str, Any]:
    """The document of a function whose code is kept here; that of the program's is refused."""
    document = read(call, named(call, function_name))
    if document["program"]:
        raise _of_program(document)
    return document


def _of_program(document: Mapping[str, Any]) -> ServiceError:
    return invalid(
        f"The function {document['name']} belongs to the program that runs the engine; change "
        "it there."
    )


def _check_revision(document: Mapping[str, Any], revision_id: str | None) -> None:
    if revision_id is not None and revision_id != document["latest"]["revision"]:
        raise stale()


@operations.add("UpdateFunctionCode", writes=True)
def update_function_code(
    call: Call,
    *,
    function_name: str,
    publish: bool = False,
    dry_run: bool = False,
    revision_id: str | None = None,
    architectures: Any = None,
    **given: Any,
) -> dict[str, Any]:
    """Replaces the code of a function; invocations that run go on with the old one."""
    with call.store.lock:
        document = own_document(call, function_name)
        _check_revision(document, revision_id)
        check_code(call, document.get("code_signing"))
        source = {_CODE[name]: value for name, value in given.items() if name in _CODE}
        kept = _put_code(call, source)
        config = dict(document["latest"]["config"])
        if architectures is not None:
            config["Architectures"] = architectures
        latest = snapshot(config, kept, call.store.now())
        if dry_run:
            return configuration(document, LATEST, latest)
        replaced = document["latest"]["code"]["Sha256"]
        document["latest"] = latest
        call.store.put(key_of(name_of(document)), document)
        activate(call.store, document)
        code.forget_unused(call.store, {replaced})
        if publish:
            version, copy = _publish(call, document)
            return configuration(document, version, copy)
        return configuration(document, LATEST, latest)


@operations.add("UpdateFunctionConfiguration", writes=True)
def update_function_configuration(
    call: Call, *, function_name: str, revision_id: str | None = None, **given: Any
) -> dict[str, Any]:
    """Changes what is given of a configuration."""
    with call.store.lock:
        document = own_document(call, function_name)
        _check_revision(document, revision_id)
        latest = document["latest"]
        config = {**latest["config"], **_config(given)}
        _check_config(config)
        document["latest"] = snapshot(config, latest["code"], call.store.now())
        definition(call.store.core, document)
        call.store.put(key_of(name_of(document)), document)
        activate(call.store, document)
        return configuration(document, LATEST, document["latest"])


@operations.add("DeleteFunction", writes=True)
def delete_function(call: Call, *, function_name: str, qualifier: str | None = None) -> None:
    """Removes a function, or one version of it."""
    wanted = named(call, function_name, qualifier)
    with call.store.lock:
        document = read(call, wanted)
        version = wanted.qualifier
        if version is None:
            if document["program"]:
                raise _of_program(document)
            call.store.put(key_of(wanted.name), None)
            functions_of(call.store.core).remove(wanted.name)
            code.forget_unused(call.store, code.archives_of(document))
            return
        if version == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        version_of(document, version)
        users = [
            alias["Name"]
            for alias in document["aliases"].values()
            if alias["FunctionVersion"] == version
        ]
        if users:
            raise conflict(f"Version {version} is used by the alias {users[0]}.")
        removed = document["versions"].pop(version)
        provisioned.forget(document, version)
        call.store.put(key_of(wanted.name), document)
        code.forget_unused(call.store, {removed["code"]["Sha256"]})


def _functions_behind(call: Call, after: str | None) -> Iterator[dict[str, Any]]:
    """The functions behind a name, sorted: those that are kept, and those of the program."""
    prefix = f"{PREFIX}{call.region}/{call.account}/"
    kept = (one for one in call.store.every(prefix, after=after) if not one["program"])
    running: list[dict[str, Any]] = []
    for active in functions_of(call.store.core).list():
        name = active.name
        if (name.account, name.region) == (call.account, call.region) and name.name > (after or ""):
            document = call.store.get(key_of(name))
            if document is None or document["program"]:
                running.append(document or of_program(active))
    running.sort(key=lambda one: str(one["name"]))
    return merge(kept, running, key=lambda one: str(one["name"]))


@operations.add("ListFunctions")
def list_functions(
    call: Call,
    *,
    master_region: str | None = None,
    function_version: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """The functions of the caller, those of the program included; with ALL, every version."""
    shown, next_marker = listed_behind(
        lambda after: _functions_behind(call, after), lambda one: str(one["name"]), given
    )
    told = []
    for document in shown:
        told.append(configuration(document, LATEST, document["latest"]))
        if function_version == "ALL":
            told += [configuration(document, *one) for one in document["versions"].items()]
    return {"Functions": told, "NextMarker": next_marker}
