"""`hitl template`: what it writes deploys with other tools than the CDK."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, Stack, Token, assertions
from aws_cdk import aws_s3 as s3
from aws_cdk.cloudformation_include import CfnInclude

from hitl_approval.contract import GROUPS_FILE, Output
from hitl_approval_cli.portable import BUCKET, FOLDER, MAX_BODY
from tests.infra.synth import ROOT

from .conftest import Hitl
from .fake_cloud import FakeCloud

GROUPS = {"leads": ["ann", "bob"]}


class Written:
    """What the command wrote, once for all tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "template.json"

    @property
    def template(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text())
        return found

    def of_type(self, kind: str) -> list[Mapping[str, Any]]:
        resources = self.template["Resources"].values()
        return [each["Properties"] for each in resources if each["Type"] == kind]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("template") / "approvals"
    hitl = Path(sys.executable).with_name("hitl")
    context = ["-c", f"groups={json.dumps(GROUPS)}", "-c", "approvers=leads"]
    command = [str(hitl), "template", str(folder), *context]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder.parent, check=False)
    assert done.returncode == 0, done.stderr
    assert "deploy with the parameter CodeBucket=BUCKET" in done.stdout
    assert "in a call" not in done.stdout
    return Written(folder)


def test_should_take_all_code_from_the_bucket_that_a_parameter_names(written: Written) -> None:
    codes = [each["Code"] for each in written.of_type("AWS::Lambda::Function")]
    codes += [each["Content"] for each in written.of_type("AWS::Lambda::LayerVersion")]
    assert len(codes) > 1
    for code in codes:
        assert code["S3Bucket"] == {"Ref": BUCKET}
        assert zipfile.is_zipfile(written.folder / code["S3Key"])
    assert set(written.template["Parameters"]) == {BUCKET}
    [layer] = written.of_type("AWS::Lambda::LayerVersion")
    with zipfile.ZipFile(written.folder / layer["Content"]["S3Key"]) as archive:
        assert json.loads(archive.read(f"python/{GROUPS_FILE}")) == GROUPS


def test_should_need_nothing_of_cdks(written: Written) -> None:
    text = written.file.read_text()
    for word in ("cdk-bootstrap", "cdk-hnb659fds", "aws:cdk", "aws:asset", "AWS::CDK"):
        assert word not in text
    assert "Rules" not in written.template
    assert len(text) < MAX_BODY, "CloudFormation takes no more without a bucket"


def test_should_be_a_good_template(written: Written) -> None:
    # W3005: CDK always writes a role's policy and the role itself into DependsOn.
    options = ["--non-zero-exit-code", "warning", "--ignore-checks", "W3005"]
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run(
        [lint, *options, "--", written.file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_should_be_included_in_another_cdk_app(written: Written) -> None:
    stack = Stack(App(analytics_reporting=False), "Theirs")
    bucket = s3.Bucket(stack, "Code")
    included = CfnInclude(
        stack,
        "Approvals",
        template_file=str(written.file),
        parameters={BUCKET: bucket.bucket_name},
    )
    alias = included.get_output(Output.WORKFLOW_FUNCTION_ARN)
    CfnOutput(stack, "Alias", value=Token.as_string(alias.value))
    found = assertions.Template.from_stack(stack).to_json()
    ours = written.template["Resources"]
    assert ours.keys() < found["Resources"].keys()
    for name, resource in ours.items():
        assert found["Resources"][name]["Type"] == resource["Type"]
    for made in found["Resources"].values():
        if made["Type"] == "AWS::Lambda::Function":
            assert made["Properties"]["Code"]["S3Bucket"] == {"Ref": "Code6B6D5E4C"} or (
                made["Properties"]["Code"]["S3Bucket"]["Ref"].startswith("Code")
            )
    assert found["Outputs"].keys() > written.template["Outputs"].keys()


THEIRS = """
import * as fs from 'fs';
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';

const app: App = new App({ outdir: 'cdk.out' });
const stack: Stack = new Stack(app, 'Theirs');
const bucket: Bucket = new Bucket(stack, 'Code');
const approvals: CfnInclude = new CfnInclude(stack, 'Approvals', {
  templateFile: 'approvals/template.json',
  parameters: { CodeBucket: bucket.bucketName },
});
new CfnOutput(stack, 'Alias', { value: approvals.getOutput('WorkflowFunctionArn').value });
app.synth();
"""
"""An app of a team that writes TypeScript, as docs/deploy.md has it."""
JSII = ("aws_cdk", "aws_cdk.cloud_assembly_schema", "constructs")
"""Python packages that bring the npm package of the same version along."""


def test_should_be_included_in_a_cdk_app_in_typescript(written: Written, tmp_path: Path) -> None:
    for package in JSII:
        [packed] = (Path(import_module(package).__path__[0]) / "_jsii").glob("*.tgz")
        with tarfile.open(packed) as archive:
            archive.extractall(tmp_path / package, filter="data")
        unpacked = tmp_path / package / "package"
        name = json.loads((unpacked / "package.json").read_text())["name"]
        target = tmp_path / "node_modules" / name
        target.parent.mkdir(exist_ok=True, parents=True)
        unpacked.rename(target)
    (tmp_path / "approvals").symlink_to(written.folder)
    (tmp_path / "app.mts").write_text(THEIRS)
    node = Path(sys.executable).with_name("node")
    # Node itself leaves the types out.
    done = subprocess.run(
        [node, "app.mts"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "cdk.out" / "Theirs.template.json").read_text())
    theirs, ours = made["Resources"], written.template["Resources"]
    assert ours.keys() < theirs.keys()
    [bucket] = [name for name, each in theirs.items() if each["Type"] == "AWS::S3::Bucket"]
    for name, resource in ours.items():
        as_theirs = json.loads(json.dumps(resource).replace(f'"{BUCKET}"', f'"{bucket}"'))
        for each in (as_theirs, theirs[name]):  # whose order means nothing
            each["DependsOn"] = sorted(each.get("DependsOn", ()))
        assert theirs[name] == as_theirs, "nothing is lost or changed"
    assert made["Outputs"].keys() > written.template["Outputs"].keys()
    assert f'"{BUCKET}"' not in json.dumps(made)


def test_should_stand_in_a_sam_template(written: Written, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"```yaml\n(Transform: .*?)```", page, re.DOTALL)
    (tmp_path / "approvals").symlink_to(written.folder)
    (tmp_path / "refund").mkdir()
    (tmp_path / "template.yaml").write_text(shown)
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run(
        [lint, "template.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), "it translates what SAM brings, and checks it"
    asked = set(re.findall(r"Approvals\.Outputs\.(\w+)", shown))
    assert asked <= written.template["Outputs"].keys()
    assert set(re.findall(r"(\w+): my-code", shown)) == written.template["Parameters"].keys()


class Bucket:
    """S3 that takes files."""

    def __init__(self) -> None:
        self.put: dict[str, bytes] = {}

    def upload_file(self, path: str, bucket: str, key: str) -> None:
        assert bucket == "ours"
        self.put[key] = Path(path).read_bytes()


def test_should_put_all_into_a_bucket(hitl: Hitl, cloud: FakeCloud, tmp_path: Path) -> None:
    bucket = Bucket()
    cloud.clients["s3"] = bucket
    result = hitl("template", str(tmp_path / "approvals"), "--bucket", "ours", "--json")
    assert (result.status, result.err) == (0, "")
    answer = result.json
    assert answer["bucket"] == "ours"
    template = json.loads(bucket.put[f"{FOLDER}/template.json"])
    assert template["Parameters"][BUCKET]["Default"] == "ours"
    keys = {
        each["Properties"]["Code"]["S3Key"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Lambda::Function"
    }
    assert keys == bucket.put.keys() - {f"{FOLDER}/template.json"}


def test_should_say_that_a_large_template_has_to_come_from_a_bucket(
    hitl: Hitl, tmp_path: Path
) -> None:
    more = ["-c", "sign_in=cognito", "-c", "monitoring=true"]
    result = hitl("template", str(tmp_path / "approvals"), *more)
    assert result.status == 0
    size = (tmp_path / "approvals" / "template.json").stat().st_size
    assert size > MAX_BODY
    assert f"{size:,} bytes, and CloudFormation takes 51,200 in a call" in result.out


def test_should_say_that_context_is_no_context(hitl: Hitl, tmp_path: Path) -> None:
    result = hitl("template", str(tmp_path), "-c", "nonsense")
    assert (result.status, result.err) == (
        2,
        "hitl: --context: must look like name=value, got 'nonsense'\n",
    )


def test_should_say_why_a_folder_cannot_be_written(hitl: Hitl, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = hitl("template", str(tmp_path / "file"))
    assert result.status == 1
    assert result.err.endswith("(NOT_WRITTEN)\n")
