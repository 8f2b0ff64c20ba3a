"""Pipes: each has a source, filters, an enrichment and a target, and runs or is stopped."""

from __future__ import annotations

from trunkline.aws.limits import PIPES_PAGE_MAX
from trunkline.aws.pipes.definitions import checked, members_of, updated
from trunkline.aws.pipes.documents import PREFIX, PipeName, name_of
from trunkline.aws.pipes.errors import already_exists, no_such_pipe
from trunkline.aws.pipes.registry import operations
from trunkline.aws.pipes.runner import runner_of
from trunkline.aws.pipes.tags import check_tags
from trunkline.aws.scheduler.pages import page_behind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline.aws.operation import Call

RUNNING, STOPPED = "RUNNING", "STOPPED"


def _read(call: Call, name: str) -> dict[str, Any]:
    document = call.store.get(PipeName(call.account, call.region, name).key)
    if document is None:
        raise no_such_pipe(name)
    return document


def _told(document: Mapping[str, Any], **changed: str) -> dict[str, Any]:
    """What all operations tell of a pipe."""
    return {
        "Arn": name_of(dict(document)).arn,
        "Name": document["name"],
        "DesiredState": document["desired"],
        "CurrentState": document["current"],
        "CreationTime": document["created"],
        "LastModifiedTime": document["modified"],
    } | changed


def _write(call: Call, document: Mapping[str, Any], current: str, **changed: Any) -> dict[str, Any]:
    """Keeps a pipe, and lets it run or stop; `current` is its state until that is done."""
    document = {
        **document,
        **changed,
        "current": current,
        "reason": None,
        "modified": call.store.now(),
        "revision": document.get("revision", 0) + 1,
    }
    key = name_of(document).key
    runner = runner_of(call.store)
    if document["desired"] == STOPPED and not runner.is_running(key):
        call.store.put(key, {**document, "current": STOPPED})
        return _told(document)
    call.store.put(key, document)
    if document["desired"] == RUNNING:
        runner.start(document)
    else:
        runner.stop(key)
    return _told(document)


@operations.add("CreatePipe", writes=True)
def create_pipe(
    call: Call,
    *,
    name: str,
    desired_state: str = RUNNING,
    tags: Mapping[str, str] | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Creates a pipe. It is CREATING until it reads its source."""
    pipe = PipeName(call.account, call.region, name)
    definition = checked(pipe, members_of(given))
    check_tags(tags or {})
    with call.store.lock:
        if call.store.get(pipe.key) is not None:
            raise already_exists(name)
        made = {
            "account": call.account,
            "region": call.region,
            "name": name,
            "definition": definition,
            "desired": desired_state,
            "created": call.store.now(),
            "tags": dict(tags or {}),
        }
        return _write(call, made, "CREATING")


@operations.add("UpdatePipe", writes=True)
def update_pipe(
    call: Call, *, name: str, desired_state: str | None = None, **given: Any
) -> dict[str, Any]:
    """Changes what is given of a pipe. Batches that are under way go on as they were begun."""
    with call.store.lock:
        document = _read(call, name)
        definition = checked(name_of(document), updated(document["definition"], given))
        desired = desired_state or document["desired"]
        return _write(call, document, "UPDATING", definition=definition, desired=desired)


@operations.add("StartPipe", writes=True)
def start_pipe(call: Call, *, name: str) -> dict[str, Any]:
    """Lets a pipe run; one that runs goes on."""
    with call.store.lock:
        document = _read(call, name)
        if document["current"] == RUNNING:
            return _told(document)
        return _write(call, document, "STARTING", desired=RUNNING)


@operations.add("StopPipe", writes=True)
def stop_pipe(call: Call, *, name: str) -> dict[str, Any]:
    """Stops a pipe. It is STOPPING until the batch under way is done."""
    with call.store.lock:
        document = _read(call, name)
        if document["current"] == STOPPED:
            return _told(document)
        return _write(call, document, "STOPPING", desired=STOPPED)


@operations.add("DeletePipe", writes=True)
def delete_pipe(call: Call, *, name: str) -> dict[str, Any]:
    """Removes a pipe; the messages that its target lacks stay in the source."""
    with call.store.lock:
        document = _read(call, name)
        key = name_of(document).key
        call.store.put(key, None)
        runner_of(call.store).remove(document)
    return _told(document, DesiredState="DELETED", CurrentState="DELETING")


@operations.add("DescribePipe")
def describe_pipe(call: Call, *, name: str) -> dict[str, Any]:
    """What a pipe is, and whether it runs."""
    document = _read(call, name)
    return {
        **document["definition"],
        **_told(document),
        "StateReason": document["reason"],
        "Tags": document["tags"],
    }


@operations.add("ListPipes")
def list_pipes(
    call: Call,
    *,
    name_prefix: str = "",
    desired_state: str | None = None,
    current_state: str | None = None,
    source_prefix: str = "",
    target_prefix: str = "",
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The pipes of the caller, sorted by name."""
    prefix = f"{PREFIX}{call.account}/{call.region}/"

    def behind(after: str | None) -> Iterator[dict[str, Any]]:
        for document in call.store.every(prefix, name_prefix, after):
            if (
                desired_state in (None, document["desired"])
                and current_state in (None, document["current"])
                and document["definition"]["Source"].startswith(source_prefix)
                and document["definition"]["Target"].startswith(target_prefix)
            ):
                yield document

    most = min(limit or PIPES_PAGE_MAX, PIPES_PAGE_MAX)
    shown, following = page_behind(behind, lambda one: str(one["name"]), most, next_token)
    return {"Pipes": [_summary(one) for one in shown], **following}


def _summary(document: Mapping[str, Any]) -> dict[str, Any]:
    definition = document["definition"]
    names = ("Source", "Target", "Enrichment")
    return {
        **_told(document),
        "StateReason": document["reason"],
        **{name: definition[name] for name in names if name in definition},
    }
