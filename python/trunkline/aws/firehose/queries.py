"""Queries for partition keys: jq, through the library of that name, in the extra ``firehose``.

A query comes over the wire, and jq can read files, the environment and further inputs, and loop for
ever. So a query may use jq's operators and the functions below, and define none.
"""

from __future__ import annotations

import json
import re

from trunkline.aws.firehose.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
    try:
        _compiled(query)
    except ValueError as error:
        raise invalid(f"MetadataExtractionQuery is not valid: {error}") from None


def _compiled(query: str) -> Any:
    try:
        import jq
    except ImportError:
        raise invalid("Dynamic partitioning needs jq: pip install 'trunkline[firehose]'.") from None
    return jq.compile(query)


def keys_by(query: str) -> Callable[[bytes], dict[str, str]]:
    """What finds the partition keys of a record; it raises ValueError for one that has none."""
    program = _compiled(query)

    def keys(data: bytes) -> dict[str, str]:
        text = data.decode()
        if not text.strip():
            raise ValueError("the record is empty")
        found = next(iter(program.input_text(text)), None)
        if not isinstance(found, dict):
            raise ValueError("the query gives no object")
        return {name: _text(name, value) for name, value in found.items()}

    return keys


def _text(name: str, value: Any) -> str:
    if value is None or isinstance(value, dict | list) or value == "":
        raise ValueError(f"partition key {name} is {json.dumps(value)}")
    return value if isinstance(value, str) else json.dumps(value)
