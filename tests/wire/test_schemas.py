"""EventBridge Schemas: registries, schemas, versions, and what events look like."""

from __future__ import annotations

import importlib
import json
import sys

import pytest
from pipe_calls import wait_until
from refusals import refused

import trunkline
import trunkline.aws

pytest.importorskip("boto3")

CONTENT = {
    "openapi": "3.0.0",
    "info": {"version": "1.0.0", "title": "Paid"},
    "paths": {},
    "components": {
        "schemas": {
            "Paid": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "nullable": True},
                    "next": {"$ref": "#/components/schemas/Paid"},
                    "of": {"$ref": "#/components/schemas/Order"},
                },
            },
            "Order": {"type": "object", "properties": {"sum": {"type": "number"}}},
        }
    },
}
NAMES = {"RegistryName": "shop", "SchemaName": "shop@Paid"}


@pytest.fixture
def schemas(connect):
    return connect("schemas")


@pytest.fixture
def shop(schemas):
    return schemas.create_registry(RegistryName="shop", Description="ours", Tags={"a": "1"})


def create(schemas, content=None, **given):
    text = json.dumps(CONTENT if content is None else content)
    return schemas.create_schema(**NAMES | {"Type": "OpenApi3", "Content": text} | given)


def event(detail, detail_type="Order Paid", **more):
    return {
        "version": "0",
        "id": "1",
        "detail-type": detail_type,
        "source": "shop",
        "account": "000000000000",
        "time": "2023-11-14T22:13:20Z",
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    } | more


def discover(schemas, *events, kind="OpenApi3"):
    texts = [json.dumps(one) for one in events]
    return json.loads(schemas.get_discovered_schema(Type=kind, Events=texts)["Content"])


def test_registries_are_made_changed_and_removed(schemas, shop):
    assert shop["RegistryArn"] == "arn:aws:schemas:us-east-1:000000000000:registry/shop"
    assert schemas.describe_registry(RegistryName="shop")["Description"] == "ours"
    assert schemas.update_registry(RegistryName="shop", Description="new")["Description"] == "new"
    names = [one["RegistryName"] for one in schemas.list_registries()["Registries"]]
    assert names == ["aws.events", "shop"]
    local = schemas.list_registries(Scope="LOCAL")["Registries"]
    assert [one["RegistryName"] for one in local] == ["shop"]
    schemas.tag_resource(ResourceArn=shop["RegistryArn"], Tags={"b": "2"})
    schemas.untag_resource(ResourceArn=shop["RegistryArn"], TagKeys=["a"])
    assert schemas.list_tags_for_resource(ResourceArn=shop["RegistryArn"])["Tags"] == {"b": "2"}
    create(schemas)
    assert refused(schemas.delete_registry, RegistryName="shop")[0] == "BadRequestException"
    schemas.delete_schema(**NAMES)
    schemas.delete_registry(RegistryName="shop")
    assert refused(schemas.describe_registry, RegistryName="shop")[0] == "NotFoundException"
    assert refused(schemas.create_registry, RegistryName="aws.events")[0] == "ForbiddenException"


def test_a_schema_changes_version_by_version(schemas, shop):
    made = create(schemas)
    assert made["SchemaVersion"] == "1"
    assert made["VersionCreatedDate"].tzinfo is not None
    assert refused(create, schemas=schemas)[0] == "ConflictException"
    same = schemas.update_schema(**NAMES, Content=json.dumps(CONTENT), Description="paid")
    assert (same["SchemaVersion"], same["Description"]) == ("1", "paid")
    content = {**CONTENT, "info": {"version": "2", "title": "Paid"}}
    assert schemas.update_schema(**NAMES, Content=json.dumps(content))["SchemaVersion"] == "2"
    assert json.loads(schemas.describe_schema(**NAMES)["Content"]) == content
    first = schemas.describe_schema(**NAMES, SchemaVersion="1")
    assert json.loads(first["Content"]) == CONTENT
    versions = schemas.list_schema_versions(**NAMES)["SchemaVersions"]
    assert [one["SchemaVersion"] for one in versions] == ["1", "2"]
    schemas.delete_schema_version(**NAMES, SchemaVersion="1")
    assert refused(schemas.describe_schema, **NAMES, SchemaVersion="1")[0] == "NotFoundException"
    [summary] = schemas.list_schemas(RegistryName="shop")["Schemas"]
    assert summary["VersionCount"] == 1
    code, _ = refused(schemas.delete_schema_version, **NAMES, SchemaVersion="2")
    assert code == "BadRequestException"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "Content is not a JSON object."),
        ({}, "needs openapi"),
        ({"openapi": "3.0.0", "info": {}}, "needs paths"),
    ],
)
def test_what_is_no_schema_is_refused(schemas, shop, content, message):
    code, text = refused(create, schemas=schemas, content=content)
    assert code == "BadRequestException"
    assert message in text


def test_a_search_looks_into_names_and_contents(schemas, shop):
    create(schemas)
    create(schemas, {**CONTENT, "components": {}}, SchemaName="shop@Other")

    def search(words):
        found = schemas.search_schemas(RegistryName="shop", Keywords=words)["Schemas"]
        return [(one["SchemaName"], len(one["SchemaVersions"])) for one in found]

    assert search("order number") == [("shop@Paid", 1)]
    assert search("shop") == [("shop@Other", 1), ("shop@Paid", 1)]
    assert search("nowhere") == []


def test_lists_come_in_pages(schemas, shop):
    for number in range(3):
        create(schemas, SchemaName=f"s{number}")
    pages = schemas.get_paginator("list_schemas").paginate(
        RegistryName="shop", PaginationConfig={"PageSize": 2}
    )
    names = [[one["SchemaName"] for one in page["Schemas"]] for page in pages]
    assert names == [["s0", "s1"], ["s2"]]
    code, _ = refused(schemas.list_schemas, RegistryName="shop", NextToken="?")
    assert code == "BadRequestException"


def test_an_export_is_json_schema(schemas, shop):
    create(schemas)
    told = json.loads(schemas.export_schema(**NAMES, Type="JSONSchemaDraft4")["Content"])
    assert told["$schema"] == "http://json-schema.org/draft-04/schema#"
    assert told["properties"] == {
        "id": {"type": ["string", "null"]},
        "next": {"$ref": "#"},
        "of": {"$ref": "#/definitions/Order"},
    }
    assert told["definitions"]["Order"]["properties"] == {"sum": {"type": "number"}}
    assert refused(schemas.export_schema, **NAMES, Type="OpenApi3")[0] == "BadRequestException"


def test_policies_are_kept(schemas, shop):
    put = schemas.put_resource_policy(RegistryName="shop", Policy="{}")
    assert schemas.get_resource_policy(RegistryName="shop")["RevisionId"] == put["RevisionId"]
    given = {"RegistryName": "shop", "Policy": "{}", "RevisionId": "other"}
    assert refused(schemas.put_resource_policy, **given)[0] == "BadRequestException"
    schemas.delete_resource_policy(RegistryName="shop")
    assert refused(schemas.get_resource_policy, RegistryName="shop")[0] == "NotFoundException"


def test_the_schema_of_events_has_types_nesting_and_options(schemas):
    first = {"id": "7", "at": "2023-11-14T22:13:20Z", "items": [{"n": 1, "note": None}]}
    second = {"id": "8", "items": [{"n": 2.5, "note": "x"}], "paid": True}
    told = discover(schemas, event(first), event(second))
    assert told["info"]["title"] == "OrderPaid"
    components = told["components"]["schemas"]
    envelope = components["AWSEvent"]
    assert envelope["x-amazon-events-source"] == "shop"
    assert envelope["properties"]["detail"] == {"$ref": "#/components/schemas/OrderPaid"}
    detail = components["OrderPaid"]
    assert detail["required"] == ["id", "items"]
    assert detail["properties"] == {
        "at": {"type": "string", "format": "date-time"},
        "id": {"type": "string"},
        "items": {"type": "array", "items": {"$ref": "#/components/schemas/ItemsItem"}},
        "paid": {"type": "boolean"},
    }
    assert components["ItemsItem"]["properties"] == {
        "n": {"type": "number"},
        "note": {"type": "string", "nullable": True},
    }


def test_the_schema_of_events_can_be_json_schema(schemas):
    told = discover(schemas, event({"a": {"b": [1]}}), kind="JSONSchemaDraft4")
    assert told["properties"]["detail"] == {"$ref": "#/definitions/OrderPaid"}
    assert told["definitions"]["A"]["properties"]["b"] == {
        "type": "array",
        "items": {"type": "number"},
    }


def test_values_without_an_envelope_have_a_schema_too(schemas):
    told = discover(schemas, {"a": 1}, {"a": "x"})
    own = told["components"]["schemas"]["Event"]["properties"]["a"]
    assert own == {"oneOf": [{"type": "number"}, {"type": "string"}]}
    code, _ = refused(schemas.get_discovered_schema, Type="OpenApi3", Events=["[]"])
    assert code == "BadRequestException"


def test_a_discoverer_learns_from_what_passes_its_bus(schemas, connect):
    events = connect("events")
    bus = events.create_event_bus(Name="bus")["EventBusArn"]
    made = schemas.create_discoverer(SourceArn=bus, Description="all")
    assert (made["DiscovererId"], made["State"]) == ("events-event-bus-bus", "STARTED")
    assert refused(schemas.create_discoverer, SourceArn=bus)[0] == "ConflictException"
    [rule] = events.list_rules(EventBusName="bus")["Rules"]
    assert rule["ManagedBy"] == "schemas.amazonaws.com"

    def put(detail):
        entry = {"EventBusName": "bus", "Source": "shop", "DetailType": "Order Paid"}
        events.put_events(Entries=[entry | {"Detail": json.dumps(detail)}])

    def versions():
        names = {"RegistryName": "discovered-schemas", "SchemaName": "shop@OrderPaid"}
        listed = schemas.list_schemas(RegistryName=names["RegistryName"])["Schemas"]
        if not listed:
            return 0
        return len(schemas.list_schema_versions(**names)["SchemaVersions"])

    put({"id": 1, "note": "x"})
    wait_until(lambda: versions() == 1)
    put({"id": 2, "note": "y"})
    put({"id": 3})
    wait_until(lambda: versions() == 2)
    told = schemas.describe_schema(RegistryName="discovered-schemas", SchemaName="shop@OrderPaid")
    detail = json.loads(told["Content"])["components"]["schemas"]["OrderPaid"]
    assert detail["required"] == ["id"]
    assert set(detail["properties"]) == {"id", "note"}

    assert schemas.stop_discoverer(DiscovererId=made["DiscovererId"])["State"] == "STOPPED"
    put({"id": 4, "more": True})
    schemas.start_discoverer(DiscovererId=made["DiscovererId"])
    put({"id": "5"})
    wait_until(lambda: versions() == 3)
    told = schemas.describe_schema(RegistryName="discovered-schemas", SchemaName="shop@OrderPaid")
    assert '"more"' not in told["Content"]
    schemas.delete_discoverer(DiscovererId=made["DiscovererId"])
    assert events.list_rules(EventBusName="bus")["Rules"] == []
    assert schemas.list_discoverers()["Discoverers"] == []


def test_a_discoverer_goes_on_when_the_engine_is_opened(tmp_path):
    def clients(engine):
        names = ("schemas", "events")
        return [trunkline.aws.client(n, engine=engine, region_name="us-east-1") for n in names]

    with trunkline.open(tmp_path / "engine") as engine:
        schemas, events = clients(engine)
        bus = events.describe_event_bus()["Arn"]
        schemas.create_discoverer(SourceArn=bus)
    with trunkline.open(tmp_path / "engine") as engine:
        schemas, events = clients(engine)
        events.put_events(Entries=[{"Source": "shop", "DetailType": "Paid", "Detail": "{}"}])
        wait_until(lambda: schemas.list_schemas(RegistryName="discovered-schemas")["Schemas"])


def test_only_a_bus_can_be_discovered(schemas):
    arn = "arn:aws:events:us-east-1:000000000000:event-bus/gone"
    assert refused(schemas.create_discoverer, SourceArn=arn)[0] == "NotFoundException"
    arn = "arn:aws:sqs:us-east-1:000000000000:queue"
    assert refused(schemas.create_discoverer, SourceArn=arn)[0] == "BadRequestException"


def test_a_code_binding_reads_and_writes_events(schemas, shop, tmp_path, monkeypatch):
    own = {"id": 7, "items": [{"unit-price": 1.5}], "class": None}
    content = discover(schemas, event(own), event({**own, "class": "a", "more": "b"}))
    create(schemas, content)
    named = NAMES | {"Language": "Python36"}
    assert refused(schemas.get_code_binding_source, **named)[0] == "NotFoundException"
    assert schemas.put_code_binding(**named)["Status"] == "CREATE_COMPLETE"
    assert schemas.describe_code_binding(**named)["SchemaVersion"] == "1"
    path = tmp_path / "code.zip"
    path.write_bytes(schemas.get_code_binding_source(**named)["Body"].read())
    monkeypatch.syspath_prepend(str(path))
    for name in [one for one in sys.modules if one.partition(".")[0] == "schema"]:
        monkeypatch.delitem(sys.modules, name)
    package = importlib.import_module("schema.shop.paid")
    given = event(own | {"class": "a"})
    read = package.Marshaller.unmarshall(given, package.AWSEvent)
    assert read.detail_type == "Order Paid"
    assert read.detail.items[0].unit_price == 1.5
    assert read.detail.member_class == "a"
    assert read.detail.more is None
    assert package.Marshaller.marshall(read) == given
    code, message = refused(schemas.put_code_binding, **NAMES, Language="Java8")
    assert code == "BadRequestException"
    assert message == "Language Java8 is not served here. There is: Python36."
