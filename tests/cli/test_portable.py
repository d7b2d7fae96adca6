"""A synthesized stack becomes a template whose code is in a bucket of the user's."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hitl_approval.contract import Env
from hitl_approval_cdk.specifications import FUNCTIONS, Specification
from hitl_approval_cli.portable import BUCKET, FOLDER, portable

OF_CDK = {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}


def code(key: str) -> dict[str, Any]:
    return {"S3Bucket": OF_CDK, "S3Key": key}


TEMPLATE = {
    "Resources": {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": code("a.zip"),
                "Environment": {"Variables": {Env.SNS_TOPIC_ARN: "arn", Env.STACK: "synthesized"}},
            },
            "Metadata": {"aws:cdk:path": "x", "aws:asset:path": "y", "checkov": {"skip": []}},
        },
        "Layer": {
            "Type": "AWS::Lambda::LayerVersion",
            "Properties": {"Content": code("b.zip")},
            "Metadata": {"aws:cdk:path": "x"},
        },
    },
    "Parameters": {"Theirs": {"Type": "String"}, "BootstrapVersion": {"Type": "String"}},
    "Rules": {"CheckBootstrapVersion": {}},
}


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """What `cdk synth` writes: a file and a folder as assets, and the template itself."""
    folder = tmp_path / "cdk.out"
    (folder / "asset.b" / "python").mkdir(parents=True)
    (folder / "asset.b" / "python" / "groups.json").write_text("{}")
    (folder / "asset.a.zip").write_bytes(b"zipped")
    (folder / "Any.template.json").write_text(json.dumps(TEMPLATE))
    files = {
        name: {
            "source": {"path": path, "packaging": packaging},
            "destinations": {"current": {"bucketName": "cdk", "objectKey": key}},
        }
        for name, path, packaging, key in (
            ("a", "asset.a.zip", "file", "a.zip"),
            ("b", "asset.b", "zip", "b.zip"),
            ("c", "Any.template.json", "file", "c.json"),
        )
    }
    (folder / "Any.assets.json").write_text(json.dumps({"files": files}))
    return folder


def test_should_let_messages_name_the_stack_that_it_becomes(assembly: Path) -> None:
    function = portable(assembly, "Any").template["Resources"]["Function"]
    variables = function["Properties"]["Environment"]["Variables"]
    assert variables == {Env.SNS_TOPIC_ARN: "arn", Env.STACK: {"Ref": "AWS::StackName"}}


@pytest.mark.parametrize("one", FUNCTIONS, ids=lambda one: one.name)
def test_should_know_which_functions_name_it(one: Specification, assembly: Path) -> None:
    environment = {"Variables": dict.fromkeys(one.reads, "")}
    template = {"Resources": {"Function": {"Properties": {"Environment": environment}}}}
    (assembly / "Any.template.json").write_text(json.dumps(template))
    made = portable(assembly, "Any").template["Resources"]["Function"]["Properties"]
    named = made["Environment"]["Variables"].get(Env.STACK)
    assert named == ({"Ref": "AWS::StackName"} if Env.STACK in one.reads else None)


def test_should_take_code_from_the_users_bucket(assembly: Path) -> None:
    resources = portable(assembly, "Any").template["Resources"]
    assert resources["Function"]["Properties"]["Code"] == {
        "S3Bucket": {"Ref": BUCKET},
        "S3Key": f"{FOLDER}/a.zip",
    }
    assert resources["Layer"]["Properties"]["Content"]["S3Key"] == f"{FOLDER}/b.zip"


def test_should_leave_out_what_is_only_cdks(assembly: Path) -> None:
    template = portable(assembly, "Any").template
    assert "Rules" not in template
    assert list(template["Parameters"]) == [BUCKET, "Theirs"]
    assert template["Resources"]["Function"]["Metadata"] == {"checkov": {"skip": []}}
    assert "Metadata" not in template["Resources"]["Layer"]


@pytest.mark.parametrize("bucket", [None, "ours"])
def test_should_have_the_bucket_as_default_where_it_is_known(
    assembly: Path, bucket: str | None
) -> None:
    parameter = portable(assembly, "Any", bucket=bucket).template["Parameters"][BUCKET]
    assert parameter.get("Default") == bucket


def test_should_write_the_same_bytes_each_time(assembly: Path, tmp_path: Path) -> None:
    made = portable(assembly, "Any")
    first, second = (made.write(tmp_path / name) for name in ("one", "two"))
    assert [path.name for path in first] == ["template.json", "a.zip", "b.zip"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert first[1].read_bytes() == b"zipped"
    with zipfile.ZipFile(first[2]) as archive:
        assert archive.namelist() == ["python/groups.json"]
