"""Size of what Lambda loads, and what a cold process takes until it has answered.

Processes run in the bundle's folder with nothing else installed, and write no compiled code, as on
Lambda. Seconds are the process's own CPU time, so that a busy machine does not count; AWS is an
HTTP server in this process (`tests/infra/fake_aws.py`).
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from bench.figures import Chart, Figure, Group, Table, number
from hitl_approval_cdk import bundling, lambda_python
from tests.environment import CREDENTIALS, ENVIRONMENT, EXTRAS
from tests.infra.every_call import link_event, signed_in_event
from tests.infra.fake_aws import fake_aws

MEGABYTE = 1_000_000

BEGIN = """
import sys, time
sys.path[:] = [sys.argv[1], *(p for p in sys.path if "site-packages" not in p)]
"""
END = "\nprint(time.process_time())\n"

BASE = {
    "workflow": ("dynamodb", "sns", "lambda"),
    "approval_api": ("dynamodb", "lambda"),
    "sweep": ("dynamodb", "lambda"),
    "publisher": ("dynamodb", "events"),
    "page": ("dynamodb", "lambda"),
    "signed_in": ("dynamodb", "lambda"),
}
"""The services that each function must call, the workflow's checkpoints included."""

FIRST = {
    "workflow": """
import workflow.handler
from datetime import timedelta
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.usecases.request import ResolvedRequest
from hitl_approval.wiring import request_service
from aws_durable_execution_sdk_python.lambda_service import LambdaClient
LambdaClient.initialize_client()
service = request_service()
request = ApprovalRequest(subject="s", requester="r")
hour = timedelta(hours=1)
resolved = ResolvedRequest(request=request, approvers=(), policy=Policy(), timeout=hour)
one = {"approval_id": str(time.time_ns()), "execution_arn": "arn", "creation_token": "t"}
written = service.submit(resolved, **one, callback_id="c")
service.notify(written.approval_id, written)
""",
    "approval_api": """
import approval_api.handler
answer = approval_api.handler.handler(
    {"action": "decide", "approval_id": "none", "decision": "approved", "approver": "bob"}, None)
assert answer["statusCode"] == 404, answer
""",
    "sweep": """
import sweep.handler
sweep.handler.handler(None, None)
""",
    "publisher": """
import publisher.handler
from hitl_approval.wiring import publish_service
publish_service().store.get("none")
""",
    "page": f"""
import page.handler
answer = page.handler.handler({link_event()!r}, None)
assert answer["statusCode"] == 404, answer["body"]
""",
    "signed_in": f"""
import signed_in.handler
answer = signed_in.handler.handler({signed_in_event("GET /inbox")!r}, None)
assert answer["statusCode"] == 200, answer["body"]
""",
}
"""A first request of each function; the workflow's without its engine's own bookkeeping."""


def measure(quick: bool) -> Group:
    """Bundle once, start many processes of the Python that Lambda runs."""
    python = lambda_python.find()
    if python is None:
        sys.exit(f"cold starts are measured on Python {lambda_python.VERSION}: install it")
    with tempfile.TemporaryDirectory() as folder, fake_aws() as (endpoint, _):
        bundle, layer, source = (Path(folder) / name for name in ("functions", "layer", "source"))
        bundling.bundle(bundling.Sources.found(), "arm64", bundle)
        bundling.bundle(bundling.Sources.found().for_layer(), "arm64", layer)
        shutil.copytree(bundle, source, ignore=shutil.ignore_patterns("__pycache__"))
        times = {
            name: [
                cpu_seconds(python, where, endpoint, program, 3 if quick else 9)
                for program, where in zip(
                    [*_programs(name), *_programs(name)[2:]],
                    [bundle, bundle, source, source, bundle, bundle],
                    strict=True,
                )
            ]
            for name in BASE
        }
        sizes = zipped(bundle) / MEGABYTE, zipped(layer) / MEGABYTE
    return Group(
        title="Bundle and cold start",
        figures=[
            Figure(
                name="functions' bundle, zipped",
                measured=sizes[0],
                unit="MB",
                baseline=sizes[1],
                against="the layer, whole",
                limit=6,
            ),
            *(
                Figure(
                    name=f"{name}: {what}",
                    measured=1000 * times[name][mine],
                    unit="ms CPU",
                    baseline=1000 * times[name][base],
                    against="boto3's clients" + (" and the SDK" if name == "workflow" else ""),
                    limit=1,
                    goal="ratio at most",
                )
                for name in BASE
                for what, mine, base in (("import", 0, 2), ("first request", 1, 3))
            ),
        ],
        charts=[
            Chart(
                file="startup.svg",
                title="A cold process until its first answer, CPU time",
                unit="ms",
                labels=list(BASE),
                series={
                    "handler": [1000 * times[name][1] for name in BASE],
                    "boto3 alone": [1000 * times[name][3] for name in BASE],
                },
            )
        ],
        notes=[
            (
                "Import is measured against importing boto3 and making the clients that the "
                "function needs (for the workflow, importing the durable SDK too); a first request "
                "against that and one read. Both baselines are compiled when they are imported, as "
                "in an asset that brings its own boto3 and no compiled code; the last two columns "
                "have compiled code too."
            )
        ],
        tables=[
            Table(
                title="CPU milliseconds of a cold process",
                head=(
                    *("", "import", "first request", "clients alone", "clients and one read"),
                    *("clients, compiled", "and one read"),
                ),
                rows=[
                    (name, *(number(round(1000 * seconds), "") for seconds in row))
                    for name, row in times.items()
                ],
            )
        ],
    )


def _programs(name: str) -> tuple[str, str, str, str]:
    """Import, first request, clients alone, clients and one read."""
    sdk = "import aws_durable_execution_sdk_python\n" if name == "workflow" else ""
    clients = "".join(f"clients[{s!r}] = boto3.client({s!r})\n" for s in BASE[name])
    base = f"import boto3\n{sdk}clients = {{}}\n{clients}"
    key = '{"approval_id": {"S": "x"}}'
    table = ENVIRONMENT["APPROVALS_TABLE_NAME"]
    read = f'clients["dynamodb"].get_item(TableName="{table}", Key={key})\n'
    return f"import {name}.handler\n", FIRST[name], base, base + read


def cpu_seconds(python: str, bundle: Path, endpoint: str, program: str, times: int) -> float:
    """The least CPU time that a fresh process needed for a program."""
    taken = []
    for _ in range(times):
        done = subprocess.run(
            [python, "-I", "-S", "-B", "-c", BEGIN + program + END, str(bundle)],
            env={
                **os.environ,
                **ENVIRONMENT,
                **EXTRAS,
                **CREDENTIALS,
                "SIGNING_KEY_ARN": "",
                "AWS_ENDPOINT_URL": endpoint,
            },
            capture_output=True,
            text=True,
            check=True,
        )
        taken.append(float(done.stdout.split()[-1]))
    return min(taken)


def zipped(folder: Path) -> int:
    """Bytes of a folder as Lambda takes it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder))
    return len(archive.getvalue())
