"""Functions with code of their own, as they run: each document becomes a function."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError
from trunkline.aws.lambda_ import code
from trunkline.aws.lambda_.documents import PREFIX, key_of, name_of, version_called
from trunkline.aws.lambda_.errors import invalid
from trunkline.functions.definition import MEMORY_MB_DEFAULT, Definition, Policy
from trunkline.functions.names import LATEST, FunctionName, read_arn
from trunkline.functions.process.runtime import ProcessRuntime
from trunkline.functions.registry import destination_id, functions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.store import Store
    from trunkline.functions.process.environment import Code


def resume(store: Store) -> None:
    """Lets functions be called that an earlier opening left."""
    for document in list(store.every(PREFIX)):
        if not document["program"]:
            activate(store, document)


def activate(store: Store, document: dict[str, Any], *, is_new_code: bool = True) -> None:
    """Lets a function be called as its document says."""
    functions = functions_of(store.core)
    name = name_of(document)
    active = functions.find(name)
    given = definition(store.core, document)
    if document["program"]:
        if active is not None:
            kept = active.definition
            functions.put(
                name,
                Definition(
                    kept.timeout,
                    given.concurrency,
                    kept.memory,
                    kept.logs,
                    given.policy if document["invoke"] else kept.policy,
                    given.policies,
                ),
                active.runtime,
            )
        return
    if active is not None and not is_new_code and isinstance(active.runtime, ProcessRuntime):
        functions.put(name, given, active.runtime)
        return
    functions.put(name, given, ProcessRuntime(functions.threads, _KeptCode(store, name)))


class _KeptCode:
    """The versions of one function, as its document has them."""

    def __init__(self, store: Store, name: FunctionName) -> None:
        self._store = store
        self._key = key_of(name)

    def version_of(self, qualifier: str | None) -> str | None:
        """The version that a version or an alias stands for; None if there is none."""
        document = self._store.get(self._key)
        if document is None:
            return None
        try:
            return version_called(document, qualifier)
        except ServiceError:
            return None

    def unpack(self, version: str, folder: Path) -> Code:
        """Puts the code of a version into a folder, when it is first called."""
        document = self._store.get(self._key)
        if document is None:
            raise OSError("the function was removed")
        kept = document["latest"] if version == LATEST else document["versions"].get(version)
        if kept is None:
            raise OSError(f"the version {version} was removed")
        return code.process_code(self._store, kept, folder)


def definition(core: CoreEngine, document: dict[str, Any]) -> Definition:
    """What the engine is told of a function."""
    config = document["latest"]["config"]
    dead_letter = target_of(core, config.get("DeadLetterConfig", {}).get("TargetArn"))
    policies = {
        qualifier: _policy(core, given, dead_letter)
        for qualifier, given in document["invoke"].items()
    }
    logging_config = config.get("LoggingConfig", {})
    return Definition(
        timeout=config.get("Timeout", 3) * 1_000,
        concurrency=document["concurrency"],
        memory=config.get("MemorySize", MEMORY_MB_DEFAULT),
        logs=True,
        policy=policies.pop(LATEST, Policy(dead_letter=dead_letter)),
        policies=policies,
        log_group=logging_config.get("LogGroup"),
        logs_json=logging_config.get("LogFormat") == "JSON",
    )


def _policy(core: CoreEngine, given: dict[str, Any], dead_letter: int | None) -> Policy:
    destinations = given.get("DestinationConfig", {})
    ids = {
        end: target_of(core, destinations.get(end, {}).get("Destination"))
        for end in ("OnSuccess", "OnFailure")
    }
    return Policy(
        retries=given.get("MaximumRetryAttempts", 2),
        max_age=given.get("MaximumEventAgeInSeconds", 21_600) * 1_000,
        on_success=ids["OnSuccess"],
        on_failure=ids["OnFailure"],
        dead_letter=dead_letter,
    )


def target_of(core: CoreEngine, arn: str | None) -> int | None:
    """The id of a queue, a topic, a bus or a function, by its ARN; None for one that is not there.

    Raises for what cannot be a target.
    """
    if not arn:
        return None
    parts = arn.split(":", 5)
    if len(parts) != 6:
        raise invalid(f"The provided destination config ARN is not valid: {arn[:140]}")
    _, _, service, region, account, resource = parts
    found: Any = None
    if service == "sqs":
        found = core.find_queue((account, region, resource))
    elif service == "sns":
        found = core.topic((account, region, resource), False, None, None)
    elif service == "events":
        found = core.bus((account, region, resource.removeprefix("event-bus/")), False)
    elif service == "lambda" and read_arn(arn) is not None:
        return destination_id(core, arn)
    else:
        raise invalid(
            f"Destinations of {service} are not served here. There are: sqs, sns, events, lambda."
        )
    return None if found is None else int(found.id)
