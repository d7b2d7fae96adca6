"""What binds a form to who has signed in."""

from __future__ import annotations

from hitl_approval.domain.audit import Actor
from hitl_approval.http.visitor import Visitor

ANN, BOB = Actor("Ann@example.com", "jwt"), Actor("bob@example.com", "jwt")


def test_should_bind_a_form_to_the_sign_in_and_to_what_it_is_about() -> None:
    nonces = {
        Visitor(ANN, secret).nonce(about) for secret in ("one", "two") for about in ("a", "b")
    }
    assert len(nonces) == 4


def test_should_bind_a_form_to_the_person_where_there_are_no_sessions() -> None:
    ann, again = (
        Visitor.by_authorizer(Actor(n, "jwt")) for n in ("Ann@example.com", "ann@example.com")
    )
    assert ann.nonce("a") == again.nonce("a")
    assert ann.nonce("a") != Visitor.by_authorizer(BOB).nonce("a")


def test_should_sign_out_only_where_they_have_signed_in_here() -> None:
    assert Visitor(ANN, "secret").sign_out_nonce
    assert Visitor.by_authorizer(ANN).sign_out_nonce == ""
