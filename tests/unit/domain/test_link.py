"""Personal links: what a token holds, whose it is, and the code beside it."""

from __future__ import annotations

import pytest

from hitl_approval.contract import MessageKind
from hitl_approval.domain.link import (
    CHALLENGE_CHARACTERS,
    SECRET_BYTES,
    approval_of,
    digest_of,
    find_message,
    form_nonce,
    is_challenge,
    is_nonce,
    make_challenge,
    make_token,
    personal_link,
)
from hitl_approval.domain.message import Message

ID = "1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c"
SECRET = bytes(range(SECRET_BYTES))


def sent(recipient: str, *tokens: str, kind: MessageKind = "requested") -> Message:
    links = tuple(map(digest_of, tokens))
    return Message(approval_id=ID, sequence=1, kind=kind, recipient=recipient, links=links)


def test_should_name_its_approval_in_the_token() -> None:
    assert approval_of(make_token(ID, SECRET)) == ID


@pytest.mark.parametrize("token", ["", ID, f"{ID}.", f"{ID}.short", f"{ID}.ü", None, 7, [ID]])
def test_should_take_nothing_else_for_a_token(token: object) -> None:
    assert approval_of(token) is None


def test_should_refuse_a_secret_that_is_too_short() -> None:
    refused = f"{SECRET_BYTES} bytes, got {SECRET_BYTES - 1}"
    with pytest.raises(ValueError, match=refused):
        make_token(ID, SECRET[1:])
    with pytest.raises(ValueError, match=refused):
        make_challenge(SECRET[1:])


def test_should_find_whose_link_a_token_opens() -> None:
    token = make_token(ID, SECRET)
    messages = [sent("ann", "another", token), sent("bob", "bob's")]
    assert find_message(messages, token) is messages[0]
    assert find_message(messages, "bob's") is messages[1]
    assert find_message(messages, token[:-1]) is None
    assert token not in repr(messages)


def test_should_open_nothing_by_a_message_that_asks_for_no_answer() -> None:
    token = make_token(ID, SECRET)
    assert find_message([sent("rita", token, kind="outcome")], token) is None


def test_should_lead_to_the_page() -> None:
    assert personal_link("https://page.example", "T") == "https://page.example/a/T"


def test_should_take_a_code_however_it_is_typed() -> None:
    challenge = make_challenge(SECRET)
    assert len(challenge.replace("-", "")) == CHALLENGE_CHARACTERS
    assert is_challenge(f" {challenge.lower().replace('-', ' ')} ", challenge)
    assert not is_challenge(challenge[:-1], challenge)
    assert not is_challenge("", challenge)


def test_should_bind_a_form_to_its_link_and_to_what_it_shows() -> None:
    nonce = form_nonce("token", "digest")
    assert is_nonce(nonce, form_nonce("token", "digest"))
    assert not is_nonce(nonce, form_nonce("token", "another"))
    assert not is_nonce(nonce, form_nonce("another", "digest"))
    assert not is_nonce("\ud800", nonce)
