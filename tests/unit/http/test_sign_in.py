"""Signing in with a browser. Threat: somebody signs another in, or is taken for another."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from hitl_approval.http.sign_in import AT_ONCE, SESSION, TIME_TO_SIGN_IN, own_path
from hitl_approval.testing import World
from tests.signing import ISSUER, public_key
from tests.unit.http.by_browser import PUBLIC, Browser, FakeIssuer, LocalMac
from tests.unit.http.by_sign_in import ANN, BOB, asked, snapshot

SESSION_COOKIE = "__Host-hitl-session"


@pytest.fixture
def issuer(world: World) -> FakeIssuer:
    return FakeIssuer(world)


@pytest.fixture
def browser(world: World, issuer: FakeIssuer) -> Browser:
    return Browser(world, issuer)


def refused(browser: Browser, answer: Any, title: str) -> None:
    """Nobody is signed in, and a page says so."""
    assert answer["statusCode"] in {401, 403}
    assert f"<h1>{title}</h1>" in answer["body"]
    assert SESSION_COOKIE not in browser.cookies
    assert browser.led(browser.open("/inbox")).startswith(f"{PUBLIC}/sign-in?")


def nonce_of(page: str) -> str:
    [found] = re.findall(
        r'action="/sign-out"><input type="hidden" name="nonce" value="(\w+)"', page
    )
    return str(found)


class TestWay:
    def test_should_come_back_to_where_one_wanted_to_go(
        self, world: World, browser: Browser
    ) -> None:
        approval_id = asked(world, ANN)
        answer = browser.sign_in(f"/approvals/{approval_id}")
        assert browser.led(answer) == f"{PUBLIC}/approvals/{approval_id}"
        page = browser.open(f"/approvals/{approval_id}")
        assert page["statusCode"] == 200
        assert ANN in page["body"]
        [left] = browser.cookies  # what the sign-in was begun with is gone
        assert left == SESSION_COOKIE

    def test_should_lead_to_the_same_list(self, browser: Browser) -> None:
        answer = browser.sign_in("/inbox?show=pending&subject=a%20b")
        assert browser.led(answer) == f"{PUBLIC}/inbox?show=pending&subject=a%20b"

    def test_should_lead_the_address_itself_to_the_inbox(self, browser: Browser) -> None:
        assert "next=%2Finbox" in browser.led(browser.open("/"))
        browser.sign_in()
        assert browser.led(browser.open("/")) == "/inbox"

    def test_should_decide_as_who_has_signed_in(self, world: World, browser: Browser) -> None:
        approval_id = asked(world, ANN, BOB)
        browser.sign_in(f"/approvals/{approval_id}")
        page = browser.open(f"/approvals/{approval_id}")["body"]
        [nonce] = re.findall(r'name="nonce" value="([0-9a-f]{64})">\n<fieldset', page)
        form = {"nonce": nonce, "decision": "approved", "comments": ""}
        answer = browser.open(f"/approvals/{approval_id}", "POST", form)
        assert (answer["statusCode"], "You approved this" in answer["body"]) == (200, True)
        [vote] = world.store.approvals[approval_id].votes
        assert (vote.approver, vote.identity) == (ANN, "jwt")

    def test_should_send_the_issuer_a_challenge_and_keep_what_solves_it(
        self, browser: Browser
    ) -> None:
        query = parse_qs(urlsplit(browser.begin()).query)
        assert query["redirect_uri"] == [f"{PUBLIC}/sign-in/callback"]
        for name in ("state", "nonce", "code_challenge"):
            assert len(query[name][0]) == 43
        assert not {"max_age", "prompt"} & query.keys()

    def test_should_demand_a_fresh_sign_in_where_decisions_do(self, browser: Browser) -> None:
        browser.max_age = timedelta(minutes=15)
        assert parse_qs(urlsplit(browser.begin()).query)["max_age"] == ["900"]

    def test_should_end_with_the_working_day(self, world: World, browser: Browser) -> None:
        browser.sign_in()
        world.clock.advance(SESSION - timedelta(seconds=1))
        assert browser.open("/inbox")["statusCode"] == 200
        world.clock.advance(timedelta(seconds=2))
        assert browser.open("/inbox")["statusCode"] == 303

    def test_should_take_a_key_that_the_issuer_has_only_just_published(
        self, browser: Browser, issuer: FakeIssuer
    ) -> None:
        issuer.new_keys = [public_key("new")]
        assert browser.led(browser.sign_in(key="new")) == f"{PUBLIC}/inbox"

    def test_should_keep_two_sign_ins_apart_that_were_begun_together(
        self, browser: Browser, issuer: FakeIssuer
    ) -> None:
        one, two = browser.begin("/inbox?show=approved"), browser.begin("/inbox?show=rejected")
        for address, where in ((one, "approved"), (two, "rejected")):
            answer = browser.open(issuer.authorize(address))
            assert browser.led(answer) == f"{PUBLIC}/inbox?show={where}"

    def test_should_not_let_begun_sign_ins_fill_the_browser(self, browser: Browser) -> None:
        for _ in range(3 * AT_ONCE):
            browser.begin()
            assert len(browser.cookies) <= AT_ONCE

    def test_should_take_a_form_back_that_was_sent_without_a_session(
        self, world: World, browser: Browser
    ) -> None:
        approval_id = asked(world, ANN)
        before = snapshot(world)
        answer = browser.open(f"/approvals/{approval_id}", "POST", {"decision": "approved"})
        refused(browser, answer, "Please sign in again")
        assert f"next=%2Fapprovals%2F{approval_id}" in answer["body"]
        assert snapshot(world) == before

    def test_should_ask_for_a_fresh_sign_in_to_decide(self, world: World, browser: Browser) -> None:
        approval_id = asked(world, ANN)
        browser.max_age = timedelta(minutes=15)
        old = int((world.clock.now() - timedelta(hours=1)).timestamp())
        browser.sign_in(auth_time=old)
        page = browser.open(f"/approvals/{approval_id}")["body"]
        [nonce] = re.findall(r'name="nonce" value="([0-9a-f]{64})">\n<fieldset', page)
        before = snapshot(world)
        form = {"nonce": nonce, "decision": "approved"}
        answer = browser.open(f"/approvals/{approval_id}", "POST", form)
        assert answer["statusCode"] == 401
        assert "Please sign in again to decide" in answer["body"]
        assert "again=1" in answer["body"]
        assert snapshot(world) == before
        again = browser.open(f"/sign-in?{urlencode({'next': '/inbox', 'again': '1'})}")
        assert parse_qs(urlsplit(browser.led(again)).query)["prompt"] == ["login"]


class TestRefusals:
    """Each is one attack; nobody is signed in after it."""

    NOT_BEGUN = "This sign-in was not begun in this browser"
    BROKEN = "You were not signed in"

    def test_should_refuse_a_code_in_a_browser_that_began_no_sign_in(
        self, world: World, issuer: FakeIssuer, browser: Browser
    ) -> None:
        """An attacker sends a victim the end of the attacker's own sign-in."""
        mine = Browser(world, issuer)
        link = issuer.authorize(mine.begin(), email="eve@example.com")
        refused(browser, browser.open(link), self.NOT_BEGUN)
        assert issuer.redeemed == []

    def test_should_refuse_a_code_of_another_browser_with_ones_own_state(
        self, world: World, issuer: FakeIssuer, browser: Browser
    ) -> None:
        """A code that was caught elsewhere is put into a sign-in of the attacker's."""
        caught = parse_qs(urlsplit(issuer.authorize(Browser(world, issuer).begin())).query)["code"]
        mine = parse_qs(urlsplit(browser.begin()).query)["state"]
        query = urlencode({"code": caught[0], "state": mine[0]})
        refused(browser, browser.open(f"/sign-in/callback?{query}"), self.BROKEN)

    def test_should_refuse_the_state_of_another_sign_in(
        self, issuer: FakeIssuer, browser: Browser
    ) -> None:
        """Its cookie is renamed to that of another state."""
        first = issuer.authorize(browser.begin())
        cookie, value = next(iter(browser.cookies.items()))
        browser.cookies.clear()
        second = issuer.authorize(browser.begin())
        other = next(iter(browser.cookies))
        browser.cookies = {other: value}
        assert cookie != other
        refused(browser, browser.open(second), self.NOT_BEGUN)
        browser.cookies = {other: value}
        refused(browser, browser.open(first), self.NOT_BEGUN)

    def test_should_refuse_the_same_end_a_second_time(
        self, issuer: FakeIssuer, browser: Browser
    ) -> None:
        end = issuer.authorize(browser.begin())
        browser.led(browser.open(end))
        del browser.cookies[SESSION_COOKIE]
        refused(browser, browser.open(end), self.NOT_BEGUN)
        assert len(issuer.redeemed) == 1

    def test_should_refuse_a_code_that_was_redeemed_before(
        self, issuer: FakeIssuer, browser: Browser
    ) -> None:
        """Also in the browser that has kept its cookie."""
        end = issuer.authorize(browser.begin())
        kept = dict(browser.cookies)
        browser.led(browser.open(end))
        browser.cookies = kept
        refused(browser, browser.open(end), self.BROKEN)

    def test_should_refuse_a_sign_in_that_took_too_long(
        self, world: World, issuer: FakeIssuer, browser: Browser
    ) -> None:
        end = issuer.authorize(browser.begin())
        world.clock.advance(TIME_TO_SIGN_IN)
        refused(browser, browser.open(end), self.NOT_BEGUN)

    def test_should_refuse_what_the_issuer_refuses(self, browser: Browser) -> None:
        state = parse_qs(urlsplit(browser.begin()).query)["state"][0]
        query = urlencode({"error": "access_denied", "error_description": "<b>", "state": state})
        answer = browser.open(f"/sign-in/callback?{query}")
        refused(browser, answer, self.BROKEN)
        assert "access_denied" not in answer["body"]

    def test_should_refuse_the_answer_of_another_issuer(
        self, issuer: FakeIssuer, browser: Browser
    ) -> None:
        """RFC 9207: an issuer that says who it is says another name."""
        end = issuer.authorize(browser.begin())
        refused(browser, browser.open(f"{end}&iss=https%3A%2F%2Fevil.example"), self.BROKEN)
        end = issuer.authorize(browser.begin())
        assert browser.led(browser.open(f"{end}&{urlencode({'iss': ISSUER})}"))

    @pytest.mark.parametrize(
        "how",
        [
            {"iss": "https://evil.example.com"},
            {"aud": "another"},
            {"nonce": "another"},
            {"nonce": None},
            {"exp": 1},
            {"key": "theirs"},
            {"key": "theirs", "header": {"kid": "ours"}},
            {"header": {"alg": "none"}},
        ],
        ids=str,
    )
    def test_should_refuse_the_token(self, browser: Browser, how: dict[str, Any]) -> None:
        refused(browser, browser.sign_in(**how), self.BROKEN)

    @pytest.mark.parametrize(
        "how",
        [
            {"email": None},
            {"email_verified": False},
            {"email_verified": None},
            {"token_use": "access"},
            {"email": "a\nb"},
        ],
        ids=str,
    )
    def test_should_refuse_a_token_that_names_nobody(
        self, browser: Browser, how: dict[str, Any]
    ) -> None:
        refused(browser, browser.sign_in(**how), "Your sign-in does not say who you are")

    def test_should_take_no_name_from_the_event(self, world: World, browser: Browser) -> None:
        """No authorizer stands before these routes: what looks like one is nobody's."""
        answer = browser.open("/inbox", authorization="Bearer x", x_amzn_oidc_identity=ANN)
        assert answer["statusCode"] == 303

    def test_should_refuse_a_session_that_was_altered(self, browser: Browser) -> None:
        browser.sign_in()
        kept = browser.cookies[SESSION_COOKIE]
        browser.cookies[SESSION_COOKIE] = f"{kept[:20]}{'A' if kept[20] != 'A' else 'B'}{kept[21:]}"
        assert browser.open("/inbox")["statusCode"] == 303

    def test_should_refuse_the_session_of_another_deployment(
        self, world: World, issuer: FakeIssuer, browser: Browser
    ) -> None:
        other = Browser(world, issuer, LocalMac(b"another deployment's"))
        other.sign_in()
        browser.cookies = other.cookies
        assert browser.open("/inbox")["statusCode"] == 303

    @pytest.mark.parametrize("field", ["issuer", "client_id"])
    def test_should_refuse_a_session_from_before_the_issuer_was_changed(
        self, browser: Browser, issuer: FakeIssuer, field: str
    ) -> None:
        browser.sign_in()
        setattr(issuer, field, "https://new.example.com")
        assert browser.open("/inbox")["statusCode"] == 303

    def test_should_refuse_a_begun_sign_in_as_a_session(self, browser: Browser) -> None:
        browser.begin()
        browser.cookies = {SESSION_COOKIE: next(iter(browser.cookies.values()))}
        assert browser.open("/inbox")["statusCode"] == 303

    def test_should_make_a_new_session_whatever_the_browser_brings(
        self, world: World, issuer: FakeIssuer, browser: Browser
    ) -> None:
        """Session fixation: eve has put her own session into ann's browser."""
        eve = Browser(world, issuer)
        eve.sign_in(email="eve@example.com")
        browser.cookies = dict(eve.cookies)
        begun = browser.led(browser.open("/sign-in?next=/inbox"))
        browser.led(browser.open(issuer.authorize(begun)))
        assert browser.cookies[SESSION_COOKIE] != eve.cookies[SESSION_COOKIE]
        assert ANN in browser.open("/inbox")["body"]
        assert "eve@example.com" in eve.open("/inbox")["body"]

    def test_should_refuse_the_form_of_another_session(
        self, world: World, issuer: FakeIssuer, browser: Browser
    ) -> None:
        """CSRF: eve knows the page, and the nonce of her own form."""
        approval_id = asked(world, ANN)
        eve = Browser(world, issuer)
        eve.sign_in(email="eve@example.com")
        browser.sign_in()
        digest = world.store.approvals[approval_id].content_digest
        before = snapshot(world)
        stolen = nonce_of(eve.open("/inbox")["body"])
        for nonce in (digest, stolen, ""):
            form = {"nonce": nonce, "decision": "approved"}
            answer = browser.open(f"/approvals/{approval_id}", "POST", form)
            assert answer["statusCode"] == 403
        assert snapshot(world) == before

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_should_refuse_the_form_of_another_site(
        self, world: World, browser: Browser, site: str
    ) -> None:
        approval_id = asked(world, ANN)
        browser.sign_in()
        page = browser.open(f"/approvals/{approval_id}")["body"]
        [nonce] = re.findall(r'name="nonce" value="([0-9a-f]{64})">\n<fieldset', page)
        form = {"nonce": nonce, "decision": "approved"}
        answer = browser.open(f"/approvals/{approval_id}", "POST", form, sec_fetch_site=site)
        assert answer["statusCode"] == 403
        assert world.store.approvals[approval_id].pending

    @pytest.mark.parametrize(
        "address",
        [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/inbox/../..//evil.example",
            "@evil.example",
            ".evil.example",
            "/inbox\r\nSet-Cookie: a=b",
            "/approvals/a?next=//evil.example",
            "/approvals/a/../../sign-out",
            "/sign-out",
            "/v1/inbox",
            "/a/token",
            "/inbox#@evil.example",
            "javascript:alert(1)",
            "/inbox?" + "x" * 2000,
            "",
        ],
    )
    def test_should_lead_nowhere_else(
        self, issuer: FakeIssuer, browser: Browser, address: str
    ) -> None:
        """Open redirect: the address to come back to is a stranger's."""
        begun = browser.led(browser.open(f"/sign-in?{urlencode({'next': address})}"))
        assert browser.led(browser.open(issuer.authorize(begun))) == f"{PUBLIC}/inbox"

    def test_should_know_its_own_paths(self) -> None:
        for path in ("/inbox", "/inbox?show=pending&cursor=a%2Fb", "/approvals/Az-_09"):
            assert own_path(path) == path
        assert own_path(None) == "/inbox"


class TestSigningOut:
    def test_should_end_here_and_lead_to_the_issuer(self, browser: Browser) -> None:
        browser.sign_in()
        nonce = nonce_of(browser.open("/inbox")["body"])
        answer = browser.open("/sign-out", "POST", {"nonce": nonce})
        assert browser.cookies == {}
        assert "You are signed out" in answer["body"]
        address = answer["headers"]["Refresh"].removeprefix("0;url=")
        assert address.startswith(f"{ISSUER}/bye?a=b&")
        query = parse_qs(urlsplit(address).query)
        assert query["post_logout_redirect_uri"] == [f"{PUBLIC}/sign-out"]
        assert "You are signed out" in browser.open("/sign-out")["body"]

    def test_should_show_nothing_to_who_goes_back(self, world: World, browser: Browser) -> None:
        asked(world, ANN, subject="Secret plan")
        browser.sign_in()
        page = browser.open("/inbox")["body"]
        assert "Secret plan" in page
        browser.open("/sign-out", "POST", {"nonce": nonce_of(page)})
        again = browser.open("/inbox")
        assert (again["statusCode"], "Secret plan" in again["body"]) == (303, False)

    def test_should_speak_to_cognito_in_its_own_words(
        self, issuer: FakeIssuer, browser: Browser
    ) -> None:
        issuer.issuer = "https://cognito-idp.eu-central-1.amazonaws.com/pool"
        browser.sign_in(iss=issuer.issuer)
        nonce = nonce_of(browser.open("/inbox")["body"])
        answer = browser.open("/sign-out", "POST", {"nonce": nonce})
        assert (
            f"logout_uri={'https%3A%2F%2Fapprove.example.com%2Fsign-out'}"
            in (answer["headers"]["Refresh"])
        )

    def test_should_end_here_where_the_issuer_has_no_such_page(
        self, issuer: FakeIssuer, browser: Browser
    ) -> None:
        issuer.end_session = None
        browser.sign_in()
        nonce = nonce_of(browser.open("/inbox")["body"])
        answer = browser.open("/sign-out", "POST", {"nonce": nonce})
        assert ("Refresh" in answer["headers"], browser.cookies) == (False, {})

    def test_should_refuse_to_sign_out_by_the_form_of_another(
        self, world: World, issuer: FakeIssuer, browser: Browser
    ) -> None:
        eve = Browser(world, issuer)
        eve.sign_in(email="eve@example.com")
        nonce = nonce_of(eve.open("/inbox")["body"])
        browser.sign_in()
        assert browser.open("/sign-out", "POST", {"nonce": nonce})["statusCode"] == 403
        assert SESSION_COOKIE in browser.cookies

    def test_should_ask_before_it_signs_out_and_never_by_a_link(self, browser: Browser) -> None:
        browser.sign_in()
        answer = browser.open("/sign-out")
        assert "Sign out?" in answer["body"]
        assert ANN in answer["body"]
        assert SESSION_COOKIE in browser.cookies
        browser.open("/sign-out", "POST", {"nonce": nonce_of(answer["body"])})
        assert browser.cookies == {}

    def test_should_be_signed_out_already(self, browser: Browser) -> None:
        answer = browser.open("/sign-out", "POST", {"nonce": ""})
        assert (answer["statusCode"], "You are signed out" in answer["body"]) == (200, True)
