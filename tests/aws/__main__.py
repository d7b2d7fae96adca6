"""Deploy three throw-away stacks, try them, delete them: `make e2e-aws`, with your credentials.

python -m tests.aws                    in your account, after asking
python -m tests.aws --target local     the same in a local cloud, so that it is known to work

Bodies of `tests/e2e` that need nothing local are run as they stand; `observations` settles what the
local cloud cannot know. The exit status is 1 if anything failed; all is deleted either way.
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
from typing import TypeVar

import boto3

from hitl_approval_cli import cdk
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.local import LocalCloud
from tests.aws import bodies, observations
from tests.aws.observations import Observed
from tests.deployed import ROOT, Live
from tests.e2e import test_embedded as embedded
from tests.e2e.embedding import EmbeddingApp

Made = TypeVar("Made")
OPTIONS = {"operators": "olga"}
"""Whom the examples of `hitl --help` name."""


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

    def made(self, what: str, make: Callable[[], Made]) -> Made | None:
        """What a body makes; None if it failed."""
        found: list[Made] = []
        self.run(what, lambda: found.append(make()))
        return found[0] if found else None

    def say(self, line: str) -> None:
        """One line, at once."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


@dataclass(frozen=True)
class Target:
    """Where the stacks are tried; a cloud to `EmbeddingApp`.

    Attributes:
        variables: what the CDK CLI needs beside the user's own.
        region: of it.
        endpoint_url: of the local cloud; None for AWS.
    """

    variables: Mapping[str, str]
    region: str
    endpoint_url: str | None = None

    def environment(self) -> Mapping[str, str]:
        """What the CDK CLI needs beside the user's own variables."""
        return self.variables

    def embed(self, script: Path, stack: str, scratch: Path) -> EmbeddingApp:
        """`cdk deploy` of an app that is one script."""
        folder = scratch / stack
        folder.mkdir()
        app = EmbeddingApp.of(self, script, stack, folder)
        app.deploy(STACK=stack, CODE_FOLDER=embedded.written(app, "first"))
        return app

    def deploy(self, stack: str, scratch: Path, **context: str) -> Live:
        """`cdk deploy` of the app, as a user types it."""
        assembly = scratch / "cdk.out"
        values = {"stack_name": stack, "removal_policy": "destroy", **OPTIONS, **context}
        cdk.finish("cdk synth", cdk.start_synth(ROOT, self.variables, values, assembly))
        cdk.finish("cdk deploy", cdk.start_deploy(ROOT, self.variables, assembly))
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
    question = f"Deploy and delete three stacks in account {who['Account']}, {region}? [y/N] "
    if not asked and input(question).strip().lower() != "y":
        sys.exit("Nothing was done.")
    theirs = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    yield Target({**theirs, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}, region)


def tried(target: Target, report: Report) -> None:
    """Deploy, try, delete."""
    stack = f"hitl-e2e-{uuid.uuid4().hex[:8]}"
    others = {script: f"{stack}-{script.stem.replace('_', '-')}" for script in bodies.APPS}
    with tempfile.TemporaryDirectory(prefix="hitl-e2e-") as folder:
        scratch = Path(folder)
        began = time.monotonic()
        report.say(f"Deploying {stack} ...")
        try:
            live = target.deploy(stack, scratch)
            report.say(f"ok      deployed ({time.monotonic() - began:.0f} s)")
            observed = Observed(live)
            observed.listen()
            for what, body in bodies.ON_THE_STACK.items():
                report.run(what, partial(body, live))
            for what, observe in observations.OBSERVATIONS.items():
                report.run(what, partial(observe, observed))
            again = partial(target.deploy, stack, scratch, log_level="DEBUG")
            report.run("a deployment while an execution waits", partial(observed.across, again))
            for script, tries in bodies.APPS.items():
                embed = partial(target.embed, script, others[script], scratch)
                app = report.made(f"{script.stem} deployed", embed)
                if app is not None:
                    for what, attempt in tries.items():
                        report.run(what, partial(attempt, app))
            if target.endpoint_url is None:
                report.run("metrics", observed.metrics)
            report.run("nothing was denied", observed.denied)
        finally:
            for each in (*others.values(), stack):
                report.run(f"{each} deleted", partial(observations.delete, each, target.region))


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
