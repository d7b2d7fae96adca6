"""`make site`: the docs as a static site in `site/html`, with search, that needs no network.

The pages link to each other as files of the repository, so they are copied with their folders; what
else they link to (pictures, examples' code) comes along. GitHub and the site's Markdown differ in
lists: the copies are written so that both mean the same.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).with_name("zensical.toml")
WORKER = Path(__file__).with_name("site_worker.js")
STYLE = Path(__file__).with_name("site.css")

FENCE = re.compile(r"^\s*(```|~~~)")
ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s")
LINK = re.compile(r"""(?:\]\(|<a href="|<img src=")([^)"\s]+)""")
SHIM = "https://unpkg.com/iframe-worker/shim"
"""What the generator puts in for a site that is opened from a folder: a script from a CDN."""


def pages() -> list[Path]:
    """Every page of the docs, by its place in the repository."""
    found = [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/*/README.md"),
        *ROOT.glob("examples/agents/*/README.md"),
    ]
    return sorted(page.relative_to(ROOT) for page in found)


def prose(text: str) -> str:
    """A page without its fenced blocks and its code, in which nothing is a link."""
    kept, fenced = [], False
    for line in text.splitlines():
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            kept.append(re.sub(r"`[^`]*`", "``", line))
    return "\n".join(kept)


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Each relative link of a page: the file that it leads to, and the anchor in it."""
    for target in LINK.findall(prose((ROOT / page).read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (ROOT / page).parent / path if path else ROOT / page
        yield place.resolve().relative_to(ROOT), anchor


def as_the_site_reads_it(text: str) -> str:
    """The same page for Python-Markdown: lists after a blank line, nested by four spaces.

    Mermaid stays as it is written: the site would fetch the program that draws it.
    """
    written: list[str] = []
    fenced = listed = False
    shift = 0
    for line in text.splitlines():
        if not fenced:
            indent = len(line) - len(line.lstrip())
            after_blank = bool(written) and not written[-1].strip()
            if ITEM.match(line):
                if not listed and written and not after_blank:
                    written.append("")
                listed = True
            elif line.strip() and not indent and (after_blank or FENCE.match(line)):
                listed = False
            shift = 4 * -(-indent // 3) - indent if listed else 0
        if FENCE.match(line):
            fenced = not fenced
        shown = line.replace("```mermaid", "```text")
        written.append(" " * shift + shown if shown else shown)
    return "\n".join(written) + "\n"


def stage(source: Path) -> None:
    """Copy the pages, and the files that they link to."""
    shutil.rmtree(source, ignore_errors=True)
    for page in pages():
        for linked, _ in links(page):
            if (ROOT / linked).is_file() and linked.suffix != ".md":
                (source / linked).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / linked, source / linked)
        (source / page).parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / page).read_text(encoding="utf-8")
        (source / page).write_text(as_the_site_reads_it(text), encoding="utf-8")


def build(folder: Path) -> Path:
    """Build the site in a folder of its own.

    Returns:
        Where its pages are.

    Raises:
        RuntimeError: a page has a fault that the generator sees; what it says of it.
    """
    stage(folder / "source")
    shutil.copyfile(CONFIG, folder / CONFIG.name)
    shutil.copyfile(STYLE, folder / "source" / STYLE.name)
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
        raise RuntimeError(said.partition("Traceback (most recent call last)")[0])
    html = folder / "html"
    shutil.copyfile(WORKER, html / "assets" / "javascripts" / WORKER.name)
    for page in html.rglob("*.html"):
        up = "../" * (len(page.relative_to(html).parts) - 1)
        ours = f"{up}assets/javascripts/{WORKER.name}"
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(SHIM, ours), encoding="utf-8")
    return html


def main() -> None:
    """Build the site in `site/`, or say what is wrong with a page."""
    try:
        html = build(ROOT / "site")
    except RuntimeError as error:
        sys.exit(str(error))
    sys.stdout.write(f"The site is built: open {html.relative_to(ROOT)}/index.html\n")


if __name__ == "__main__":
    main()
