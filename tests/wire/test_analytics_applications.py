"""SQL applications of Kinesis Analytics: control plane, pumps, windows, restarts."""

from __future__ import annotations

import json
import time

import pytest
from refusals import refused

import trunkline
from trunkline.aws.kinesisanalyticsv2.running.runner import runner_of
from trunkline.aws.store import Store

pytest.importorskip("boto3")
pytest.importorskip("duckdb")

ROLE = "arn:aws:iam::000000000000:role/r"
OUT = "DESTINATION_SQL_STREAM"
SCHEMA = {
    "RecordFormat": {
        "RecordFormatType": "JSON",
        "MappingParameters": {"JSONMappingParameters": {"RecordRowPath": "$"}},
    },
    "RecordEncoding": "UTF-8",
    "RecordColumns": [
        {"Name": "TICKER", "Mapping": "$.ticker", "SqlType": "VARCHAR(4)"},
        {"Name": "PRICE", "Mapping": "$.trade.price", "SqlType": "DOUBLE"},
    ],
}
COUNT = """
    CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (ticker VARCHAR(4), trades INTEGER);
    CREATE OR REPLACE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
    SELECT STREAM ticker, COUNT(*) AS trades FROM "SOURCE_SQL_STREAM_001"
    GROUP BY ticker, STEP("SOURCE_SQL_STREAM_001".ROWTIME BY INTERVAL '60' SECOND);
"""
FILTER = """
    CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (ticker VARCHAR(4), price DOUBLE);
    CREATE OR REPLACE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
    SELECT STREAM * FROM "SOURCE_SQL_STREAM_001" WHERE price > 10;
"""


def arn(stream):
    return f"arn:aws:kinesis:us-east-1:000000000000:stream/{stream}"


def trade(ticker, price):
    return json.dumps({"ticker": ticker, "trade": {"price": price}})


def an_input(**given):
    one = {"NamePrefix": "SOURCE_SQL_STREAM", "KinesisStreamsInput": {"ResourceARN": arn("trades")}}
    return {**one, "InputSchema": SCHEMA, **given}


def an_output(name=OUT, format="JSON", stream="results"):
    to = {"KinesisStreamsOutput": {"ResourceARN": arn(stream)}}
    return {"Name": name, **to, "DestinationSchema": {"RecordFormatType": format}}


@pytest.fixture
def analytics(engine, connect):
    engine.stream("trades")
    engine.stream("results")
    return connect("kinesisanalyticsv2")


def create(analytics, code=COUNT, *, outputs=None, name="counts", references=(), **given):
    sql = {
        "Inputs": [an_input()],
        "Outputs": [an_output()] if outputs is None else outputs,
        "ReferenceDataSources": list(references),
    }
    text = {"CodeContentType": "PLAINTEXT", "CodeContent": {"TextContent": code}}
    answer = analytics.create_application(
        ApplicationName=name,
        RuntimeEnvironment="SQL-1_0",
        ServiceExecutionRole=ROLE,
        ApplicationConfiguration={
            "SqlApplicationConfiguration": sql,
            "ApplicationCodeConfiguration": text,
        },
        **given,
    )
    return answer["ApplicationDetail"]


def start(analytics, position="TRIM_HORIZON", name="counts"):
    told = describe(analytics, name)["ApplicationConfigurationDescription"]
    [one] = told["SqlApplicationConfigurationDescription"]["InputDescriptions"]
    where = {"InputStartingPosition": position}
    run = {"InputId": one["InputId"], "InputStartingPositionConfiguration": where}
    analytics.start_application(
        ApplicationName=name, RunConfiguration={"SqlRunConfigurations": [run]}
    )


def describe(analytics, name="counts"):
    return analytics.describe_application(ApplicationName=name)["ApplicationDetail"]


def work_off(engine, name="counts"):
    key = f"kinesisanalytics/000000000000/us-east-1/{name}"
    runner_of(Store(engine._core)).work_off(key)


def put(engine, *texts, stream="trades"):
    engine.stream(stream).put_batch([("k", text) for text in texts])


def results(engine, stream="results"):
    return [record.text() for record in engine.stream(stream).read()]


def rows(engine):
    return [json.loads(text) for text in results(engine)]


def test_an_application_is_described_as_it_was_made(analytics):
    made = create(analytics, Tags=[{"Key": "team", "Value": "a"}])
    assert made == describe(analytics)
    assert (made["ApplicationStatus"], made["ApplicationVersionId"]) == ("READY", 1)
    assert made["ApplicationARN"].endswith(":application/counts")
    told = made["ApplicationConfigurationDescription"]
    assert told["ApplicationCodeConfigurationDescription"]["CodeContentDescription"][
        "TextContent"
    ] == (COUNT)
    sql = told["SqlApplicationConfigurationDescription"]
    [given] = sql["InputDescriptions"]
    assert given["InAppStreamNames"] == ["SOURCE_SQL_STREAM_001"]
    assert given["InputSchema"] == SCHEMA
    [output] = sql["OutputDescriptions"]
    assert output["KinesisStreamsOutputDescription"]["ResourceARN"] == arn("results")
    tags = analytics.list_tags_for_resource(ResourceARN=made["ApplicationARN"])["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]


def test_a_tumbling_window_is_counted_when_its_minute_is_over(clock, engine, analytics):
    create(analytics)
    put(engine, trade("AAA", 1), trade("BBB", 1), trade("AAA", 2), "no JSON")
    start(analytics)
    assert describe(analytics)["ApplicationStatus"] == "RUNNING"
    work_off(engine)
    assert rows(engine) == []
    clock.advance(60)
    put(engine, trade("AAA", 3))
    work_off(engine)
    found = sorted(rows(engine), key=lambda row: row["TICKER"])
    assert found == [{"TICKER": "AAA", "TRADES": 2}, {"TICKER": "BBB", "TRADES": 1}]
    clock.advance(60)
    work_off(engine)
    assert rows(engine)[2:] == [{"TICKER": "AAA", "TRADES": 1}]


def test_rows_pass_a_filter_as_they_come_and_leave_as_csv(clock, engine, analytics):
    create(analytics, FILTER, outputs=[an_output(format="CSV")])
    put(engine, trade("AAA", 10), trade("BBB", 10.5), trade("CCC", "dear"), trade("DDD", 12))
    start(analytics)
    work_off(engine)
    assert results(engine) == ["BBB,10.5\n", "DDD,12.0\n"]


def test_a_stagger_window_begins_with_the_first_row_of_its_key(clock, engine, analytics):
    code = COUNT[: COUNT.index("GROUP BY")] + (
        "WINDOWED BY STAGGER (PARTITION BY ticker RANGE INTERVAL '1' MINUTE);"
    )
    create(analytics, code)
    start(analytics)
    clock.advance(30)
    put(engine, trade("AAA", 1))
    clock.advance(40)
    put(engine, trade("AAA", 1), trade("BBB", 1))
    work_off(engine)
    assert rows(engine) == []
    clock.advance(20)
    work_off(engine)
    # A minute of the clock's beginning went by long ago; AAA's own minute ends now.
    assert rows(engine) == [{"TICKER": "AAA", "TRADES": 2}]
    clock.advance(40)
    work_off(engine)
    assert rows(engine)[1:] == [{"TICKER": "BBB", "TRADES": 1}]


def test_pumps_are_chained_by_streams_within(clock, engine, analytics):
    code = """
        CREATE STREAM dear (ticker VARCHAR(4), price DOUBLE);
        CREATE PUMP p AS INSERT INTO dear
            SELECT STREAM ticker, price FROM source_sql_stream_001 WHERE price >= 10;
        CREATE STREAM destination_sql_stream (ticker VARCHAR(4), most DOUBLE);
        CREATE PUMP q AS INSERT INTO destination_sql_stream
            SELECT STREAM ticker, MAX(price) FROM dear GROUP BY ticker,
            FLOOR(dear.ROWTIME TO MINUTE);
    """
    create(analytics, code)
    put(engine, trade("AAA", 10), trade("AAA", 20), trade("BBB", 5))
    start(analytics)
    work_off(engine)
    clock.advance(61)
    work_off(engine)
    assert rows(engine) == [{"TICKER": "AAA", "MOST": 20.0}]


def test_reference_data_of_a_bucket_is_joined(clock, engine, analytics):
    engine.bucket("lake").put("companies.csv", "AAA,Anvils\nBBB,Bricks\n")
    columns = [{"Name": name, "SqlType": "VARCHAR(16)"} for name in ("TICKER", "COMPANY")]
    reference = {
        "TableName": "COMPANIES",
        "S3ReferenceDataSource": {"BucketARN": "arn:aws:s3:::lake", "FileKey": "companies.csv"},
        "ReferenceSchema": {
            "RecordFormat": {
                "RecordFormatType": "CSV",
                "MappingParameters": {
                    "CSVMappingParameters": {
                        "RecordRowDelimiter": "\n",
                        "RecordColumnDelimiter": ",",
                    }
                },
            },
            "RecordColumns": columns,
        },
    }
    code = """
        CREATE STREAM destination_sql_stream (company VARCHAR(16), price DOUBLE);
        CREATE PUMP p AS INSERT INTO destination_sql_stream SELECT STREAM c.company, s.price
        FROM source_sql_stream_001 AS s JOIN companies AS c ON s.ticker = c.ticker;
    """
    create(analytics, code, references=[reference])
    put(engine, trade("BBB", 1), trade("CCC", 2), trade("AAA", 3))
    start(analytics)
    work_off(engine)
    assert [row["COMPANY"] for row in rows(engine)] == ["Bricks", "Anvils"]


def test_a_stopped_application_goes_on_at_its_last_point(clock, engine, analytics):
    create(analytics, FILTER)
    put(engine, trade("AAA", 11))
    start(analytics)
    work_off(engine)
    analytics.stop_application(ApplicationName="counts")
    assert describe(analytics)["ApplicationStatus"] == "READY"
    put(engine, trade("BBB", 12))
    start(analytics, "LAST_STOPPED_POINT")
    work_off(engine)
    assert [row["TICKER"] for row in rows(engine)] == ["AAA", "BBB"]
    analytics.stop_application(ApplicationName="counts")
    start(analytics)
    work_off(engine)
    assert [row["TICKER"] for row in rows(engine)] == ["AAA", "BBB", "AAA", "BBB"]
    analytics.stop_application(ApplicationName="counts")
    start(analytics, "NOW")
    work_off(engine)
    put(engine, trade("CCC", 13))
    work_off(engine)
    assert [row["TICKER"] for row in rows(engine)][4:] == ["CCC"]


def test_an_update_changes_what_runs(clock, engine, analytics):
    create(analytics, FILTER)
    start(analytics)
    put(engine, trade("AAA", 11))
    work_off(engine)
    text = {"TextContentUpdate": FILTER.replace("> 10", "> 20")}
    code = {"ApplicationCodeConfigurationUpdate": {"CodeContentUpdate": text}}
    told = analytics.update_application(
        ApplicationName="counts",
        CurrentApplicationVersionId=1,
        ApplicationConfigurationUpdate=code,
    )["ApplicationDetail"]
    assert told["ApplicationVersionId"] == 2
    put(engine, trade("BBB", 12), trade("CCC", 22))
    work_off(engine)
    assert [row["TICKER"] for row in rows(engine)] == ["AAA", "CCC"]


def test_parts_are_added_and_removed_by_version(engine, analytics):
    analytics.create_application(
        ApplicationName="counts", RuntimeEnvironment="SQL-1_0", ServiceExecutionRole=ROLE
    )
    version = {"ApplicationName": "counts", "CurrentApplicationVersionId": 1}
    answer = analytics.add_application_input(**version, Input=an_input())
    assert answer["ApplicationVersionId"] == 2
    code, message = refused(analytics.add_application_output, **version, Output=an_output())
    assert code == "ConcurrentModificationException"
    assert message == "The current version of application counts is 2, not 1."
    version["CurrentApplicationVersionId"] = 2
    answer = analytics.add_application_output(**version, Output=an_output())
    [output] = answer["OutputDescriptions"]
    version["CurrentApplicationVersionId"] = 3
    analytics.delete_application_output(**version, OutputId=output["OutputId"])
    told = describe(analytics)["ApplicationConfigurationDescription"]
    sql = told["SqlApplicationConfigurationDescription"]
    assert (len(sql["InputDescriptions"]), sql["OutputDescriptions"]) == (1, [])
    code, _ = refused(analytics.start_application, ApplicationName="counts", RunConfiguration={})
    assert code == "InvalidApplicationConfigurationException"


def test_applications_are_listed_and_deleted(analytics):
    for name in ("c", "a", "b"):
        create(analytics, name=name)
    page = analytics.list_applications(Limit=2)
    assert [one["ApplicationName"] for one in page["ApplicationSummaries"]] == ["a", "b"]
    page = analytics.list_applications(NextToken=page["NextToken"])
    assert [one["ApplicationName"] for one in page["ApplicationSummaries"]] == ["c"]
    created = describe(analytics, "b")["CreateTimestamp"]
    analytics.delete_application(ApplicationName="b", CreateTimestamp=created)
    code, _ = refused(analytics.describe_application, ApplicationName="b")
    assert code == "ResourceNotFoundException"
    assert refused(create, analytics, name="a")[0] == "ResourceInUseException"


@pytest.mark.parametrize(
    ("select", "reason"),
    [
        ("SELECT STREAM ticker, COUNT(*) FROM source_sql_stream_001", "aggregates without"),
        ("SELECT STREAM ticker, 1 FROM source_sql_stream_001 GROUP BY ticker", "needs a window"),
        ("SELECT STREAM ticker FROM source_sql_stream_001", "selects 1 columns"),
        ("SELECT STREAM nope, 1 FROM source_sql_stream_001", "nope"),
        ("SELECT STREAM ticker, 1 FROM other", "OTHER"),
        ("SELECT STREAM ticker, 1 FROM read_csv('/etc/hostname')", "table function"),
        ("SELECT STREAM ticker, 1 FROM '/etc/hostname'", "hostname"),
        ("SELECT STREAM ticker, SUM(price) OVER w FROM source_sql_stream_001", "Sliding"),
        ("SELECT STREAM a.ticker, 1 FROM source_sql_stream_001 a, source_sql_stream_001 b", "2"),
        ("SELECT STREAM ticker, 1 FROM (SELECT * FROM source_sql_stream_001)", "chain"),
        ("SELECT STREAM DISTINCT ticker, 1 FROM source_sql_stream_001", "DISTINCT"),
        ("SELECT ticker, 1 FROM source_sql_stream_001", "SELECT STREAM"),
    ],
)
def test_code_that_is_not_served_is_refused(analytics, select, reason):
    head = COUNT[: COUNT.index("SELECT STREAM")]
    code, message = refused(create, analytics, head + select)
    assert code == "CodeValidationException"
    assert reason.upper() in message.upper()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("DROP TABLE t;", "CREATE [OR REPLACE] STREAM"),
        ("COPY t TO '/tmp/t';", "is not served"),
        ("CREATE STREAM s (a BLOB);", "The type BLOB"),
        ("CREATE STREAM s (a INT, a INT);", "two columns"),
        ("CREATE STREAM s (a INT", "not closed"),
        ("CREATE PUMP p AS INSERT INTO s SELECT STREAM 1;", "no stream"),
    ],
)
def test_statements_that_are_not_served_are_refused(analytics, code, reason):
    found, message = refused(create, analytics, code)
    assert found == "CodeValidationException"
    assert reason in message


def test_flink_and_snapshots_are_refused(analytics):
    code, _ = refused(
        analytics.create_application,
        ApplicationName="a",
        RuntimeEnvironment="FLINK-1_20",
        ServiceExecutionRole=ROLE,
    )
    assert code == "UnsupportedOperationException"
    create(analytics)
    code, _ = refused(
        analytics.create_application_snapshot, ApplicationName="counts", SnapshotName="s"
    )
    assert code == "UnsupportedOperationException"


def test_a_schema_is_discovered(engine, analytics):
    put(engine, trade("AAA", 1), trade("BBBBB", 2.5), stream="trades")
    given = {"ServiceExecutionRole": ROLE, "ResourceARN": arn("trades")}
    found = analytics.discover_input_schema(**given)
    assert found["InputSchema"]["RecordColumns"] == [
        {"Name": "ticker", "Mapping": "$.ticker", "SqlType": "VARCHAR(8)"},
        {"Name": "trade_price", "Mapping": "$.trade.price", "SqlType": "DOUBLE"},
    ]
    assert found["ParsedInputRecords"] == [["AAA", "1"], ["BBBBB", "2.5"]]
    put(engine, "a,1\nb,2", "c,3", stream="results")
    found = analytics.discover_input_schema(**{**given, "ResourceARN": arn("results")})
    assert found["InputSchema"]["RecordFormat"]["RecordFormatType"] == "CSV"
    assert [one["SqlType"] for one in found["InputSchema"]["RecordColumns"]] == [
        "VARCHAR(4)",
        "INTEGER",
    ]
    engine.stream("empty")
    given["ResourceARN"] = arn("empty")
    code, _ = refused(analytics.discover_input_schema, **given)
    assert code == "UnableToDetectSchemaException"


def test_an_application_goes_on_after_a_restart(tmp_path):
    from trunkline.aws import client

    def connected(engine):
        return client("kinesisanalyticsv2", engine=engine)

    with trunkline.open(tmp_path) as engine:
        engine.stream("trades")
        engine.stream("results")
        analytics = connected(engine)
        create(analytics, FILTER)
        start(analytics)
        put(engine, trade("AAA", 11))
        work_off(engine)
    with trunkline.open(tmp_path) as engine:
        put(engine, trade("BBB", 12))
        analytics = connected(engine)
        assert describe(analytics)["ApplicationStatus"] == "RUNNING"
        end = time.monotonic() + 30
        # Its own thread works it off.
        while len(rows(engine)) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        assert [row["TICKER"] for row in rows(engine)] == ["AAA", "BBB"]


def test_tags_are_changed(analytics):
    arn = create(analytics)["ApplicationARN"]
    analytics.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b"}])
    analytics.untag_resource(ResourceARN=arn, TagKeys=["a", "c"])
    tags = analytics.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert tags == [{"Key": "b", "Value": ""}]
