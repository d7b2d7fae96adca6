"""`hitl template`: the stack for those who deploy with another tool than the CDK."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from hitl_approval_cli import cdk, output
from hitl_approval_cli.commands.local.deploy import fetch_tools
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.local.tools import APP_FOLDER
from hitl_approval_cli.parameters import Context, context_of
from hitl_approval_cli.portable import BUCKET, FOLDER, MAX_BODY, portable

_Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Made if it is not there.")]
_Bucket = Annotated[
    str | None,
    typer.Option(help="Put code and template into this bucket of yours. Default: only written."),
]


@connected
def template(
    to: Connection, *, folder: _Folder, bucket: _Bucket = None, context: Context = None
) -> None:
    """Write the stack as one CloudFormation template, with the functions' code beside it.

    For SAM, `CfnInclude` in a CDK app of any language, Terraform's `aws_cloudformation_stack`, or
    the AWS CLI: nothing in it needs the CDK or its bootstrap. The code has to be in a bucket of the
    stack's region, which the template's parameter `CodeBucket` names: with --bucket it is put
    there, with your own credentials, and the parameter has that default.

    Example: hitl template approvals -c approval_timeout_seconds=7200
    """
    values = context_of(context)
    fetch_tools()
    with TemporaryDirectory(prefix="hitl-approval-template-") as scratch:
        assembly = Path(scratch, "cdk.out")
        cdk.finish("cdk synth", cdk.start_synth(APP_FOLDER, {}, values, assembly))
        [stack] = cdk.stacks_in(assembly)
        made = portable(assembly, stack, bucket=bucket)
        written, *code = made.write(folder)
    if bucket is not None:
        with to.deployment.errors():
            s3 = to.deployment.client("s3")
            for path in (written, *code):
                s3.upload_file(str(path), bucket, f"{FOLDER}/{path.name}")
    answer = {"template": str(written), "code": [str(path) for path in code], "bucket": bucket}
    to.show(answer, lambda: _show(folder, written, bucket))


def _show(folder: Path, written: Path, bucket: str | None) -> None:
    output.out.print(f"Written: {output.safe(written)}")
    if (size := written.stat().st_size) > MAX_BODY:
        output.out.print(
            f"It has {size:,} bytes, and CloudFormation takes {MAX_BODY:,} in a call: give it the "
            "template's address in a bucket (template_url in Terraform, --s3-bucket with the AWS "
            "CLI and SAM).",
            soft_wrap=True,
        )
    if bucket is None:
        output.out.print(
            f"Put {output.safe(folder)}/{FOLDER} into a bucket of the stack's region "
            f"(aws s3 cp {output.safe(folder)}/{FOLDER} s3://BUCKET/{FOLDER} --recursive) and "
            f"deploy with the parameter {BUCKET}=BUCKET.",
            soft_wrap=True,
        )
    else:
        where = f"s3://{bucket}/{FOLDER}/{written.name}"
        output.out.print(f"In the bucket: {output.safe(where)}", soft_wrap=True)
