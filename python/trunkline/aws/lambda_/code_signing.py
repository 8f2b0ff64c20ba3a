"""Code signing configurations, and which function has one.

No archive carries a signature that could be checked here, so all code counts as untrusted: a policy
of ``Warn`` lets it in, as AWS does, and one of ``Enforce`` refuses it.
"""

from __future__ import annotations

from secrets import token_hex

from trunkline.aws.arns import partition
from trunkline.aws.errors import ServiceError
from trunkline.aws.lambda_.documents import PREFIX as FUNCTIONS
from trunkline.aws.lambda_.documents import key_of, name_of, named, read, time_text
from trunkline.aws.lambda_.errors import conflict, missing
from trunkline.aws.lambda_.listing import listed, listed_behind
from trunkline.aws.lambda_.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

_PREFIX = "lambda/code-signing/"
_USER = {"Type": "User"}


def check_code(call: Call, config_arn: str | None) -> None:
    """Refuses code for a function whose configuration enforces signatures."""
    if config_arn is None:
        return
    policies = _attachable(call, config_arn)["CodeSigningPolicies"]
    if policies["UntrustedArtifactOnDeployment"] == "Enforce":
        raise ServiceError(
            "CodeVerificationFailedException",
            "The code signature failed one or more of the validation checks for signature mismatch "
            "or expiry, and the code signing policy is set to ENFORCE. Lambda blocks the "
            "deployment.",
            400,
            _USER,
        )


@operations.add("CreateCodeSigningConfig", writes=True)
def create_code_signing_config(
    call: Call, *, allowed_publishers: dict[str, Any], **given: Any
) -> dict[str, Any]:
    """Creates a configuration; it warns unless it is said to enforce."""
    identity = f"csc-{token_hex(9)[:17]}"
    place = f"arn:{partition(call.region)}:lambda:{call.region}:{call.account}"
    config = {
        "CodeSigningConfigId": identity,
        "CodeSigningConfigArn": f"{place}:code-signing-config:{identity}",
        "Description": given.get("description", ""),
        "AllowedPublishers": allowed_publishers,
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"}
        | given.get("code_signing_policies", {}),
        "LastModified": time_text(call.store.now()),
    }
    call.store.put(_key(call, config["CodeSigningConfigArn"]), config)
    return {"CodeSigningConfig": config}


@operations.add("GetCodeSigningConfig")
def get_code_signing_config(call: Call, *, code_signing_config_arn: str) -> dict[str, Any]:
    """A configuration."""
    return {"CodeSigningConfig": _read(call, code_signing_config_arn)}


@operations.add("UpdateCodeSigningConfig", writes=True)
def update_code_signing_config(
    call: Call, *, code_signing_config_arn: str, **given: Any
) -> dict[str, Any]:
    """Changes what is given of a configuration; it counts from the next deployment on."""
    names = {
        "description": "Description",
        "allowed_publishers": "AllowedPublishers",
        "code_signing_policies": "CodeSigningPolicies",
    }
    changes = {names[name]: value for name, value in given.items() if name in names}
    with call.store.lock:
        config = _read(call, code_signing_config_arn) | changes
        config["LastModified"] = time_text(call.store.now())
        call.store.put(_key(call, code_signing_config_arn), config)
    return {"CodeSigningConfig": config}


@operations.add("DeleteCodeSigningConfig", writes=True)
def delete_code_signing_config(call: Call, *, code_signing_config_arn: str) -> dict[str, Any]:
    """Removes a configuration that no function has."""
    with call.store.lock:
        _read(call, code_signing_config_arn)
        users = _functions_of(call, code_signing_config_arn)
        if users:
            raise conflict(f"The code signing configuration is used by the function {users[0]}.")
        call.store.put(_key(call, code_signing_config_arn), None)
    return {}


@operations.add("ListCodeSigningConfigs")
def list_code_signing_configs(call: Call, **given: Any) -> dict[str, Any]:
    """The configurations of the caller."""
    prefix = f"{_PREFIX}{call.region}/{call.account}/"
    shown, next_marker = listed_behind(
        lambda after: call.store.every(prefix, after=after),
        lambda one: str(one["CodeSigningConfigId"]),
        given,
    )
    return {"CodeSigningConfigs": shown, "NextMarker": next_marker}


@operations.add("PutFunctionCodeSigningConfig", writes=True)
def put_function_code_signing_config(
    call: Call, *, code_signing_config_arn: str, function_name: str
) -> dict[str, Any]:
    """Gives a function a configuration, which counts from its next deployment on."""
    _attachable(call, code_signing_config_arn)
    return _set(call, function_name, code_signing_config_arn)


@operations.add("GetFunctionCodeSigningConfig")
def get_function_code_signing_config(call: Call, *, function_name: str) -> dict[str, Any]:
    """The configuration of a function; the answer is empty if it has none."""
    return _told(read(call, named(call, function_name)))


@operations.add("DeleteFunctionCodeSigningConfig", writes=True)
def delete_function_code_signing_config(call: Call, *, function_name: str) -> None:
    """Takes the configuration away from a function."""
    _set(call, function_name, None)


@operations.add("ListFunctionsByCodeSigningConfig")
def list_functions_by_code_signing_config(
    call: Call, *, code_signing_config_arn: str, **given: Any
) -> dict[str, Any]:
    """The functions that have a configuration."""
    _read(call, code_signing_config_arn)
    shown, next_marker = listed(_functions_of(call, code_signing_config_arn), str, given)
    return {"FunctionArns": shown, "NextMarker": next_marker}


def _key(call: Call, arn: str) -> str:
    return f"{_PREFIX}{call.region}/{call.account}/{arn.rpartition(':')[2]}"


def _read(call: Call, arn: str) -> dict[str, Any]:
    config = call.store.get(_key(call, arn))
    if config is None or config["CodeSigningConfigArn"] != arn:
        raise missing(f"The Lambda code signing configuration {arn} can not be found.")
    return config


def _attachable(call: Call, arn: str) -> dict[str, Any]:
    config = call.store.get(_key(call, arn))
    if config is None or config["CodeSigningConfigArn"] != arn:
        raise ServiceError(
            "CodeSigningConfigNotFoundException",
            "The code signing configuration cannot be found. Check that the provided code signing "
            f"configuration is not deleted: {arn}.",
            404,
            _USER,
        )
    return config


def _set(call: Call, function_name: str, arn: str | None) -> dict[str, Any]:
    wanted = named(call, function_name)
    with call.store.lock:
        document = read(call, wanted)
        document["code_signing"] = arn
        call.store.put(key_of(name_of(document)), document)
    return _told(document)


def _told(document: dict[str, Any]) -> dict[str, Any]:
    arn = document.get("code_signing")
    return {} if arn is None else {"CodeSigningConfigArn": arn, "FunctionName": document["name"]}


def _functions_of(call: Call, arn: str) -> list[str]:
    found = call.store.every(f"{FUNCTIONS}{call.region}/{call.account}/")
    return [name_of(document).arn for document in found if document.get("code_signing") == arn]
