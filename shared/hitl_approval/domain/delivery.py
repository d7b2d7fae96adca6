"""Who is reached how: by which channels, and at which address of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, get_args

from hitl_approval.contract import Channel
from hitl_approval.domain.text import MAX_PERSON, spelling

_MAIL_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}"
)
"""What needs no quotes and no other alphabet (RFC 5321, Mailbox, without quoted strings)."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a channel reaches somebody.

    Attributes:
        channel: what carries the messages.
        address: as that channel knows the person: an e-mail address for SES; for SNS the name by
            which subscriptions filter.
    """

    channel: Channel
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """By which channels each person is reached. Names count as `domain.text.spelling` has them.

    Attributes:
        people: the addresses of those who are listed, at most one of each channel.
            Default: nobody is listed.
        mail: whether SES reaches everybody else whose name is an e-mail address. Default: it does
            not; who is not listed is reached by SNS.
        slack: whether Slack reaches everybody whose name is an e-mail address, besides.
            Default: it does not.
        audiences: what is no person and gets each request once, and how it has ended: channels and
            webhooks, by the names that messages to them have. Default: none.
    """

    people: Mapping[str, Sequence[Address]] = field(default_factory=dict)
    mail: bool = False
    slack: bool = False
    audiences: Mapping[str, Address] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError: two addresses of one channel for one person, or none at all."""
        people = {spelling(name): tuple(addresses) for name, addresses in self.people.items()}
        for name, addresses in people.items():
            channels = {each.channel for each in addresses}
            if not channels or len(channels) < len(addresses):
                msg = f"{name!r} must have one address of each channel, at least one"
                raise ValueError(msg)
        object.__setattr__(self, "people", people)

    def channels_of(self, person: str) -> Sequence[Address]:
        """Every address at which a person is sent messages: one of each channel, at least one."""
        found = self.people.get(spelling(person))
        is_mail = is_mail_address(person)
        if found is None:
            by_mail = self.mail and is_mail
            found = (Address("ses", person.strip(" ")) if by_mail else Address("sns", person),)
        if self.slack and is_mail:
            return (*found, Address("slack", person.strip(" ")))
        return found

    def address_of(self, person: str, channel: Channel) -> str | None:
        """Where that channel reaches a person by now; None where it does not."""
        audience = self.audiences.get(person)
        reached = self.channels_of(person) if audience is None else [audience]
        found = (each.address for each in reached if each.channel == channel)
        return next(found, None)

    def to_dict(self) -> dict[str, Any]:
        """The directory as JSON values, as `from_dict` reads them."""
        return {
            "mail": self.mail,
            "slack": self.slack,
            "audiences": {
                name: {each.channel: each.address} for name, each in self.audiences.items()
            },
            "people": {
                name: {each.channel: each.address for each in addresses}
                for name, addresses in self.people.items()
            },
        }

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """The directory that `to_dict` has written.

        Raises:
            ValueError: something else.
        """
        try:
            people, audiences = (
                {
                    name: [Address(channel, address) for channel, address in addresses.items()]
                    for name, addresses in values[part].items()
                }
                for part in ("people", "audiences")
            )
            switches = {name: values[name] for name in ("mail", "slack")}
        except (AttributeError, KeyError, TypeError):
            msg = "must be an object with audiences, mail, people and slack"
            raise ValueError(msg) from None
        for name, addresses in (people | audiences).items():
            for each in addresses:
                if each.channel not in get_args(Channel) or not isinstance(each.address, str):
                    known = ", ".join(get_args(Channel))
                    msg = f"{name!r} must have addresses by channel, which are {known}"
                    raise ValueError(msg)
        if not all(isinstance(switch, bool) for switch in switches.values()):
            msg = "mail and slack must be true or false"
            raise ValueError(msg)
        if not all(len(addresses) == 1 for addresses in audiences.values()):
            msg = "audiences must have one address each"
            raise ValueError(msg)
        return cls(
            people=people, audiences={name: one for name, [one] in audiences.items()}, **switches
        )


def is_mail_address(name: str) -> bool:
    """Whether SES can send to somebody by this name: an e-mail address in ASCII.

    Other alphabets are not taken: to write a domain in ASCII is to choose among spellings, and a
    mail with a personal link must go to nobody else's.
    """
    address = name.strip(" ")
    return len(address) <= MAX_PERSON and _MAIL_ADDRESS.fullmatch(address) is not None
