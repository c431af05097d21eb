"""The built site as files: its pages, what they link to, and what a browser would not tell."""

from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Page(HTMLParser):
    """What is looked at of one HTML file."""

    path: Path
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    pictures: list[dict[str, str | None]] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.ids.update(filter(None, (named.get("id"), named.get("name"))))
        self.links += filter(None, (named.get("href"), named.get("src")))
        if tag == "img":
            self.pictures.append(named)
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append(int(tag[1]))

    __hash__ = object.__hash__


read = cache(Page)


def pages(site: Path) -> list[Page]:
    """Every page of the site; what lies in _static belongs to the theme."""
    found = sorted(site.rglob("*.html"))
    return [read(path) for path in found if "_static" not in path.relative_to(site).parts]


def broken_links(page: Page) -> list[str]:
    """The links of a page to files and anchors that are not there."""
    return [link for link in page.links if not _leads_somewhere(page, link)]


def _leads_somewhere(page: Page, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True  # not ours to hold
    target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
    if not target.is_file():
        return False
    anchor = unquote(parts.fragment)
    return not anchor or target.suffix != ".html" or anchor in read(target).ids
