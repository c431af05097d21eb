"""What a student is shown: a small card, as HTML in a notebook and as plain lines elsewhere."""

import re
from dataclasses import dataclass
from html import escape

from .compare import Status, Verdict

TONES = {  # Okabe and Ito's colours, which people who see colours differently can tell apart
    "right": ("#009E73", "✔"),
    "wrong": ("#D55E00", "✘"),
    "error": ("#CC79A7", "!"),
    "not attempted": ("#999999", "…"),
    "REVIEW": ("#CC79A7", "?"),
    "handed in": ("#0072B2", "→"),
    "hint": ("#E69F00", "☞"),
    "solution": ("#0072B2", "→"),
}


@dataclass(frozen=True)
class Card:
    """A title, a few sentences, and code if there is any to show.

    Parameters
    ----------
    tone : str
        One of `TONES`: which colour and sign the card has.
    title : str
    lines : tuple of str
        Sentences; what stands between backticks is set as code.
    code : str, optional
    """

    tone: str
    title: str
    lines: tuple[str, ...] = ()
    code: str | None = None

    def __str__(self) -> str:
        return "\n".join(filter(None, (self.title, *self.lines, self.code)))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        colour, sign = TONES[self.tone]
        body = "".join(f'<div style="margin-top: 0.2em">{_html(line)}</div>' for line in self.lines)
        if self.code:
            body += f'<pre style="margin: 0.4em 0 0"><code>{escape(self.code)}</code></pre>'
        return (
            f'<div role="status" style="border-left: 0.3em solid {colour}; '
            'padding: 0.2em 0.8em; margin: 0.2em 0; max-width: 46em; line-height: 1.5">'
            f'<strong><span aria-hidden="true">{sign}</span> {_html(self.title)}</strong>'
            f"{body}</div>"
        )


def verdict_card(verdict: Verdict) -> Card:
    """The card for a verdict, as the check in a notebook shows it."""
    return Card(str(verdict.status), _title(verdict), tuple(filter(None, _lines(verdict))))


def points_in_words(points: float) -> str:
    """`1 point`, `2 points`."""
    return f"{points:g} point{'' if points == 1 else 's'}"


def _title(verdict: Verdict) -> str:
    name, status = verdict.question, verdict.status
    if status is Status.RIGHT:
        return f"{name}: right ({points_in_words(verdict.points)})"
    if verdict.mistake:
        return f"{name}: {status} ({verdict.mistake.replace('-', ' ')})"
    return f"{name}: {status}"


def _lines(verdict: Verdict) -> tuple[str | None, ...]:
    name, message, hint = verdict.question, verdict.message, verdict.hint
    match verdict.status:
        case Status.RIGHT:
            return ()
        case Status.NOT_ATTEMPTED:
            return (message,)
        case Status.ERROR:
            return (message, hint)
        case _ if hint:
            return (hint, verdict.detail)
        case _:
            return (f'{message} `hint("{name}")` may help.', verdict.detail)


def _html(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
