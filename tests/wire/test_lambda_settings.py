"""What deployment tools set for a function: code from S3, signing, concurrency, layers."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from lambda_calls import archive, call, create, refused

import trunkline
import trunkline.aws
from trunkline.functions.registry import functions_of

CODE = archive(handler__py="def handler(event, context): return 'from the bucket'")


@pytest.fixture
def engine() -> Any:
    with trunkline.open() as opened:
        functions_of(opened._core).allows_code = True
        yield opened


@pytest.fixture
def client(engine: trunkline.Engine) -> Any:
    return trunkline.aws.client("lambda", engine=engine)


def test_code_comes_from_an_object_of_a_bucket(client: Any, engine: trunkline.Engine) -> None:
    uploads = engine.bucket("uploads")
    uploads.put("echo.zip", CODE)
    create(client, Code={"S3Bucket": "uploads", "S3Key": "echo.zip"})
    assert call(client)[1] == "from the bucket"
    uploads.put("other.zip", archive(handler__py="def handler(event, context): return 2"))
    client.update_function_code(FunctionName="echo", S3Bucket="uploads", S3Key="other.zip")
    assert call(client)[1] == 2
    # The function keeps a copy: the object may go.
    uploads.delete("other.zip")
    assert call(client)[1] == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            {"S3Bucket": "uploads", "S3Key": "none"},
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The "
            "specified key does not exist.",
        ),
        (
            {"S3Bucket": "elsewhere", "S3Key": "echo.zip"},
            "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The "
            "specified bucket does not exist",
        ),
        ({"S3Bucket": "uploads"}, "S3Key is mandatory where S3Bucket is given."),
        (
            {"S3Bucket": "uploads", "S3Key": "echo.zip", "ZipFile": CODE},
            "Please provide one source of code: ZipFile, or S3Bucket and S3Key.",
        ),
        ({}, "Please provide one source of code: ZipFile, or S3Bucket and S3Key."),
        (
            {"S3Bucket": "foreign", "S3Key": "echo.zip"},
            "Error occurred while GetObject. S3 Error Code: AccessDenied. S3 Error Message: "
            "Access Denied",
        ),
    ],
)
def test_code_that_is_not_there_is_refused(
    client: Any, engine: trunkline.Engine, source: dict[str, Any], message: str
) -> None:
    engine.bucket("uploads").put("echo.zip", CODE)
    engine.bucket("foreign", account="111111111111").put("echo.zip", CODE)
    assert refused(create, client=client, Code=source) == (
        "InvalidParameterValueException",
        message,
    )


def test_a_signing_configuration_warns_or_refuses_all_code(client: Any) -> None:
    publishers = {
        "SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/a/b"]
    }
    made = client.create_code_signing_config(AllowedPublishers=publishers)["CodeSigningConfig"]
    arn = made["CodeSigningConfigArn"]
    assert made["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
    create(client, CodeSigningConfigArn=arn)
    told = client.get_function_code_signing_config(FunctionName="echo")
    assert (told["CodeSigningConfigArn"], told["FunctionName"]) == (arn, "echo")
    users = client.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"]
    assert users == ["arn:aws:lambda:us-east-1:000000000000:function:echo"]
    in_use = refused(client.delete_code_signing_config, CodeSigningConfigArn=arn)
    assert in_use[0] == "ResourceConflictException"
    client.update_code_signing_config(
        CodeSigningConfigArn=arn, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"}
    )
    code = refused(client.update_function_code, FunctionName="echo", ZipFile=CODE)
    assert code[0] == "CodeVerificationFailedException"
    again = refused(create, client=client, name="other", CodeSigningConfigArn=arn)
    assert again[0] == "CodeVerificationFailedException"
    client.delete_function_code_signing_config(FunctionName="echo")
    client.update_function_code(FunctionName="echo", ZipFile=CODE)
    assert "CodeSigningConfigArn" not in client.get_function_code_signing_config(
        FunctionName="echo"
    )
    client.delete_code_signing_config(CodeSigningConfigArn=arn)
    assert client.list_code_signing_configs()["CodeSigningConfigs"] == []
    gone = refused(
        client.put_function_code_signing_config, CodeSigningConfigArn=arn, FunctionName="echo"
    )
    assert gone[0] == "CodeSigningConfigNotFoundException"
    assert (
        refused(client.get_code_signing_config, CodeSigningConfigArn=arn)[0]
        == "ResourceNotFoundException"
    )


def test_provisioned_concurrency_is_kept_for_versions_and_aliases(client: Any) -> None:
    create(client, Publish=True)
    client.create_alias(FunctionName="echo", Name="live", FunctionVersion="1")
    put = client.put_provisioned_concurrency_config
    wanted = {"FunctionName": "echo", "ProvisionedConcurrentExecutions": 2}
    assert put(Qualifier="live", **wanted)["Status"] == "IN_PROGRESS"
    told = client.get_provisioned_concurrency_config(FunctionName="echo", Qualifier="live")
    assert (told["Status"], told["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)
    assert refused(put, Qualifier="1", **wanted)[0] == "ResourceConflictException"
    assert refused(put, Qualifier="$LATEST", **wanted) == (
        "InvalidParameterValueException",
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
    )
    client.put_function_concurrency(FunctionName="echo", ReservedConcurrentExecutions=1)
    assert refused(put, Qualifier="live", **wanted)[0] == "InvalidParameterValueException"
    found = client.list_provisioned_concurrency_configs(FunctionName="echo")
    assert [one["FunctionArn"][-5:] for one in found["ProvisionedConcurrencyConfigs"]] == [":live"]
    # An alias that is gone has none, nor has a new one of its name.
    client.delete_alias(FunctionName="echo", Name="live")
    client.create_alias(FunctionName="echo", Name="live", FunctionVersion="1")
    gone = refused(client.get_provisioned_concurrency_config, FunctionName="echo", Qualifier="live")
    assert gone == (
        "ProvisionedConcurrencyConfigNotFoundException",
        "No Provisioned Concurrency Config found for this function",
    )
    client.delete_provisioned_concurrency_config(FunctionName="echo", Qualifier="live")


def test_a_layer_has_a_policy(client: Any) -> None:
    content = {"ZipFile": archive(cups__py="COUNT = 7")}
    version = client.publish_layer_version(LayerName="cups", Content=content)["Version"]
    layer = {"LayerName": "cups", "VersionNumber": version}
    missing = refused(client.get_layer_version_policy, **layer)
    assert missing[0] == "ResourceNotFoundException"
    statement = {"StatementId": "all", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    added = client.add_layer_version_permission(**layer, **statement)
    assert json.loads(added["Statement"])["Principal"] == "*"
    twice = refused(client.add_layer_version_permission, **layer, **statement)
    assert twice[0] == "ResourceConflictException"
    policy = client.get_layer_version_policy(**layer)
    assert policy["RevisionId"] == added["RevisionId"]
    assert [one["Sid"] for one in json.loads(policy["Policy"])["Statement"]] == ["all"]
    stale = {"StatementId": "all", "RevisionId": "another"}
    refusal = refused(client.remove_layer_version_permission, **layer, **stale)
    assert refusal[0] == "PreconditionFailedException"
    client.remove_layer_version_permission(**layer, StatementId="all")
    assert "policy" not in client.get_layer_version(**layer)


@pytest.mark.botocore_knows("lambda", "GetFunctionRecursionConfig")
def test_runtime_updates_and_loops_are_kept(client: Any) -> None:
    create(client, Publish=True)
    auto = client.get_runtime_management_config(FunctionName="echo")
    arn = "arn:aws:lambda:us-east-1:000000000000:function:echo"
    assert (auto["UpdateRuntimeOn"], auto["FunctionArn"]) == ("Auto", f"{arn}:$LATEST")
    put = client.put_runtime_management_config
    put(FunctionName="echo", Qualifier="1", UpdateRuntimeOn="FunctionUpdate")
    kept = client.get_runtime_management_config(FunctionName="echo", Qualifier="1")
    assert (kept["UpdateRuntimeOn"], kept["FunctionArn"]) == ("FunctionUpdate", f"{arn}:1")
    manual = refused(put, FunctionName="echo", UpdateRuntimeOn="Manual")
    assert manual[0] == "InvalidParameterValueException"
    assert client.get_function_recursion_config(FunctionName="echo")["RecursiveLoop"] == "Terminate"
    client.put_function_recursion_config(FunctionName="echo", RecursiveLoop="Allow")
    assert client.get_function_recursion_config(FunctionName="echo")["RecursiveLoop"] == "Allow"


def test_what_is_not_built_is_refused_when_a_function_is_created(client: Any) -> None:
    for given, words in (
        ({"Runtime": "java21"}, "java21"),
        ({"Runtime": "python2.7"}, "python2.7"),
        ({"SnapStart": {"ApplyOn": "PublishedVersions"}}, "SnapStart"),
        ({"ImageConfig": {"Command": ["x"]}}, "container image"),
    ):
        code, message = refused(partial(create, client), **given)
        assert (code, words in message) == ("NotImplemented", True)
    reserved = {"Environment": {"Variables": {"AWS_REGION": "x"}}}
    assert refused(partial(create, client), **reserved)[1].endswith("request: AWS_REGION")
    create(client, SnapStart={"ApplyOn": "None"})


def test_lists_of_functions_go_on_behind_the_last_one(
    client: Any, engine: trunkline.Engine
) -> None:
    for name in ("a", "c", "e"):
        create(client, name)
    for name in ("b", "d"):
        engine.function(name, lambda event, context: None)
    first = client.list_functions(MaxItems=2)
    assert [one["FunctionName"] for one in first["Functions"]] == ["a", "b"]
    client.delete_function(FunctionName="c")
    rest = client.list_functions(Marker=first["NextMarker"])
    assert [one["FunctionName"] for one in rest["Functions"]] == ["d", "e"]
