"""The errors of SQS, in AWS's words."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError


def no_such_queue() -> ServiceError:
    """The queue does not exist."""
    return ServiceError("QueueDoesNotExist", "The specified queue does not exist.")


def invalid(message: str) -> ServiceError:
    """A parameter has a value that it may not have."""
    return ServiceError("InvalidParameterValue", message)


def invalid_value(value: object, parameter: str, reason: str) -> ServiceError:
    """The same, with the value and the reason."""
    return invalid(f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def missing(parameter: str) -> ServiceError:
    """A parameter that is required was not sent."""
    return ServiceError("MissingParameter", f"The request must contain the parameter {parameter}.")


def unknown_attribute(name: str) -> ServiceError:
    """No attribute has this name."""
    return ServiceError("InvalidAttributeName", f"Unknown Attribute {name}.")


def invalid_attribute(name: str) -> ServiceError:
    """An attribute has a value that it may not have."""
    return ServiceError("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def no_such_resource(parameter: str) -> ServiceError:
    """A resource that an argument names does not exist."""
    return ServiceError(
        "ResourceNotFoundException",
        f"The resource that you specified for the {parameter} parameter doesn't exist.",
        404,
    )
