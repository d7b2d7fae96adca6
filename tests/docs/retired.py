"""Words that this project no longer uses for its ideas, and the word that took the place of each.

One list for the docs, the code, the command's output, the API and the metrics; the last three are
written in the code. `docs/glossary.md` has the words that are used.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

PLACES = (".",)
"""What is searched, as `git ls-files` takes it: the whole tree."""

RETIRED: Mapping[str, str] = {
    r"doorbells?|bells?|rings?|rang|rung|ringing": "callback; to complete a callback",
    r"wak(e|es|ing|er|ers)|woken?|awake": "to resume",
    r"hears?|heard|unheard|hearing": "to resume; has read the decision; to be notified",
    r"arm(s|ed|ing)?": "to create a callback; to register a callback",
    r"looks?|looked|looking": "to check; to read",
    r"acknowledges?|acknowledged": "mark_resumed",
    r"told|untold": "notified (people); published (systems)",
    r"relay(s|ed|ing)?|announc(e|es|ed|ing|ements?)": "publisher; to publish; bus event",
    r"mend(s|ed|ing)?": "to repair",
}
"""Pattern of a word, in any case -> what is written in its place."""

RETIRED_NAMES: Mapping[str, str] = {
    r"\bTerms\b": "ResolvedRequest",
    r"\bAsking\b": "options.py",
    r"\bsettle\(": "resolve",
    r"(?<!best )\beffort\b": "cost_model",
    r"\bOurs: ": "a sentence that says where the number comes from",
    r"will re-check": "delayed",
}
"""Pattern of a name or a phrase, in this case only -> what is written in its place."""

PHRASES: Mapping[str, str] = {
    r"looks?[ _](alike|like|as|the[ _]same)\b|look[-_]alike": "to resemble: no check of a record",
    r"looks good": "a comment that the public pattern's commands have",
    r"\b(arm64|aarch64)\b|\bARM_64\b": "a processor",
    r"def arm\(self, wake: datetime\)": "the durable engine calls a clock so",
    r"self\._moment, wake\)": "the same",
    r"\.acknowledge\(|acknowledge_info\(|acknowledgment": "cdk-nag's own word",
    r"ACKNOWLEDGED_RULES|acknowledged-issue-numbers": "the CDK's own words",
}
"""Pattern of a phrase, in any case, in which a word may stand -> why."""

EXCEPTIONS: Mapping[str, str] = {
    "examples/typescript/package-lock.json": "npm writes it: names of processors",
    "tests/docs/retired.py": "the list itself",
    "tests/docs/test_retired.py": "shows that the list finds what it must",
    "stacks/hitl_approval_cdk/nag.py": "`acknowledge` is cdk-nag's own word",
}
"""File -> why it may have such words."""

WORDS_WITHIN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
"""The words of a text: of `note_told`, `ResumeFailed` and `RESUME_FAILED` each part is one."""
_ANY = re.compile("|".join(f"(?:{pattern})" for pattern in RETIRED), re.IGNORECASE)
_NAMES = re.compile("|".join(RETIRED_NAMES))
_PHRASES = re.compile("|".join(f"(?:{pattern})" for pattern in PHRASES), re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """One retired word in a file.

    Attributes:
        file: the file's place in the repository.
        line: the number of the line, from 1; 0 for the file's name.
        word: the word as it is written.
    """

    file: str
    line: int
    word: str


def retired(text: str) -> list[str]:
    """The retired words of a line, in order."""
    rest = _PHRASES.sub("", text)
    found = [word[0] for word in WORDS_WITHIN.finditer(rest) if _ANY.fullmatch(word[0])]
    return [*found, *(name[0] for name in _NAMES.finditer(rest))]


def files(*places: str) -> list[str]:
    """Every text file that git tracks in some places, without the exceptions."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *places],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    written = {".md", ".py", ".html", ".css", ".js", ".toml", ".yaml", ".json", ".svg", ".ts", ""}
    return sorted(
        name
        for name in filter(None, listed.stdout.split("\0"))
        if Path(name).suffix in written and name not in EXCEPTIONS and (ROOT / name).is_file()
    )


def search(*places: str) -> Iterator[Found]:
    """Each retired word in some places, in the files' names and in what they contain."""
    for name in files(*places):
        for word in retired(name):
            yield Found(name, 0, word)
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), 1):
            for word in retired(line):
                yield Found(name, number, word)
