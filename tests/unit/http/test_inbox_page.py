"""The inbox people work in: what awaits them, found by what they know of it, several at once."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from hitl_approval.domain.audit import Actor
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.http.inbox_page import MAX_CARD, MAX_CARD_ROWS, MAX_SELECTED, answer
from hitl_approval.http.visitor import Visitor
from hitl_approval.testing import World
from tests.anything import any_opening, any_request, declared
from tests.unit.http.by_sign_in import ANN, BOB, RITA, asked, call, snapshot

PICK = re.compile(r'name="(pick-[^"]+)" value="([0-9a-f]{64})"')


def see(world: World, **more: Any) -> str:
    answered = call(world, "GET /inbox", **more)
    assert answered["statusCode"] == 200, answered["body"]
    return str(answered["body"])


def ask(world: World, *approvers: str, policy: Policy | None = None, **fields: Any) -> str:
    """A request with any of its fields."""
    wanted = {"approvers": approvers, "subject": "Refund", "requester": RITA} | fields
    opening = any_opening(
        now=world.clock.now(), request=any_request(**wanted), policy=policy or Policy()
    )
    approval = world.store.create(opening)
    world.inbox.add(approval, approval.deciders)
    return approval.approval_id


def picks(page: str) -> dict[str, str]:
    return dict(PICK.findall(page))


def send(world: World, who: str = ANN, query: Any = None, **form: str) -> tuple[int, str]:
    answered = call(
        world,
        "POST /inbox",
        who=who,
        query=query,
        body=urlencode(form),
        content_type="application/x-www-form-urlencoded",
        sec_fetch_site="same-origin",
    )
    return answered["statusCode"], answered["body"]


def statuses(world: World) -> list[str]:
    return [approval.status for approval in world.store.approvals.values()]


class TestLists:
    def test_should_count_what_awaits_and_say_how_each_stands(self, world: World) -> None:
        approval_id = asked(world, ANN, BOB, policy=Policy(quorum=Quorum.everyone()))
        world.decisions.decide(approval_id, declared(BOB), "approved")
        world.clock.advance(timedelta(minutes=5))
        page = see(world)
        for said in (
            "Awaits you (1)",
            "1 of 2 approvals; ann@example.com must still answer",
            "5 minutes ago",
            "55 minutes left",
        ):
            assert said in page

    def test_should_show_what_awaits_first_under_all_pending_too(self, world: World) -> None:
        asked(world, BOB, subject="Soon", timeout=timedelta(hours=1))
        asked(world, ANN, subject="Own, later", timeout=timedelta(hours=9))
        asked(world, ANN, subject="Own, soon", timeout=timedelta(hours=5))
        page = see(world, query={"show": "pending"})
        places = [page.index(f">{each}</a>") for each in ("Own, soon", "Own, later", "Soon")]
        assert places == sorted(places)
        assert page.count("Awaits you.") == 2
        assert len(picks(page)) == 2
        assert '<span class="dim">(3)</span>' in page

    def test_should_leave_out_what_was_answered_a_moment_ago(self, world: World) -> None:
        """The inbox follows the record by a moment."""
        approval_id = asked(world, ANN, subject="Answered")
        world.decisions.decide(approval_id, declared(ANN), "approved")
        assert "Answered" not in see(world)

    def test_should_show_no_form_where_nothing_awaits(self, world: World) -> None:
        asked(world, BOB)
        page = see(world, query={"show": "pending"})
        assert "checkbox" not in page
        assert "Send my decisions" not in page

    def test_should_show_a_record_that_cannot_be_read_as_one(self, world: World) -> None:
        asked(world, BOB)
        page = see(world, query={"show": "pending"})
        assert "0 of 1 approvals" in page


class TestSearch:
    @pytest.mark.parametrize(
        "search",
        [
            "café crème",
            unicodedata.normalize("NFD", "Café Crème"),
            "CAFE CREME",
            "  cafe   creme ",
            "INVOICE-2041",
            "invoice-20",
            "zoe@example.com",
            unicodedata.normalize("NFD", "ZOË"),
            "\uff43\uff41\uff46\uff45",
        ],
    )
    @pytest.mark.parametrize("show", ["mine", "pending"])
    def test_should_find_it_however_it_is_written(
        self, world: World, show: str, search: str
    ) -> None:
        ask(
            world,
            ANN,
            subject="Café Crème",
            requester="zoë@example.com",
            document_id="invoice-2041",
        )
        ask(world, ANN, subject="Another")
        page = see(world, query={"show": show, "q": search})
        assert "Café Crème</a>" in page
        assert "Another" not in page

    def test_should_find_a_street_by_either_spelling(self, world: World) -> None:
        ask(world, ANN, subject="Hauptstraße 7")
        assert "Hauptstraße" in see(world, query={"q": "HAUPTSTRASSE"})

    def test_should_find_it_by_the_beginning_of_its_id(self, world: World) -> None:
        approval_id = ask(world, ANN, subject="By id")
        assert "By id" in see(world, query={"q": approval_id[:-1]})

    def test_should_open_the_one_whose_whole_id_it_is_whatever_its_status(
        self, world: World
    ) -> None:
        approval_id = ask(world, ANN)
        world.decisions.decide(approval_id, declared(ANN), "rejected")
        answered = call(world, "GET /inbox", query={"q": f" {approval_id} "})
        assert answered["statusCode"] == 303
        assert answered["headers"]["Location"] == f"/approvals/{approval_id}"


class TestExport:
    def test_should_give_the_list_that_is_shown(self, world: World) -> None:
        ask(world, ANN, subject='=HYPERLINK("https://evil.example")')
        ask(world, ANN, subject="Ship it")
        ask(world, BOB, subject="Not hers")
        for query, found in (
            ({"show": "mine"}, 2),
            ({"show": "pending"}, 3),
            ({"show": "pending", "q": "ship"}, 1),
            ({"show": "mine", "q": "hers"}, 0),
            ({"show": "approved"}, 0),
        ):
            answered = call(world, "GET /inbox", query={**query, "format": "csv"})
            assert answered["headers"]["Content-Type"] == "text/csv; charset=utf-8"
            assert "attachment" in answered["headers"]["Content-Disposition"]
            assert answered["body"].startswith("\ufeffapproval_id,status,subject,")
            assert answered["body"].count("\r\n") == found + 1
        assert ",=HYPERLINK" not in call(world, "GET /inbox", query={"format": "csv"})["body"]

    def test_should_lead_there_from_the_list(self, world: World) -> None:
        page = see(world, query={"show": "approved", "q": "a b"})
        assert 'href="/inbox?show=approved&amp;q=a+b&amp;format=csv"' in page


LONG = {
    "many fields": {f"field {n}": n for n in range(MAX_CARD_ROWS + 1)},
    "a long one": {"sql": "x" * MAX_CARD + "; DROP TABLE customers"},
    "fields in a field": {"to": {"name": "Cid"}},
    "several lines": {"sql": "SELECT 1;\nDROP TABLE customers"},
    "long by what is not seen": {"sql": "\u200b" * 80 + "DROP"},
}


class TestSeveral:
    @pytest.mark.parametrize("decision", ["approved", "rejected"])
    def test_should_decide_each_that_was_selected_and_no_other(
        self, world: World, decision: str
    ) -> None:
        one, two, three = (asked(world, ANN, subject=f"Request {n}") for n in (1, 2, 3))
        selected = picks(see(world))
        del selected[f"pick-{two}"]
        status, page = send(world, decision=decision, comments="in one go", **selected)
        assert status == 200
        assert f"2 of 2 {decision}" in page
        found = {id_: world.store.approvals[id_] for id_ in (one, two, three)}
        assert [a.status for a in found.values()] == [decision, "pending", decision]
        [vote] = found[one].votes
        assert (vote.approver, vote.identity, vote.comments) == (ANN, "jwt", "in one go")

    def test_should_refuse_by_itself_what_needs_more_than_this_form(self, world: World) -> None:
        plain = ask(world, ANN, subject="Plain")
        strict = ask(world, ANN, subject="Strict", policy=Policy(require_comment_on_rejection=True))
        status, page = send(world, decision="rejected", **picks(see(world)))
        assert status == 200
        assert "1 of 2 rejected" in page
        assert "Please say why: a rejection needs a reason." in page
        assert world.store.approvals[plain].status == "rejected"
        assert world.store.approvals[strict].pending

    def test_should_refuse_by_itself_what_others_have_decided_since(self, world: World) -> None:
        approval_id = asked(world, ANN, BOB)
        asked(world, ANN)
        selected = picks(see(world))
        world.decisions.decide(approval_id, declared(BOB), "rejected")
        _, page = send(world, decision="approved", **selected)
        assert "1 of 2 approved" in page
        assert "bob@example.com" in page
        assert sorted(statuses(world)) == ["approved", "rejected"]

    def test_should_refuse_each_by_a_sign_in_that_is_too_old(self, world: World) -> None:
        asked(world, ANN)
        selected = picks(see(world))
        limited = dataclasses.replace(world.decisions, sign_in_max_age=timedelta(minutes=15))
        before = snapshot(world)
        visitor = Visitor.by_authorizer(Actor(ANN, "jwt"))
        page = answer({}, {"decision": "approved", **selected}, visitor, limited)
        assert "0 of 1 approved" in page["body"]
        assert "sign in again" in page["body"]
        assert snapshot(world) == before

    @pytest.mark.parametrize("context", LONG.values(), ids=LONG)
    def test_should_approve_nothing_that_the_list_does_not_show_whole(
        self, world: World, context: dict[str, Any]
    ) -> None:
        approval_id = ask(world, ANN, context=context)
        page = see(world)
        assert "here it can only be rejected" in page
        assert "DROP" not in page
        _, page = send(world, decision="approved", **picks(page))
        assert "The list does not show all of it: open it to approve it." in page
        assert world.store.approvals[approval_id].pending
        _, page = send(world, decision="rejected", **picks(see(world)))
        assert world.store.approvals[approval_id].status == "rejected"

    def test_should_approve_nothing_that_a_list_masks(self, world: World) -> None:
        approval_id = ask(world, ANN, context={"iban": "DE02"}, sensitive=["iban"])
        page = see(world)
        assert "DE02" not in page
        _, page = send(world, decision="approved", **picks(page))
        assert "open it to approve it" in page
        assert world.store.approvals[approval_id].pending

    def test_should_show_the_fields_that_it_lets_approve(self, world: World) -> None:
        ask(world, ANN, context={"amount": "70 EUR", "to": "Cid\u202e"})
        page = see(world)
        assert '<span class="dim">amount</span> 70 EUR' in page
        assert "Cid\\u202e" in page
        assert "only be rejected" not in page

    def test_should_decide_only_what_was_listed_as_it_was(self, world: World) -> None:
        """A form of another request, of another person, or of other content."""
        one, two = asked(world, ANN), asked(world, ANN, BOB)
        of_ann, of_bob = picks(see(world)), picks(see(world, who=BOB))
        before = snapshot(world)
        for nonce in (of_ann[f"pick-{two}"], of_bob[f"pick-{two}"], "0" * 64, "é", ""):
            _, page = send(world, decision="approved", **{f"pick-{one}": nonce})
            assert "0 of 1 approved" in page
            assert "not what the list showed any more" in page
        assert snapshot(world) == before

    def test_should_decide_at_most_so_many(self, world: World) -> None:
        before = snapshot(world)
        form = {f"pick-{n}": "0" * 64 for n in range(MAX_SELECTED + 1)}
        status, page = send(world, decision="approved", **form)
        assert (status, "Please select at most 25 at once" in page) == (400, True)
        form.popitem()
        assert "0 of 25 approved" in send(world, decision="approved", **form)[1]
        assert snapshot(world) == before

    def test_should_keep_what_was_filled_in_when_something_is_missing(self, world: World) -> None:
        approval_id = asked(world, ANN)
        selected = picks(see(world))
        for form, said in (
            (selected, "Please choose whether to approve or to reject."),
            ({"decision": "approved"}, "Please select at least one request."),
            ({**selected, "decision": "maybe"}, "Please choose"),
            ({**selected, "decision": "approved", "comments": "x" * 2001}, "at most 2000"),
        ):
            status, page = send(world, **{"comments": "kept", **form})
            assert (status, said in page) == (400, True)
            assert form.get("comments", "kept") in page
            assert (f"{selected[f'pick-{approval_id}']}" in page) is True
            assert (" checked" in page.split("</style>")[1]) is (form != {"decision": "maybe"})
        assert statuses(world) == ["pending"]

    def test_should_say_what_is_not_there(self, world: World) -> None:
        _, page = send(world, decision="approved", **{"pick-none": "0" * 64})
        assert "There is no such approval." in page

    def test_should_say_that_nobody_acts_on_a_decision_any_more(self, world: World) -> None:
        approval_id = asked(world, ANN, callback_id=None)
        world.executions.ended.add(world.store.approvals[approval_id].execution_arn)
        _, page = send(world, decision="approved", **picks(see(world)))
        assert "has ended and will not act on it" in page

    def test_should_take_no_form_of_another_site(self, world: World) -> None:
        asked(world, ANN)
        selected = picks(see(world))
        answered = call(
            world,
            "POST /inbox",
            body=urlencode({"decision": "approved", **selected}),
            content_type="application/x-www-form-urlencoded",
            sec_fetch_site="cross-site",
        )
        assert answered["statusCode"] == 403
        assert statuses(world) == ["pending"]

    def test_should_go_back_to_the_list_that_it_was(self, world: World) -> None:
        asked(world, ANN)
        query = {"show": "pending", "q": "budget"}
        page = see(world, query=query)
        assert 'action="/inbox?show=pending&amp;q=budget"' in page
        _, page = send(world, query=query, decision="approved", **picks(page))
        assert 'href="/inbox?show=pending&amp;q=budget"' in page


class TestForAnother:
    def test_should_list_and_decide_what_is_asked_of_who_is_away(self, world: World) -> None:
        theirs = ask(world, ANN)
        own_request = ask(world, ANN, subject="Own", requester=BOB)
        assert PICK.search(see(world, who=BOB)) is None
        world.decisions.delegating.delegate(
            Actor(ANN, "jwt"),
            giver=ANN,
            to=BOB,
            starts_at=None,
            until=world.clock.now() + timedelta(days=1),
        )
        page = see(world, who=BOB)
        assert f"For {ANN}." in page
        assert own_request not in page
        form = call(world, "GET /approvals/{approval_id}", who=BOB, approval_id=theirs)["body"]
        assert f"Your decision for {ANN}" in form
        assert 'value="approved"' in form
        others = call(world, "GET /approvals/{approval_id}", who=BOB, approval_id=own_request)
        assert 'value="approved"' not in others["body"]
        _, said = send(world, who=BOB, decision="approved", **picks(page))
        assert f"Approved by {BOB} for {ANN}." in said
        receipt = call(world, "GET /approvals/{approval_id}", who=BOB, approval_id=theirs)["body"]
        assert f"You approved this for {ANN}" in receipt
        assert PICK.search(see(world, who=BOB)) is None
