"""The plan of an application: what each pump reads, how, and where its rows go."""

from __future__ import annotations

import json

from trunkline._dataclasses import dataclass
from trunkline.aws.kinesisanalyticsv2.errors import bad_code
from trunkline.aws.kinesisanalyticsv2.sql import schema
from trunkline.aws.kinesisanalyticsv2.sql.code import parse
from trunkline.aws.kinesisanalyticsv2.sql.dialect import translate
from trunkline.aws.kinesisanalyticsv2.sql.tokens import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline.aws.kinesisanalyticsv2.sql.code import Code, Pump
    from trunkline.aws.kinesisanalyticsv2.sql.dialect import Window

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "python_enable_replacements": "false",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One pump, ready to run."""

    name: str
    source: str
    """The in-application stream that it reads."""
    target: str
    window: Window
    schema: dict[str, Any]
    """Of its source."""
    select: str
    """The whole query over the raw rows of a window."""


def connect() -> Any:
    """A database in memory that reaches no file, no network and no variable of the program."""
    try:
        import duckdb
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise bad_code(
            "SQL applications need DuckDB and pyarrow: pip install 'trunkline[analytics]' "
            f"({error.name} is missing)."
        ) from None
    found = duckdb.connect(":memory:", config=_CONFIG)
    found.execute("SET lock_configuration = true")
    return found


def plan(
    text: str, inputs: Mapping[str, dict[str, Any]], references: Mapping[str, dict[str, Any]]
) -> tuple[Code, list[Step]]:
    """Takes the code apart and checks all of it against the schemas; raises if it cannot run."""
    code = parse(text)
    taken = next((name for name in code.streams if name in inputs or name in references), None)
    if taken is not None:
        raise bad_code(f"The stream {taken} is created, and an input or a table has its name.")
    sources = {name: schema.of_stream(columns) for name, columns in code.streams.items()}
    sources |= inputs
    with connect() as connection:
        connection.execute(
            f"CREATE TABLE {schema.RAW} (sequence VARCHAR, arrived TIMESTAMP, key VARCHAR, "
            "shard VARCHAR, data VARCHAR)"
        )
        for name, given in references.items():
            empty = schema.select(given, schema.RAW, pseudo=False)
            connection.execute(f"CREATE TABLE {quoted(name)} AS {empty}")
        steps = [_step(connection, code, pump, sources, references) for pump in code.pumps]
    _refuse_circles(steps)
    return code, steps


def _step(
    connection: Any,
    code: Code,
    pump: Pump,
    sources: Mapping[str, dict[str, Any]],
    references: Mapping[str, Any],
) -> Step:
    import duckdb

    body, window = translate(pump.select)
    try:
        tree = json.loads(connection.execute("SELECT json_serialize_sql(?)", [body]).fetchone()[0])
        if tree.get("error"):
            raise bad_code(f"The pump {pump.name}: {tree.get('error_message')}")
        source = _source(pump, tree, sources, references)
        if window.kind == "EACH":
            _refuse_aggregates(connection, pump, tree)
        select = _whole(code, pump, (source, sources[source]), body, connection)
        connection.execute(f"DESCRIBE {select}")
        if window.partition:
            connection.execute(f"DESCRIBE {keys_of(sources[source], window)}")
    except duckdb.Error as error:
        raise bad_code(f"The pump {pump.name}: {error}") from None
    return Step(pump.name, source, pump.target, window, sources[source], select)


def keys_of(source: Mapping[str, Any], window: Window) -> str:
    """A SELECT of the keys of stagger windows, one row for each raw row."""
    keys = ", ".join(window.partition)
    return f"SELECT {keys} FROM ({schema.select(source, schema.RAW)})"


def _whole(
    code: Code, pump: Pump, source: tuple[str, Mapping[str, Any]], body: str, connection: Any
) -> str:
    """The query with the names and types of the stream that the pump inserts into."""
    columns = code.streams[pump.target]
    named = pump.columns or tuple(column.name for column in columns)
    head = f"WITH {quoted(source[0])} AS ({schema.select(source[1], schema.RAW)}) "
    given = connection.execute(f"DESCRIBE {head}{body}").fetchall()
    if len(given) != len(named):
        raise bad_code(
            f"The pump {pump.name} selects {len(given)} columns, and {pump.target} takes "
            f"{len(named)}."
        )
    places = {name: f"c{place}" for place, name in enumerate(named)}
    shown = [
        f"TRY_CAST({places.get(column.name, 'NULL')} AS {column.type}) AS {quoted(column.name)}"
        for column in columns
    ]
    return f"{head}SELECT {', '.join(shown)} FROM ({body}) AS given({', '.join(places.values())})"


def _walk(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for one in tree:
            yield from _walk(one)


def _source(
    pump: Pump, tree: Any, sources: Mapping[str, Any], references: Mapping[str, Any]
) -> str:
    """The one stream that a pump reads."""
    by_name = {name.upper(): name for name in sources}
    tables = {name.upper() for name in references}
    found = []
    for node in _walk(tree):
        if node.get("type") == "TABLE_FUNCTION":
            raise bad_code(f"The pump {pump.name} reads a table function, which is not served.")
        if node.get("type") != "BASE_TABLE":
            continue
        name = node["table_name"].upper()
        if name in by_name and not node.get("schema_name"):
            found.append(by_name[name])
        elif name not in tables:
            raise bad_code(f"The pump {pump.name} reads {node['table_name']}, which is not there.")
    if len(found) != 1:
        raise bad_code(
            f"The pump {pump.name} reads {len(found)} streams. One is served, joined with tables "
            "of reference data."
        )
    return found[0]


def _refuse_aggregates(connection: Any, pump: Pump, tree: Any) -> None:
    query = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type"
    known = {row[0] for row in connection.execute(f"{query} = 'aggregate'").fetchall()}
    for node in _walk(tree):
        if node.get("class") == "FUNCTION" and node.get("function_name") in known:
            raise bad_code(
                f"The pump {pump.name} aggregates without a window: GROUP BY STEP(stream.ROWTIME "
                "BY INTERVAL '60' SECOND), FLOOR(stream.ROWTIME TO MINUTE), or WINDOWED BY STAGGER."
            )
        # An empty ORDER_MODIFIER belongs to a call of a function.
        is_order = node.get("type") == "ORDER_MODIFIER" and node.get("orders")
        if is_order or node.get("type") in ("DISTINCT_MODIFIER", "LIMIT_MODIFIER"):
            raise bad_code(
                f"The pump {pump.name} has DISTINCT, LIMIT or ORDER BY without a window."
            )


def _refuse_circles(steps: list[Step]) -> None:
    feeds = {(step.source, step.target) for step in steps}
    reached = set(feeds)
    while True:
        longer = {(a, d) for a, b in reached for c, d in feeds if b == c} - reached
        if not longer:
            break
        reached |= longer
    circle = next((a for a, b in reached if a == b), None)
    if circle is not None:
        raise bad_code(f"The stream {circle} feeds itself.")
