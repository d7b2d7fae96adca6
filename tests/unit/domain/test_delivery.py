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
        {"mail": "no", "people": {}},
        {"mail": False, "people": {"ann": "ann@example.com"}},
        {"mail": False, "people": {"ann": {}}},
        {"mail": False, "people": {"ann": {"fax": "1"}}},
        {"mail": False, "people": {"ann": {"ses": 1}}},
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
