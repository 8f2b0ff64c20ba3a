"""The errors of Kinesis Analytics. AWS publishes its codes; the sentences are ours."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError


def invalid(message: str) -> ServiceError:
    """An argument has a value that it may not have."""
    return ServiceError("InvalidArgumentException", message)


def missing(what: str) -> ServiceError:
    """There is no such application, input, output or reference."""
    return ServiceError("ResourceNotFoundException", f"{what} was not found.")


def in_use(message: str) -> ServiceError:
    """The application exists already, or is in a state that forbids the call."""
    return ServiceError("ResourceInUseException", message)


def unsupported(message: str) -> ServiceError:
    """What was asked for does not exist for SQL applications, or is not served here."""
    return ServiceError("UnsupportedOperationException", message)


def bad_code(message: str) -> ServiceError:
    """The code of an application cannot run."""
    return ServiceError("CodeValidationException", message)


def bad_configuration(message: str) -> ServiceError:
    """An application cannot start as it is configured."""
    return ServiceError("InvalidApplicationConfigurationException", message)


def outdated(name: str, current: int, given: int) -> ServiceError:
    """The application was changed by another call."""
    return ServiceError(
        "ConcurrentModificationException",
        f"The current version of application {name} is {current}, not {given}.",
    )


def too_many_tags(most: int) -> ServiceError:
    """There are as many tags as may be."""
    return ServiceError("TooManyTagsException", f"An application has at most {most} tags.")


def no_schema(message: str, raw: list[str]) -> ServiceError:
    """No schema fits the records of a source."""
    members = {"RawInputRecords": raw, "ProcessedInputRecords": []}
    return ServiceError("UnableToDetectSchemaException", message, members=members)
