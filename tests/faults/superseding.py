"""A request that replaces another, while others decide the one that it replaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.contract import DOCUMENT_APPROVAL
from hitl_approval.domain.approval import Approval, Transition, derive_approval_id
from tests.faults.deployment import Deployment
from tests.faults.durable import arn_of
from tests.faults.evidence import TERMINAL
from tests.faults.scenario import Scenario, both, decision, event
from tests.faults.simulator import Actor

__all__ = ["SUPERSEDING", "came_too_late", "replaced_with_its_successor", "replaces_in_two_writes"]
AGAIN = "again"
"""The start whose request replaces the first one's."""
_REFUSED = "supersedes: names a request that has ended"


def _superseded(world: Deployment) -> None:
    """A new request replaces the first, which bob approves at the same time."""
    replaced = _replace(world)
    world.person("bob", decision(replaced, "bob", "approved"), when=world.row_exists(replaced))


def _superseded_in_peace(world: Deployment) -> None:
    """Nobody else acts on the first request."""
    _replace(world)


def _replace(world: Deployment) -> str:
    replaced = world.start("start", event())

    def again(me: Actor) -> None:
        me.wait(world.row_exists(replaced))
        me.point(frozenset({(f"execution {arn_of(AGAIN)}", True)}))
        world.start(AGAIN, event(supersedes=replaced))

    world.world.add("starter", again)
    return replaced


SUPERSEDING = [
    *both("superseded", _superseded),
    Scenario("superseded-in-peace", _superseded_in_peace),
]


def came_too_late(deployment: Deployment, arn: str, message: str) -> bool:
    """Whether a start was rightly refused: what it wanted to replace had ended before."""
    rows = deployment.rows()
    own = rows.get(derive_approval_id(arn, DOCUMENT_APPROVAL))
    replaced = rows.get(derive_approval_id(arn_of("start"), DOCUMENT_APPROVAL))
    return (
        arn == arn_of(AGAIN)
        and message.startswith(_REFUSED)
        and (own is None or own["status"] == "cancelled")
        and replaced is not None
        and replaced["status"] in TERMINAL
    )


def replaced_with_its_successor(deployment: Deployment) -> Iterator[str]:
    """18. What was replaced has ended as withdrawn, and its successor is on record, or neither."""
    rows = deployment.rows()
    for approval_id, row in rows.items():
        if (successor := row.get("superseded_by")) is not None:
            if row["status"] != "cancelled":
                yield f"{approval_id} was replaced and is {row['status']}"
            if rows.get(successor, {}).get("supersedes") != approval_id:
                yield f"{approval_id} was replaced by what is not on record"
        replaced = rows.get(row.get("supersedes", ""))
        if replaced is not None and replaced.get("superseded_by") != approval_id:
            yield f"{approval_id} is on record, and what it replaces is {replaced['status']}"


@contextmanager
def replaces_in_two_writes() -> Iterator[None]:
    """The new record first, and then the end of what it replaces."""

    def apart(self: DynamoDbStore, transition: Transition, ended: Transition) -> Approval:
        created = self.create(transition)
        self.commit(ended)
        return created

    with patch.object(DynamoDbStore, "create_instead", apart):
        yield
