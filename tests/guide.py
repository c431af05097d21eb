"""What a guide tells its reader to do: its fenced blocks, each with the line that leads to it."""

from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt


@dataclass(frozen=True)
class Step:
    """A fenced block; `section` is the heading that it stands under, `lead` the line above it."""

    section: str
    lead: str
    text: str


def steps(guide: Path) -> list[Step]:
    """The fenced blocks of a Markdown file, in their order."""
    found, section, lead, heading = [], "", "", False
    for token in MarkdownIt().parse(guide.read_text(encoding="utf-8")):
        if token.type == "inline":
            section, lead = (token.content, "") if heading else (section, token.content)
        elif token.type == "fence":
            found.append(Step(section, " ".join(lead.split()), token.content))
        heading = token.type == "heading_open"
    return found
