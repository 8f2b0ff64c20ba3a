"""Queries for partition keys: jq, through the library of that name, in the extra ``firehose``.

A query comes over the wire, and jq can read files, the environment and further inputs. So a query
may use jq's operators and the functions below, and define none. It can also take more time and
memory than there is: it is evaluated in a process of its own, which has bounds.
"""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from trunkline.aws.firehose.errors import invalid
from trunkline.aws.limits import JQ_BYTES_MAX, JQ_SECONDS, JQ_START_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_FUNCTIONS = """
and or not if then elif else end as try catch null true false reduce foreach abs add all any
ascii ascii_downcase ascii_upcase capture ceil contains date dateadd datesub del delpaths
empty endswith explode first flatten floor from_entries fromdate fromdateiso8601 fromjson
getpath gmtime gsub has implode in index indices inside isvalid join keys keys_unsorted last
leaf_paths length ltrimstr map map_values match max max_by min min_by mktime nth now objects
arrays booleans iterables nulls numbers scalars strings values path paths pick pow rindex
round rtrimstr scan select sort sort_by split splits sqrt startswith strftime strptime sub
test to_entries toarray todate todateiso8601 tojson tonumber tostring tostream transpose trim
ltrim rtrim truncate_stream trunc type unique unique_by utf8bytelength with_entries error
"""
_WORDS = frozenset(_FUNCTIONS.split())
_TOKEN = re.compile(
    r"""\s+ | \#[^\n]* | \.[A-Za-z_]\w* | \$[A-Za-z_]\w* | @[a-z0-9]+ | [A-Za-z_]\w*(?:::\w+)*
      | "(?:[^"\\]|\\[^(])*" | . """,
    re.VERBOSE | re.DOTALL,
)
_LENGTH_BYTES = 4
_REFUSED_VARIABLES = ("$ENV", "$__prog_args", "$__loc__")


def _tokens(query: str) -> Iterator[str]:
    for found in _TOKEN.finditer(query):
        if not found[0].isspace() and not found[0].startswith("#"):
            yield found[0]


def check_query(query: str) -> None:
    """Raises for a query that jq does not take, or that is not for queries of partition keys.

    >>> check_query('{customer: .customer.id, year: .at | strftime("%Y")}')
    """
    tokens = [*_tokens(query), ""]
    brackets: list[str] = []
    for place, token in enumerate(tokens[:-1]):
        if token in "([{":
            brackets.append(token)
        elif token in ")]}" and brackets:
            brackets.pop()
        is_word = token[0].isalpha() or token[0] == "_"
        # Keys of an object are no functions: {customer: .id}, {customer}.
        opens = tokens[place - 1] if place else ""
        is_key = brackets[-1:] == ["{"] and opens in ("{", ",")
        if (is_word and not is_key and token not in _WORDS) or token in _REFUSED_VARIABLES:
            raise invalid(f"MetadataExtractionQuery must not use {token} here.")
        if token == '"':
            # A text with an expression in it; its parts would be read as something else.
            raise invalid("MetadataExtractionQuery must not have \\( ) in a text. Use + instead.")
    process = QueryProcess(query)
    try:
        process.start()
    except ValueError as error:
        raise invalid(f"MetadataExtractionQuery is not valid: {error}") from None
    finally:
        process.close()


class QueryProcess:
    """Finds the partition keys of records by a query, in a process of its own with bounds."""

    def __init__(self, query: str) -> None:
        self._query = query
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the process; raises ValueError for a query that is none."""
        if find_spec("jq") is None:
            raise ValueError("dynamic partitioning needs jq: pip install 'trunkline[firehose]'")
        program = Path(__file__).with_name("jq_program.py")
        command = [sys.executable, "-P", str(program), self._query, str(JQ_BYTES_MAX)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._answer(self._process, JQ_START_SECONDS)

    def keys(self, data: bytes) -> dict[str, str]:
        """The partition keys of a record; raises ValueError for one that has none."""
        if not data.strip():
            raise ValueError("the record is empty")
        if self._process is None:
            self.start()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        try:
            process.stdin.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
            process.stdin.flush()
        except OSError:
            self.close()
            raise ValueError("the query ended") from None
        found = self._answer(process, JQ_SECONDS)
        if not isinstance(found, dict):
            raise ValueError("the query gives no object")
        return {name: _text(name, value) for name, value in found.items()}

    def _answer(self, process: subprocess.Popen[bytes], seconds: float) -> Any:
        """What the process answers; raises ValueError for an error, and ends it without answer."""
        until = time.monotonic() + seconds
        length = int.from_bytes(self._read(process, _LENGTH_BYTES, until), "big")
        told = json.loads(self._read(process, length, until))
        if "error" in told:
            raise ValueError(told["error"])
        return told["ok"]

    def _read(self, process: subprocess.Popen[bytes], count: int, until: float) -> bytes:
        assert process.stdout is not None
        whole, handle = b"", process.stdout.fileno()
        # Not `select`, which knows no descriptor above 1,023.
        readable = select.poll()
        readable.register(handle, select.POLLIN)
        while len(whole) < count:
            left = until - time.monotonic()
            is_ready = left > 0 and bool(readable.poll(left * 1_000))
            part = os.read(handle, count - len(whole)) if is_ready else b""
            if not part:
                self.close()
                raise ValueError("the query takes too much time or memory")
            whole += part
        return whole

    def close(self) -> None:
        """Ends the process; the next record starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _text(name: str, value: Any) -> str:
    if value is None or isinstance(value, dict | list) or value == "":
        raise ValueError(f"partition key {name} is {json.dumps(value)}")
    return value if isinstance(value, str) else json.dumps(value)
