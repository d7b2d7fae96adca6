"""Who is reached how: known exactly, for a whole company, and never at somebody else's address."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.delivery import Address, Directory, is_mail_address

TOPIC = Address("sns", "ann")
MAIL = Address("ses", "ann@example.com")
DIRECTORY = Directory(
    people={
        "Ann": [TOPIC, MAIL],
        "bot@example.com": [Address("sns", "bot@example.com")],
        "bob": [Address("ses", "bob@example.com")],
    },
    mail=True,
    audiences={"channel C1": Address("slack", "C1")},
)


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ("ann", (TOPIC, MAIL)),
        (" ANN ", (TOPIC, MAIL)),
        ("bob", (Address("ses", "bob@example.com"),)),
        ("Bot@example.com", (Address("sns", "bot@example.com"),)),
        ("cid@example.com", (Address("ses", "cid@example.com"),)),
        ("cid", (Address("sns", "cid"),)),
        ("cid@b\u00fccher.example", (Address("sns", "cid@b\u00fccher.example"),)),
    ],
)
def test_should_reach_people_as_they_are_listed_or_by_their_name(
    person: str, expected: tuple[Address, ...]
) -> None:
    assert tuple(DIRECTORY.channels_of(person)) == expected


def test_should_reach_everybody_by_the_topic_without_mail() -> None:
    assert Directory().channels_of("ann@example.com") == (Address("sns", "ann@example.com"),)


def test_should_not_take_one_spelling_for_another() -> None:
    directory = Directory(people={"ann": [MAIL]})
    assert directory.channels_of("\uff41nn") == (Address("sns", "\uff41nn"),)


def test_should_say_where_a_channel_reaches_somebody() -> None:
    assert DIRECTORY.address_of("ANN", "ses") == "ann@example.com"
    assert DIRECTORY.address_of("bob", "sns") is None


def test_should_be_the_same_once_it_was_written() -> None:
    assert Directory.from_dict(DIRECTORY.to_dict()) == DIRECTORY


EMPTY = Directory().to_dict()


def test_should_reach_people_by_their_address_in_slack_besides() -> None:
    directory = Directory(people={"ann": [MAIL]}, slack=True)
    by_topic = Address("sns", "bob@example.com")
    by_slack = Address("slack", "bob@example.com")
    assert directory.channels_of("bob@example.com") == (by_topic, by_slack)
    assert directory.channels_of("ann") == (MAIL,)
    assert directory.channels_of("cid") == (Address("sns", "cid"),)


def test_should_say_where_an_audience_is() -> None:
    assert DIRECTORY.address_of("channel C1", "slack") == "C1"
    assert DIRECTORY.address_of("channel C1", "ses") is None
    assert DIRECTORY.address_of("channel C2", "slack") is None


@pytest.mark.parametrize("addresses", [[], [TOPIC, Address("sns", "other")]])
def test_should_have_one_address_of_each_channel(addresses: list[Address]) -> None:
    with pytest.raises(ValueError, match="one address of each channel, at least one"):
        Directory(people={"ann": addresses})


@pytest.mark.parametrize(
    "values",
    [
        [],
        {"people": {}},
        {"mail": False},
        {**EMPTY, "mail": "no"},
        {**EMPTY, "slack": 1},
        {**EMPTY, "people": {"ann": "ann@example.com"}},
        {**EMPTY, "people": {"ann": {}}},
        {**EMPTY, "people": {"ann": {"fax": "1"}}},
        {**EMPTY, "people": {"ann": {"ses": 1}}},
        {**EMPTY, "audiences": {"channel C1": {}}},
        {**EMPTY, "audiences": {"channel C1": {"slack": "C1", "webhook": "C1"}}},
        {**EMPTY, "audiences": {"channel C1": {"slack": 1}}},
    ],
)
def test_should_refuse_what_says_something_else(values: Any) -> None:
    with pytest.raises(ValueError, match="must"):
        Directory.from_dict(values)


@pytest.mark.parametrize("name", ["ann@example.com", "a.b+c@sub.example.co.uk", " ann@x-y.org "])
def test_should_take_an_address(name: str) -> None:
    assert is_mail_address(name)


@pytest.mark.parametrize(
    "name",
    [
        "ann",
        "ann@localhost",
        "ann@example.com, bob@example.com",
        "Ann <ann@example.com>",
        "ann@example.com\r\nBcc: bob@example.com",
        "ann@example.com\n",
        '"ann"@example.com',
        "ann@-example.com",
        ".ann@example.com",
        "ann@we\u00df.example",
        "\u0430nn@example.com",
        f"{'a' * 320}@example.com",
        "arn:aws:iam::123456789012:role/Approver",
    ],
)
def test_should_take_no_other_name(name: str) -> None:
    assert not is_mail_address(name)
