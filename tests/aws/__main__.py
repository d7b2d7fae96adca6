"""Deploy one throw-away stack, try it, delete it: `make e2e-aws`, with your own credentials.

python -m tests.aws                    in your account, after asking
python -m tests.aws --target local     the same in a local cloud, so that it is known to work

Bodies of `tests/e2e` that need nothing local are run as they stand; `observations` settles what the
local cloud cannot know. The exit status is 1 if anything failed; the stack is deleted either way.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import boto3

from hitl_approval_cli import cdk
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.local import LocalCloud
from tests.aws import observations
from tests.aws.observations import Observed
from tests.deployed import ROOT, Live
from tests.e2e import test_one_approval as one_approval
from tests.e2e import test_sweep as sweeping

Body = Callable[[Live], object]


def _decided(decision: str) -> Body:
    body = one_approval.test_should_carry_a_decision_to_the_row_the_result_and_the_audit
    return lambda live: body(live, decision)


def _garbage(live: Live) -> None:
    body = one_approval.test_should_approve_nothing_when_a_callback_brings_garbage
    body(live, b'{"decision": "approved"}')


BODIES: Mapping[str, Body] = {
    "an approval": _decided("approved"),
    "a rejection": _decided("rejected"),
    "a timeout": one_approval.test_should_write_a_timeout_to_the_row_and_the_result,
    "a withdrawal": one_approval.test_should_end_with_a_cancellation,
    "a start twice": one_approval.test_should_start_one_workflow_when_the_start_is_delivered_twice,
    "garbage by callback": _garbage,
    "an invalid start": one_approval.test_should_fail_an_invalid_start_before_any_row_or_message,
    "a refusal": one_approval.test_should_refuse_with_a_code_over_the_wire,
    "a stopped workflow": sweeping.test_should_find_once_a_decision_whose_workflow_was_stopped,
    "an overdue request": sweeping.test_should_close_a_request_whose_workflow_was_stopped,
    "a lost callback": sweeping.test_should_resume_a_workflow_that_was_not_resumed,
}
"""What each tries -> the body of the test that does."""


@dataclass
class Report:
    """What was seen, in its order."""

    failed: list[str] = field(default_factory=list)

    def run(self, what: str, body: Callable[[], object]) -> None:
        """Run one body and say how it went."""
        began = time.monotonic()
        try:
            seen = body()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  pytest's own failures are no Exception
            self.failed.append(what)
            where = traceback.extract_tb(error.__traceback__)[-1]
            at = f"{where.name}:{where.lineno}"
            self.say(f"FAILED  {what}: {type(error).__name__}: {error} ({at})")
        else:
            seen = f": {seen}" if isinstance(seen, str) else ""
            self.say(f"ok      {what}{seen} ({time.monotonic() - began:.1f} s)")

    def say(self, line: str) -> None:
        """One line, at once."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


@dataclass(frozen=True)
class Target:
    """Where the stack is tried.

    Attributes:
        environment: what the CDK CLI needs beside the user's own variables.
        region: of it.
        endpoint_url: of the local cloud; None for AWS.
    """

    environment: Mapping[str, str]
    region: str
    endpoint_url: str | None = None

    def deploy(self, stack: str, scratch: Path, **context: str) -> Live:
        """`cdk deploy` of the app, as a user types it."""
        assembly = scratch / "cdk.out"
        values = {"stack_name": stack, "removal_policy": "destroy", **context}
        cdk.finish("cdk synth", cdk.start_synth(ROOT, self.environment, values, assembly))
        cdk.finish("cdk deploy", cdk.start_deploy(ROOT, self.environment, assembly))
        return Live(stack, Deployment(stack, self.region, None, self.endpoint_url))


@contextmanager
def local() -> Iterator[Target]:
    """A local cloud of its own."""
    with LocalCloud.start() as cloud:
        environment = cloud.environment()
        os.environ.update(environment)
        cdk.finish("cdk bootstrap", cdk.start_bootstrap(ROOT, environment))
        yield Target(environment, cloud.region, cloud.endpoint_url)


@contextmanager
def aws(*, asked: bool) -> Iterator[Target]:
    """The account of the user's credentials, if the user agrees."""
    session = boto3.Session()
    who = session.client("sts").get_caller_identity()
    region = session.region_name
    if region is None:
        sys.exit("no AWS region: set AWS_REGION")
    question = f"Deploy and delete one stack in account {who['Account']}, {region}? [y/N] "
    if not asked and input(question).strip().lower() != "y":
        sys.exit("Nothing was done.")
    theirs = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    yield Target({**theirs, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}, region)


def tried(target: Target, report: Report) -> None:
    """Deploy, try, delete."""
    stack = f"hitl-e2e-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory(prefix="hitl-e2e-") as folder:
        scratch = Path(folder)
        began = time.monotonic()
        report.say(f"Deploying {stack} ...")
        try:
            live = target.deploy(stack, scratch)
            report.say(f"ok      deployed ({time.monotonic() - began:.0f} s)")
            observed = Observed(live)
            observed.listen()
            for what, body in BODIES.items():
                report.run(what, partial(body, live))
            for what, observe in observations.OBSERVATIONS.items():
                report.run(what, partial(observe, observed))
            again = partial(target.deploy, stack, scratch, log_level="DEBUG")
            report.run("a deployment while an execution waits", partial(observed.across, again))
            if target.endpoint_url is None:
                report.run("metrics", observed.metrics)
            report.run("nothing was denied", observed.denied)
        finally:
            report.run("deleted", partial(observations.delete, stack, target.region))


def main() -> None:
    """Try it; the exit status says whether all went well."""
    parser = argparse.ArgumentParser(prog="python -m tests.aws")
    parser.add_argument("--target", choices=["aws", "local"], default="aws")
    parser.add_argument("--yes", action="store_true", help="do not ask first")
    given = parser.parse_args()
    report = Report()
    with local() if given.target == "local" else aws(asked=given.yes) as target:
        tried(target, report)
    if report.failed:
        sys.exit(f"{len(report.failed)} failed: {', '.join(report.failed)}")
    report.say("All went well; nothing is left but the code in CDK's bootstrap bucket.")


if __name__ == "__main__":
    main()
