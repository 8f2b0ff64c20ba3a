"""What may stand in which place only: locks, names of services and nouns, numbers that are limits.

Each rule has a list of the files that still break it. A list may only shrink: a file that became
clean has to leave it.
"""

from __future__ import annotations

import re

import pytest

from . import rust_modules, tree

# Crates that loom checks, or may check: their atomics and locks come from trunkline_types::sync.
# The standard library's Arc is fine where it only owns: loom's cannot hold a trait object.
CHECKED_BY_LOOM = r"core/(types|journal|timer|queue|host|engine|stream)/src/"
STANDARD_LOCKS = re.compile(r"\bstd::sync::(?:\{[^}]*)?\b(atomic|Mutex|RwLock|Condvar|OnceLock)\b")
WITH_STANDARD_LOCKS = {
    "core/types/src/sync.rs",  # hands them on
    "core/types/src/fork.rs",  # a static, which loom cannot make
}

# The services that a file may name: its own, in its folder. The tables of services name all.
SERVICE_NAMES = re.compile(r"sqs", re.IGNORECASE)
SERVICE_FOLDERS = (
    "core/wire/src/services/",
    "python/trunkline/aws/sqs/",
    # Targets of rules and schedules belong to other services.
    "python/trunkline/aws/events/",
    "python/trunkline/aws/scheduler/",
    "python/trunkline/aws/payload_pointer.py",
    "python/trunkline/aws/pipes/",
    "python/trunkline/aws/lambda_/",
    "python/trunkline/functions/source.py",
    "python/trunkline/functions/verbs.py",
    "python/trunkline/aws/targets/",
    "python/trunkline/aws/sns/",
    "python/trunkline/aws/stepfunctions/",
    # Integrations name the services that they call.
    "python/trunkline/aws/apigateway/",
    "python/trunkline/aws/apigatewayv2/",
    "python/trunkline/aws/execute_api/",
    "python/trunkline/apis/targets.py",
    # The keys of structured messages are names of services.
    "core/engine/src/topic/structure.rs",
    # The calls that a Task state may name.
    "core/states/src/integrations.rs",
)
SERVICE_TABLES = (
    "python/trunkline/aws/services.py",
    # A client of the protocol of queues, and names of variables.
    "python/trunkline/remote/",
    "python/trunkline/server/localstack.py",
)
NAMING_A_SERVICE: set[str] = set()

# AWS's limits as numbers. They stand in a table of limits, so that a raised limit holds everywhere.
LIMITS = re.compile(
    r"(?<![\w.-])(10|20|80|128|256|300|900|1_?024|3_?600|43_?200|86_?400|120_?000|262_?144"
    r"|1_?048_?576|1_?209_?600)(?![\w.])"
)
LIMITED = r"core/wire/src/services/.*\.rs|python/trunkline/aws/\w+/.*\.py"
WITH_LIMITS: set[str] = set()

# The host carries every kind of resource and names none. It has a run queue of its own, and errors
# have a message.
NOUNS = re.compile(
    r"(?<!run_)(?<!run)queue|topic|stream|bus(?:es)?\b|machine|message(?!\(\))|receipt|fifo",
    re.IGNORECASE,
)
HOST = r"core/host/src/"
NAMING_A_NOUN: set[str] = set()

RULES = {
    "std::sync": (STANDARD_LOCKS, CHECKED_BY_LOOM, (), WITH_STANDARD_LOCKS),
    "a service's name": (
        SERVICE_NAMES,
        r"core/\w+/src/|python/trunkline/",
        (*SERVICE_FOLDERS, *SERVICE_TABLES),
        NAMING_A_SERVICE,
    ),
    "a number that is a limit": (LIMITS, LIMITED, (), WITH_LIMITS),
    "a noun": (NOUNS, HOST, (), NAMING_A_NOUN),
}


def code_of(name: str) -> str:
    """What a file does: without comments, docstrings and unit tests."""
    text = (tree.ROOT / name).read_text(encoding="utf-8")
    if name.endswith(".py"):
        text = re.sub(r'""".*?"""', "", text, flags=re.DOTALL)
        return re.sub(r"#[^\n]*", "", text)
    text = rust_modules.TEST_CODE.split(text, maxsplit=1)[0]
    return re.sub(r"//[^\n]*", "", text)


def is_production(name: str) -> bool:
    """Whether a file is part of what is shipped."""
    is_test = re.search(r"(^|/)tests?(/|\.rs$)|interleavings\.rs$", name)
    return name.endswith((".rs", ".py")) and not is_test


@pytest.mark.parametrize("rule", RULES)
def test_only_the_listed_files_have(rule: str) -> None:
    pattern, where, allowed, listed = RULES[rule]
    having = {
        name
        for name in map(tree.relative, tree.files())
        if re.match(where, name)
        and not name.startswith(allowed)
        and is_production(name)
        and pattern.search(code_of(name))
    }
    assert having <= listed, f"{rule} does not belong here: {sorted(having - listed)}"
    assert having == listed, f"clean now, take it out of the list: {sorted(listed - having)}"
