"""What people do who are away: say who answers for them, for some days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.cursor import decode_cursor, encode_cursor
from hitl_approval.domain.delegation import Delegation, check_may_delegate, delegate, stand_in
from hitl_approval.domain.errors import Unauthenticated
from hitl_approval.domain.permission import is_one_of
from hitl_approval.domain.person import may_be_one
from hitl_approval.ports.outside import Clock
from hitl_approval.ports.records import Delegations, Inbox, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationService:
    """Who answers for whom.

    Attributes:
        delegations: what was said.
        clock: time.
        operators: who may say so for others.
        sign_in_max_age: how old a sign-in by JWT may be that says so. Default: of any age.
    """

    delegations: Delegations
    clock: Clock
    operators: Sequence[str] = ()
    sign_in_max_age: timedelta | None = None

    def delegate(
        self,
        actor: Actor,
        *,
        giver: str,
        to: str,
        starts_at: datetime | None,
        until: datetime,
    ) -> Delegation:
        """Let another person answer what somebody is asked, instead of who did before.

        Raises:
            ApprovalError: it is refused (see `domain.delegation.delegate`).
        """
        given = delegate(
            actor,
            giver=giver,
            to=to,
            starts_at=starts_at,
            until=until,
            now=self.clock.now(),
            operators=self.operators,
        )
        check_age(actor, self.sign_in_max_age, now=self.clock.now())
        self.delegations.put(given)
        return given

    def end(self, actor: Actor, giver: str) -> Delegation | None:
        """End what somebody has given; what stood.

        Raises:
            Forbidden: this person may not.
        """
        check_may_delegate(actor, giver, self.operators)
        return self._unless_over(self.delegations.end(giver))

    def standing(self, actor: Actor, giver: str) -> tuple[Delegation | None, Sequence[Delegation]]:
        """What somebody has given, and what was given to them; what is over is not shown.

        Raises:
            Forbidden: this person may not see it.
        """
        check_may_delegate(actor, giver, self.operators)
        given = self._unless_over(self.delegations.of(giver))
        return given, self.delegations.to(giver, after=self.clock.now())

    def by_which(self, approval: Approval, actor: Actor) -> Delegation | None:
        """By which delegation this person may answer a request; None where it takes none.

        Who is asked themselves, or has answered, costs no read.
        """
        return stand_in(approval, actor, self.known(approval, actor), now=self.clock.now())

    def known(self, approval: Approval, actor: Actor) -> Sequence[Delegation]:
        """What those who are asked have given to this person, where that could matter."""
        asked = approval.asked
        if not approval.pending or not asked or is_one_of(asked, actor.name):
            return ()
        if approval.vote_of(actor.name) is not None:
            return ()
        return self.delegations.to(actor.name, after=self.clock.now(), givers=asked)

    def awaiting(self, inbox: Inbox, name: str, *, limit: int, cursor: str | None) -> Page:
        """One page of what awaits this person's answer, in their own place or in another's.

        What expires first comes first; what they answer for another has `on_behalf_of`.
        """
        now = self.clock.now()
        own = inbox.awaiting(name, limit=limit, cursor=cursor)
        given = [one for one in self.delegations.to(name, after=now) if one.is_active(now)]
        if not given:
            return own
        pages = [(None, own)] + [
            (one.giver, inbox.awaiting(one.giver, limit=limit, cursor=cursor)) for one in given
        ]
        found: dict[tuple[str, str], dict[str, object]] = {}
        for giver, page in pages:
            for item in page.items:
                asked_by = item["requester"]
                if giver and (may_be_one(name, asked_by) or may_be_one(giver, asked_by)):
                    continue
                place = {"on_behalf_of": giver} if giver else {}
                found.setdefault((item["expires_at"], item["approval_id"]), {**item, **place})
        # A page that goes on ends the list: what comes after its end may not be known of others.
        ends = [decode_cursor(page.cursor) for _, page in pages if page.cursor]
        keys = [key for key in sorted(found) if not ends or key <= min(ends)]
        if len(keys) > limit:
            return Page([found[key] for key in keys[:limit]], encode_cursor(*keys[limit - 1]))
        return Page([found[key] for key in keys], encode_cursor(*min(ends)) if ends else None)

    def _unless_over(self, one: Delegation | None) -> Delegation | None:
        return one if one is not None and self.clock.now() < one.until else None


def check_age(actor: Actor, oldest: timedelta | None, *, now: datetime) -> None:
    """Whether a sign-in is young enough to decide, or to say who decides.

    Raises:
        Unauthenticated: it is too old, or does not say how old it is.
    """
    if oldest is None or actor.identity != "jwt":
        return
    if actor.signed_in_at is None or now - actor.signed_in_at > oldest:
        raise Unauthenticated(
            f"to decide, sign in again: this sign-in is older than {oldest}, or does not say "
            "when it was made (auth_time)",
            max_age_seconds=int(oldest.total_seconds()),
        )
