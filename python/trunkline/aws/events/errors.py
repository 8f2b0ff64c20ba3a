"""The errors of EventBridge, in AWS's words."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError


def invalid(message: str) -> ServiceError:
    """A parameter has a value that it may not have."""
    return ServiceError("ValidationException", message)


def invalid_parameter(parameter: str, reason: str = "") -> ServiceError:
    """The same, with the parameter and the reason."""
    why = f" Reason: {reason}" if reason else ""
    return invalid(f"Parameter {parameter} is not valid.{why}")


def not_found(message: str) -> ServiceError:
    """A resource does not exist."""
    return ServiceError("ResourceNotFoundException", message)


def already_exists(message: str) -> ServiceError:
    """A resource of this name exists."""
    return ServiceError("ResourceAlreadyExistsException", message)


def no_such_bus(name: str) -> ServiceError:
    """No event bus has this name."""
    return not_found(f"Event bus {name} does not exist.")


def no_such_rule(name: str, bus: str) -> ServiceError:
    """No rule of the bus has this name."""
    return not_found(f"Rule {name} does not exist on EventBus {bus}.")


def over_limit() -> ServiceError:
    """There are as many as may be."""
    return ServiceError(
        "LimitExceededException", "The requested resource exceeds the maximum number allowed."
    )


def managed_rule(name: str, owner: str, remedy: str) -> ServiceError:
    """A rule of a service is to be changed by a caller that is not the service."""
    return ServiceError(
        "ManagedRuleException",
        f"The rule {name} is managed by {owner}. Only that service can change it{remedy}.",
    )
