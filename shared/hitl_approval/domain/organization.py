"""Whose page it is: the name, logo and color of the organization that asks."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from xml.etree import ElementTree

from hitl_approval.domain import text
from hitl_approval.domain.errors import InvalidRequest

MAX_NAME = 60
"""Longest name, in characters: it stands in a title, behind what is asked."""
MAX_LOGO = 8_192
"""Largest logo, in bytes: in the page it takes 11 KB, of the 30 KB that a page may weigh."""
ENOUGH = 4.5
"""Contrast that a text needs to be readable (WCAG 2.2, success criterion 1.4.3)."""
LIGHT = "#f3f5f8"
"""The darkest ground on which the color stands in light colors: `--soft` of the style sheet."""
DARK = "#1b212a"
"""The lightest in dark colors."""

_COLOR = re.compile(r"#[0-9a-f]{6}")
_PNG = b"\x89PNG\r\n\x1a\n"
_STEPS = 100
"""Steps in which a color is made darker or lighter until it can be read: none is seen."""


@dataclass(frozen=True, slots=True)
class Organization:
    """Whose page it is.

    Raises:
        ValueError: a name, logo or color that a page cannot have.

    Attributes:
        name: one line, at most 60 characters; it stands at the top of each page and in its title.
        color: of links and buttons in light colors, as `#rrggbb`; dark colors get a lighter shade
            of it. One that cannot be read is refused. Default: blue.
        logo: an SVG or PNG image of at most 8,192 bytes, as `Path("logo.svg").read_bytes()` gives
            it. Default: none.
    """

    name: str
    color: str | None = None
    logo: bytes | None = None

    def __post_init__(self) -> None:
        try:
            line = text.line(self.name, "organization.name", maximum=MAX_NAME)
        except InvalidRequest as error:
            raise ValueError(_sentence(error, "use the name that people know")) from None
        object.__setattr__(self, "name", line)  # the dataclass is frozen for everyone else
        if self.color is not None:
            object.__setattr__(self, "color", _readable_color(self.color))
        if self.logo is not None:
            kind_of_image(self.logo)

    @property
    def dark_color(self) -> str | None:
        """The color in dark colors: as much lighter as it must be to be read."""
        return None if self.color is None else _until_readable(self.color, "#ffffff", DARK)

    @property
    def logo_url(self) -> str | None:
        """The logo as an address that holds it whole."""
        if self.logo is None:
            return None
        return f"data:{kind_of_image(self.logo)};base64,{base64.b64encode(self.logo).decode()}"

    def to_dict(self) -> dict[str, Any]:
        """It as JSON values, for the functions that show pages."""
        logo = None if self.logo is None else base64.b64encode(self.logo).decode()
        return {"name": self.name, "color": self.color, "logo": logo}

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Read back what `to_dict` wrote.

        Raises:
            ValueError: it is something else.
        """
        if not isinstance(values, Mapping) or set(values) != {"name", "color", "logo"}:
            msg = "must be an object of name, color and logo"
            raise ValueError(msg)
        logo = values["logo"]
        try:
            image = None if logo is None else base64.b64decode(logo, validate=True)
        except (TypeError, binascii.Error):
            msg = "logo must be base64"
            raise ValueError(msg) from None
        return cls(values["name"], values["color"], image)


def kind_of_image(image: Any) -> str:
    """The media type of a logo.

    Raises:
        ValueError: neither an SVG nor a PNG image, or too large.
    """
    if not isinstance(image, bytes):
        msg = (
            f"organization.logo must be bytes, got {text.kind(image)}: "
            'use Path("logo.svg").read_bytes()'
        )
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is refused
    if len(image) > MAX_LOGO:
        msg = (
            f"organization.logo must be at most {MAX_LOGO:,} bytes, got {len(image):,}: it is "
            "sent with each page"
        )
        raise ValueError(msg)
    if image.startswith(_PNG):
        return "image/png"
    if _is_svg(image):
        return "image/svg+xml"
    msg = "organization.logo must be an SVG or PNG image: use another file"
    raise ValueError(msg)


def _is_svg(image: bytes) -> bool:
    if b"<!" in image.replace(b"<!--", b""):  # a DOCTYPE may define entities without end
        return False
    try:
        return ElementTree.fromstring(image).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  the deployer's own file, without entities
    except (ElementTree.ParseError, ValueError, LookupError):
        return False


def contrast(one: str, other: str) -> float:
    """How well two colors differ to the eye: 1 to 21 (WCAG 2.2, contrast ratio)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _readable_color(color: Any) -> str:
    spelled = color.lower() if isinstance(color, str) else ""
    if not _COLOR.fullmatch(spelled):
        msg = f"organization.color must be like #1450b4, got {text.shown(color)}"
        raise ValueError(msg)
    ratio = contrast(spelled, LIGHT)
    if ratio < ENOUGH:
        darker = _until_readable(spelled, "#000000", LIGHT)
        msg = (
            f"organization.color {spelled} has a contrast of {ratio:.1f} to 1 with the page, and "
            f"text needs {ENOUGH} to 1: use a darker one, {darker} say"
        )
        raise ValueError(msg)
    return spelled


def _until_readable(color: str, towards: str, ground: str) -> str:
    """The color, mixed with as little of another as makes it readable."""
    mixed = color
    for step in range(_STEPS + 1):
        mixed = _mix(color, towards, step / _STEPS)
        if contrast(mixed, ground) >= ENOUGH:
            break
    return mixed


def _mix(color: str, other: str, part: float) -> str:
    pairs = zip(_parts(color), _parts(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def _parts(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it; the numbers are its own."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004
        for part in (number / 255 for number in _parts(color))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _sentence(error: InvalidRequest, fix: str) -> str:
    return f"{error}: {fix}".replace("organization.name: ", "organization.name ", 1)
