"""`python -m tests.conformance HANDLERS REQUIREMENTS`: AWS's own tests against the local cloud.

AWS checks its SDKs by functions whose history of events must be as its requirements say. Here the
SDK is the one that we depend on, so what differs is the local cloud's engine. Neither folder comes
with this repository:

- HANDLERS: `packages/aws-durable-execution-sdk-python-conformance-tests` of a checkout of
  github.com/aws/aws-durable-execution-sdk-python;
- REQUIREMENTS: where `aws-durable-execution-conformance-tests` of PyPI is unpacked. It asks for
  Python 3.14, and what is used of it runs from 3.11.

Prints a line for each requirement, and why it is not met; ends with 1 if a requirement is not met
that `KNOWN` does not list, or one that it lists is.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aws_durable_execution_sdk_python
import boto3

from hitl_approval_cli.local import LocalCloud

from .known import KNOWN

SUITES = (
    "step",
    "wait",
    "child",
    "callback",
    "wait_for_callback",
    "wait_for_condition",
    "invoke",
    "parallel",
    "map",
)
"""All but that of plugins, which run within the SDK alone."""
AT_ONCE = 4
CODE = "code.zip"
SDK = Path(aws_durable_execution_sdk_python.__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites, print what came of each requirement; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("handlers", type=Path, help="the SDK's package of conformance tests")
    parser.add_argument("requirements", type=Path, help="the unpacked wheel of the runner")
    parser.add_argument("--suite", choices=SUITES, action="append", help="default: all of them")
    given = parser.parse_args(arguments)
    sys.path.insert(0, str(given.requirements.resolve()))
    failed = 0
    with tempfile.TemporaryDirectory() as folder, _cloud(Path(folder)):
        code = packed(given.handlers / "handlers")
        for suite in given.suite or SUITES:
            failed += _run(suite, given.handlers, code, Path(folder))
    return 1 if failed else 0


@contextlib.contextmanager
def _cloud(folder: Path) -> Iterator[None]:
    before = dict(os.environ)
    with LocalCloud.start(log_file=folder / "cloud.log") as cloud:
        os.environ.update(cloud.environment())
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def packed(handlers: Path) -> bytes:
    """The functions' code: every handler and the SDK."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for root, base in ((handlers, handlers), (SDK, SDK.parent)):
            for file in sorted(root.rglob("*.py")):
                archive.write(file, str(file.relative_to(base)))
    return written.getvalue()


def plain(sam: Mapping[str, Any], bucket: str) -> dict[str, Any]:
    """A SAM template of functions as CloudFormation's own."""
    shared = sam["Globals"]["Function"]

    def resource(found: Mapping[str, Any]) -> dict[str, Any]:
        if found["Type"] != "AWS::Serverless::Function":
            return {"Type": found["Type"], "Properties": _intrinsic(found["Properties"])}
        properties = {**shared, **_intrinsic(found["Properties"])}
        del properties["CodeUri"]
        code = {"S3Bucket": bucket, "S3Key": CODE}
        return {"Type": "AWS::Lambda::Function", "Properties": {**properties, "Code": code}}

    return {"Resources": {name: resource(found) for name, found in sam["Resources"].items()}}


def _intrinsic(value: Any) -> Any:
    """Short forms of intrinsic functions, as the runner's loader reads them, written out."""
    if isinstance(value, list):
        return [_intrinsic(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    match value:
        case {"GetAtt": str(path)}:
            return {"Fn::GetAtt": path.split(".")}
        case {"Sub": text}:
            return {"Fn::Sub": text}
    return {name: _intrinsic(each) for name, each in value.items()}


def _deploy(stack: str, sam: Mapping[str, Any], code: bytes) -> None:
    s3, cloudformation = boto3.client("s3"), boto3.client("cloudformation")
    bucket = stack.replace("_", "-")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=CODE, Body=code)
    body = json.dumps(plain(sam, bucket))
    cloudformation.create_stack(StackName=stack, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _run(suite: str, handlers: Path, code: bytes, folder: Path) -> int:
    """Print the results of a suite; how many are not as `KNOWN` says."""
    import yaml
    from aws_durable_execution_conformance_tests import config, sam, validate
    from aws_durable_execution_conformance_tests.clients import AwsClients

    file = handlers / f"template_{suite}.yaml"
    with file.open(encoding="utf-8") as text:
        template = yaml.load(text, Loader=validate._CfnSafeLoader)
    stack = f"conformance-{suite.replace('_', '-')}"
    _deploy(stack, template, code)
    region = str(boto3.Session().region_name)
    clients = AwsClients.create(region)
    invoker = sam.Invoker(stack, region, None, clients["lambda"], clients["cloudformation"])
    files = validate.discover_test_files(config.TESTS_DIR, suite)

    def check(case: tuple[str, str]) -> Any:
        function, requirement = case
        place = files[requirement]
        where = (str(folder), region, clients, str(folder / "histories"))
        return validate.validate_description(function, requirement, place, invoker, *where)

    cases = validate.parse_function_descriptions(str(file))
    with ThreadPoolExecutor(AT_ONCE) as pool, contextlib.redirect_stdout(io.StringIO()):
        results = list(pool.map(check, cases))
    unexpected = 0
    for result in results:
        known = KNOWN.get(result.description_id)
        unexpected += result.passed == (known is not None)
        said = "met" if result.passed else "NOT MET"
        said += f": {known}" if known else ""
        _say(f"{result.description_id:6} {result.function_name:36} {said}")
        for error in () if result.passed else result.errors:
            _say(f"         {error}")
    _say(f"{suite}: {sum(result.passed for result in results)} of {len(results)} are met")
    return unexpected


if __name__ == "__main__":
    sys.exit(main())
