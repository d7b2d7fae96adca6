"""The tables of a request's fields, written by `make docs` from their declaration."""

from __future__ import annotations

from pathlib import Path

from hitl_approval.domain.request import CONTENT, FIELDS

DOCS = Path(__file__).parents[2] / "docs"
START, END = "<!-- request fields: make docs -->\n", "<!-- end of request fields -->\n"


def request_table() -> str:
    """What `ApprovalRequest` takes, and how an event names it."""
    rows = ["| field | in an event | |", "|---|---|---|"]
    for name, field in FIELDS.items():
        event = f"`{field.event}`" if field.event else "-"
        required = " Required." if field.required else ""
        rows.append(f"| `{name}` | {event} | {field.described}{required} |")
    return "\n" + "\n".join(rows) + "\n\n"


def event_rows() -> str:
    """The texts of a request that a bus event repeats."""
    return "".join(
        f"| `{name}` | string or null | {field.doc} |\n" for name, field in CONTENT.items()
    )


def embedding() -> str:
    """`docs/embedding.md` with its table."""
    text = (DOCS / "embedding.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, end, after = rest.partition(END)
    assert end, START
    return before + START + request_table() + END + after


def events() -> str:
    """`docs/events.md` with its rows of a request's texts."""
    text = (DOCS / "events.md").read_text(encoding="utf-8")
    before, first, rest = text.partition("| `subject` |")
    _, last, after = rest.partition("| `approvers` |")
    assert first
    assert last
    return before + event_rows() + last + after


def write() -> None:
    """Write both pages."""
    (DOCS / "embedding.md").write_text(embedding(), encoding="utf-8")
    (DOCS / "events.md").write_text(events(), encoding="utf-8")


if __name__ == "__main__":
    write()
