"""Text from strangers: what is refused, and how the rest is shown without doing harm."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from hitl_approval.domain.errors import InvalidRequest

MAX_LINE = 1_000
"""Longest name, id or subject, in characters: whole in every mail and on every screen."""
MAX_PERSON = 320
"""Longest name of a person, in characters: the longest e-mail address (RFC 3696, errata)."""
MAX_PERSON_KEY = 1_024
"""Longest key of a person, in bytes: DynamoDB's limit of a sort key, below that of any other."""
MAX_COMMENT = 2_000
"""Longest comment, in characters: 20 votes with comments and a full context fit one item."""
MAX_SHOWN = 100
"""Characters of a refused value that stand in a message: enough to recognise it."""
MAX_SNS_SUBJECT = 99
"""SNS refuses a subject of 100 characters or more (SNS API reference, Publish)."""

SYSTEM_NAME = "hitl-approval"
"""The name under which the system itself acts on record: nobody else's."""
RULE_PREFIX = "rule:"
"""How the names begin under which a deployment's rules act on record: nobody else's."""

_APPROVAL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Characters that reorder or hide what follows them on a screen.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_ENDS = frozenset("\u2028\u2029")
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""What leaves no mark on a screen: Unicode's property Default_Ignorable_Code_Point."""
_BLANK = "\u2800"
"""Braille's blank: no space by its category, and looks like one."""
_BLANKS = frozenset(f"{_BLANK}\ufffc\U0001d159")
"""These, too: the place of an object that is not there, and a note's head that is none."""
MAX_MARKS = 8
"""Marks on one letter that are seen: Tibetan stacks that many, and more cover other lines."""
MAX_BLANKS = 80
"""Spaces in a row that are shown as such: a line of a terminal."""
MAX_EMPTY_LINES = 3
"""Empty lines in a row that are shown as such: more move what follows out of sight."""
_MARKS = frozenset({"Mn", "Me"})
_BEYOND_ASCII = re.compile(r"[^ -~]+")
_PADDING = re.compile(rf"\n(?:[^\S\n]*\n){{{MAX_EMPTY_LINES + 1},}}|[^\S\n]{{{MAX_BLANKS + 1},}}")
_OF_A_PICTURE = "\ufe0e\ufe0f"
"""Say whether the symbol before them is a picture."""
_KEYCAP = "\u20e3"
_JOINER = "\u200d"
_JOINERS = "\u200c\u200d"
"""Part and join letters of Arabic and Indic scripts (RFC 5892, appendix A)."""
_VIRAMA = 9
"""The combining class of the sign that takes a vowel from an Indic letter."""
_NEEDS_QUOTES = re.compile('[,;"]')


def _harmful(character: str) -> bool:
    return (
        unicodedata.category(character) in {"Cc", "Cs"}
        or character in _BIDI
        or character in _LINE_ENDS
        or _is_no_character(ord(character))
    )


def _is_no_character(code: int) -> bool:
    """The 66 codes that will never be characters, of which XML, and so SNS, forbids some."""
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # noqa: PLR2004  Unicode, 23.7


def line(value: Any, field: str, *, maximum: int = MAX_LINE) -> str:
    """Accept one line of visible text, stripped.

    Raises:
        InvalidRequest: not a string, empty, too long, or with control, direction or line-break
            characters.
    """
    if not isinstance(value, str):
        raise InvalidRequest(field, f"must be a string, got {kind(value)}")
    text = value.strip(" ")
    if len(text) > maximum:
        raise InvalidRequest(field, f"must be at most {maximum} characters, got {len(text)}")
    for character in text:
        if _harmful(character):
            raise InvalidRequest(
                field, f"must not contain control characters, got U+{ord(character):04X}"
            )
    if all(unicodedata.category(character)[0] in "ZC" for character in text):
        raise InvalidRequest(field, "must not be empty")
    return text


def name(value: Any, field: str) -> str:
    """Accept the name of a person or a group: a line whose `person_key` and `spelling` fit a key.

    Raises:
        InvalidRequest: as `line` raises it, or the key is empty, too long or the system's own.
    """
    text = line(value, field, maximum=MAX_PERSON)
    if person_key(text) == person_key(SYSTEM_NAME):
        raise InvalidRequest(field, f"must not be {SYSTEM_NAME}, the name of the system itself")
    if person_key(text).startswith(RULE_PREFIX):
        raise InvalidRequest(field, f"must not begin with {RULE_PREFIX}, as the names of rules do")
    if not person_key(text):
        raise InvalidRequest(field, "must not be empty")
    size = max(len(key.encode()) for key in (person_key(text), spelling(text)))
    if size > MAX_PERSON_KEY:
        rule = f"must be at most {MAX_PERSON_KEY} bytes as it is compared, got {size}"
        raise InvalidRequest(field, rule)
    return text


def comment(value: Any, field: str) -> str:
    """Accept a comment: text of several lines, or none at all.

    Raises:
        InvalidRequest: not a string, too long, or with control characters beside line breaks.
    """
    if not isinstance(value, str):
        raise InvalidRequest(field, f"must be a string, got {kind(value)}")
    text = value.replace("\r\n", "\n").strip()
    if len(text) > MAX_COMMENT:
        raise InvalidRequest(field, f"must be at most {MAX_COMMENT} characters, got {len(text)}")
    for character in text:
        if character not in "\n\t" and _harmful(character):
            raise InvalidRequest(
                field, f"must not contain control characters, got U+{ord(character):04X}"
            )
    return text


def is_approval_id(value: Any) -> bool:
    """Whether an approval could have this id: 1 to 64 letters, digits, - or _."""
    return isinstance(value, str) and _APPROVAL_ID.fullmatch(value) is not None


def field_name(name: str) -> str:
    """A stranger's field name, for a message."""
    return inert(cut(name), keep="") or '""'


def kind(value: Any) -> str:
    """A JSON name for a value's type, for messages."""
    names = {dict: "an object", list: "a list", bool: "a boolean", str: "a string"}
    if value is None:
        return "null"
    return names.get(type(value), "a number" if isinstance(value, int | float) else "another type")


def cut(text: str) -> str:
    """Text for a message: a stranger's input never stands in it whole."""
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def shown(value: Any) -> str:
    """A refused value for a message, in quotes if it is text."""
    if isinstance(value, str):
        return repr(cut(value))
    try:
        return cut(repr(value))
    except RecursionError:  # nested more deeply than Python writes out
        return kind(value)


@lru_cache(maxsize=4_096)
def person_key(name: str) -> str:
    """The key by which names that look the same are one person: it keeps out, and never lets in.

    Case, width, spaces, letters that are written as several (ß), marks that are typed apart from
    their letter and characters that are not seen (zero-width ones, say) make no difference. Who
    asked cannot decide under another spelling, and nobody answers twice. To let somebody in,
    compare by `spelling`.
    """
    before, key = "", name
    while key != before:  # what a step takes away may leave a letter and its mark side by side
        before = key
        key = unicodedata.normalize("NFKC", key).replace(_BLANK, " ")
        key = "".join(c for c in _UNSEEN.sub("", key) if unicodedata.category(c) != "Cf")
        # Upper case first: it is where i meets its dotless twin, and s the long s.
        key = " ".join(key.upper().casefold().split())
    return key


@lru_cache(maxsize=4_096)
def spelling(name: str) -> str:
    """The name as it must be written to let somebody in, whatever its case and number of spaces.

    Two ways to encode the same letters (Unicode's canonical equivalence) are one. Whom it is
    different for may still look the same: to keep somebody out, compare by `person_key`.
    """
    composed = unicodedata.normalize("NFC", re.sub(" +", " ", name.strip(" ")))
    return unicodedata.normalize("NFC", composed.lower())


@lru_cache(maxsize=4_096)
def folded(text: str) -> str:
    """A text as a search compares it: case, accents, width and spaces make no difference.

    Nor does the way in which a letter and its accent are encoded. Two names that are the same to a
    search are not the same person: for that see `person_key` and `spelling`.
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(unicodedata.normalize("NFKC", plain).casefold().split())


def inert(text: str, *, keep: str = "\n\t") -> str:
    """Show what acts on a screen or cannot be seen on it as escapes, so that text only reads.

    Control and direction characters, and characters without a mark of their own, except where they
    join letters of a script or parts of a picture, and change how these are seen; marks upon marks,
    which cover other lines. Spaces and empty lines that would move the rest out of sight are
    counted in their place.
    """
    around = f"\0{text}\0"

    def escaped(run: re.Match[str]) -> str:
        marks, pieces = 0, []
        for place, c in enumerate(run[0], start=run.start() + 1):
            marks = marks + 1 if unicodedata.category(c) in _MARKS else 0
            hidden = marks > MAX_MARKS or _harmful(c) or _is_unseen(around, place)
            pieces.append(_escaped(c) if hidden and c not in keep else c)
        return "".join(pieces)

    return _PADDING.sub(_counted, _BEYOND_ASCII.sub(escaped, text))


def _counted(padding: re.Match[str]) -> str:
    """How much there is of it, instead of itself."""
    lines = padding[0].count("\n") - 1
    return f"\n[{lines:,} empty lines]\n" if lines > 0 else f"[{len(padding[0]):,} spaces]"


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004  Python's own


def _is_unseen(text: str, place: int) -> bool:
    """Whether a character leaves no mark, and changes nothing about its neighbours."""
    before, character, after = text[place - 1], text[place], text[place + 1]
    if not (_UNSEEN.match(character) or character in _BLANKS):
        return unicodedata.category(character) == "Cf"
    if character in _OF_A_PICTURE:
        return unicodedata.category(before) not in {"So", "Sm"} and after != _KEYCAP
    if character not in _JOINERS:
        return True
    if unicodedata.combining(before) == _VIRAMA:
        return False
    if character == _JOINER:
        picture = before in _OF_A_PICTURE or unicodedata.category(before) in {"So", "Sk"}
        return not (picture and unicodedata.category(after) == "So")
    return {unicodedata.bidirectional(before), unicodedata.bidirectional(after)} != {"AL"}


def listed(names: Iterable[str]) -> str:
    """Names with commas between them; one that has a comma of its own stands in quotes."""
    return ", ".join(
        json.dumps(name, ensure_ascii=False) if _NEEDS_QUOTES.search(name) else name
        for name in names
    )


MAX_LISTED = 20
"""Names that stand in a sentence, on a page or in a message: more are counted."""


def some(names: Sequence[str], most: int = MAX_LISTED) -> tuple[str, ...]:
    """The names that are shown of many: all, or the first and how many more there are.

    One more is named: what is counted is always several.
    """
    more = len(names) - most
    return tuple(names) if more <= 1 else (*names[:most], f"{more} more")


def listed_some(names: Sequence[str]) -> str:
    """Names with commas between them, of many the first and how many more there are."""
    *first, last = some(names) or ("",)
    return listed(names) if len(first) + 1 >= len(names) else f"{listed(first)} and {last}"


def sns_subject(text: str) -> str:
    """Text as SNS takes a subject: one line of printable ASCII, fewer than 100 characters."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    cleaned = " ".join(re.sub(r"[^ -~]", " ", ascii_text).split()) or "Approval needed"
    if len(cleaned) <= MAX_SNS_SUBJECT:
        return cleaned
    return cleaned[: MAX_SNS_SUBJECT - 3].rstrip() + "..."


def canonical_json(value: Any) -> str:
    """One spelling per value: sorted keys, no spaces, ASCII. What digests are made over."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
