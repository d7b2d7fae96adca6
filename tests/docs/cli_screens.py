"""The pictures of the command in `docs/screens/`: the real command over a deployment in memory."""

from __future__ import annotations

import io
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rich.console import Console

from hitl_approval.adapters.items import marshal, read_item
from hitl_approval.contract import Output
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.testing import World, in_memory
from hitl_approval.usecases import records
from hitl_approval_cli import clock, main, output
from hitl_approval_cli.commands import doctor
from hitl_approval_cli.deployment import Deployment
from tests.anything import any_opening, any_request, declared
from tests.cli.fake_cloud import FakeCloud

FOLDER = Path(__file__).parents[2] / "docs" / "screens"
COLUMNS = 100
PAYMENT = "1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c"


def scene() -> World:
    """Three requests; of the payment, which two of three must approve, ann has."""
    world = in_memory()
    policy = Policy(quorum=Quorum.at_least(2))
    for approval_id, hours, subject, requester in (
        ("7a1c9be04d2f4c0e8f5b6a3d2c1e0f98", 47, "Delete the customer data of 2015", "privacy-bot"),
        (PAYMENT, 8, "Pay 70,000 EUR to Nordwind Logistics", "rita@example.com"),
        ("c3d5e7f90a1b42c3d4e5f60718293a4b", 2, "Publish the press release", "kim@example.com"),
    ):
        invoice = approval_id == PAYMENT
        opening = any_opening(
            approval_id=approval_id,
            now=world.clock.now(),
            policy=policy if invoice else None,
            timeout=timedelta(hours=hours, minutes=30),
            request=any_request(
                subject=subject,
                requester=requester,
                approvers=("ann", "bob", "cid"),
                document_id="invoice-2041" if invoice else None,
                context={"amount": "70,000.00 EUR", "supplier": "Nordwind Logistics"},
            ),
        )
        approval = world.store.create(opening)
        world.inbox.add(approval, approval.deciders)
        world.clock.advance(timedelta(minutes=3))
    world.decisions.decide(PAYMENT, declared("ann"), "approved", "Matches the order.")
    world.clock.advance(timedelta(minutes=9))
    return world


def inbox(world: World) -> None:
    """Nothing more happens before `hitl inbox --mine`."""


def unhealthy(world: World) -> None:
    """The second approval, of which the workflow has not read the decision for an hour."""
    decided(world)
    world.clock.advance(timedelta(hours=1))


class Account:
    """STS, SNS, CloudWatch and the index of what is stuck, as `hitl doctor` finds them."""

    def __init__(self, world: World) -> None:
        self.world = world

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::123456789012:user/ann"}

    def get_topic_attributes(self, **_: Any) -> dict[str, Any]:
        return {"Attributes": {"SubscriptionsConfirmed": "2", "SubscriptionsPending": "1"}}

    def list_subscriptions_by_topic(self, **_: Any) -> dict[str, Any]:
        listed = {"confirmed": "ann@example.com", "PendingConfirmation": "bob@example.com"}
        return {
            "Subscriptions": [
                {"SubscriptionArn": arn, "Endpoint": endpoint} for arn, endpoint in listed.items()
            ]
        }

    def get_metric_statistics(self, **_: Any) -> dict[str, Any]:
        return {"Datapoints": []}

    def describe_table(self, **_: Any) -> dict[str, Any]:
        return {"Table": {"TableStatus": "ACTIVE"}}

    def query(self, **asked: Any) -> dict[str, Any]:
        values = read_item(asked["ExpressionAttributeValues"])
        if ":postponed" in values:
            return {"Items": []}
        before = datetime.fromisoformat(values[":before"])
        found = next(
            self.world.store.overdue(values[":attention"], before=before, limit=asked["Limit"])
        )
        return {"Items": [marshal({"approval_id": approval_id}) for approval_id in found]}


def decided(world: World) -> None:
    """The second approval."""
    world.decisions.decide(PAYMENT, declared("bob"), "approved", "Checked against the contract.")


Scene = tuple[tuple[str, ...], Callable[[World], None]]
SCREENS: Mapping[str, Scene] = {
    "cli-inbox": (("inbox", "--mine", "--as", "bob"), inbox),
    "cli-show": (("show", PAYMENT[:6]), inbox),
    "cli-doctor": (("doctor",), unhealthy),
    "cli-history": (("history", PAYMENT[:6]), decided),
}
"""Name of the picture -> the command, and what happens before."""


def draw(name: str) -> str:
    """One picture as SVG; always the same."""
    words, before = SCREENS[name]
    with patch.object(records, "token_urlsafe", lambda _: "salt"):  # the same hashes each time
        world = scene()
        before(world)
    cloud, account = FakeCloud(world), Account(world)
    cloud.executions = [approval.execution_arn for approval in world.store.approvals.values()]
    cloud.have_functions("Workflow", "Approval", "Sweep")
    cloud.rules["sweep"] = {"Target": "sweep", "State": "ENABLED"}
    cloud.clients = dict.fromkeys(("sts", "sns", "cloudwatch", "dynamodb"), account)
    cloud.outputs |= {
        Output.WORKFLOW_VERSION: "3",
        Output.VERSION: "1.0.0",
        Output.SNS_TOPIC_ARN: "topic",
        Output.PERSONAL_TOPIC_ARN: "personal",
        Output.SWEEP_FUNCTION_NAME: "sweep",
    }
    recorded = Console(
        file=io.StringIO(), record=True, width=COLUMNS, force_terminal=True, highlight=False,
        emoji=False, color_system="truecolor", legacy_windows=False,
    )  # fmt: skip
    with ExitStack() as stack:
        stack.enter_context(
            patch.object(Deployment, "client", lambda _, service: cloud.client(service))
        )
        stack.enter_context(patch.object(Deployment, "region_name", "eu-central-1"))
        stack.enter_context(patch.object(doctor, "LIBRARY_VERSION", "1.0.0"))
        stack.enter_context(patch.object(output, "out", recorded))
        stack.enter_context(patch.object(clock, "now", world.clock.now))
        stack.enter_context(_utc())
        recorded.print(f"[bold]$ hitl {' '.join(words)}[/]")
        main.run(words)
    svg = recorded.export_svg(title="hitl", unique_id=name)
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # fetched from elsewhere
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def take() -> None:
    """Write every picture."""
    FOLDER.mkdir(exist_ok=True)
    for name in SCREENS:
        (FOLDER / f"{name}.svg").write_text(draw(name), encoding="utf-8")


@contextmanager
def _utc() -> Iterator[None]:
    """The local zone is UTC: the pictures are the same everywhere."""
    try:
        with patch.dict(os.environ, {"TZ": "UTC"}):
            time.tzset()
            yield
    finally:
        time.tzset()


if __name__ == "__main__":
    take()
