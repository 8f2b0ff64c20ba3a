"""The errors of Step Functions, in AWS's words."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError


def invalid(message: str) -> ServiceError:
    """A parameter has a value that it may not have."""
    return ServiceError("ValidationException", message)


def invalid_name(name: str) -> ServiceError:
    """A name is too long, or has a character that names may not have."""
    shown = name.encode("utf-8", "backslashreplace").decode()
    return ServiceError("InvalidName", f"Invalid Name: '{shown}'")


def invalid_arn(reason: str) -> ServiceError:
    """A resource name is not one, or is of another kind of resource."""
    return ServiceError("InvalidArn", f"Invalid Arn: '{reason}'")


def invalid_token(reason: str) -> ServiceError:
    """A token of a page or of a task was not made here."""
    return ServiceError("InvalidToken", f"Invalid Token: '{reason}'")


def invalid_definition(findings: str) -> ServiceError:
    """A definition does not follow the Amazon States Language."""
    text = f"Invalid State Machine Definition: '{findings}'"
    return ServiceError("InvalidDefinition", text)


def invalid_logging(reason: str) -> ServiceError:
    """A logging configuration names no log group, or several."""
    text = f"Invalid Logging Configuration: {reason}"
    return ServiceError("InvalidLoggingConfiguration", text)


def no_such_machine(arn: str) -> ServiceError:
    """No state machine, version or alias has this resource name."""
    return ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


def no_such_activity(arn: str) -> ServiceError:
    """No activity has this resource name."""
    return ServiceError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")


def no_such_execution(arn: str) -> ServiceError:
    """No execution has this resource name."""
    return ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


def no_such_resource(arn: str) -> ServiceError:
    """Neither a state machine nor an activity has this resource name."""
    return ServiceError("ResourceNotFound", f"Resource not found: '{arn}'")


def conflict(message: str) -> ServiceError:
    """The change does not fit to what is there."""
    return ServiceError("ConflictException", message)


def unsupported_type() -> ServiceError:
    """The operation is for the other type of state machine."""
    text = "This operation is not supported by this type of state machine"
    return ServiceError("StateMachineTypeNotSupported", text)
