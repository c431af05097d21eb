"""The inks: one name for a colour in the light theme, in the dark theme, a width and a dash.

The colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/), which stay apart for
colour-blind readers. Where one has too little contrast on a background, its brighter or darker
neighbour of the same set stands in. Whoever draws asks for an ink by name and never for a colour.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ink:
    """A colour for each theme (CSS hex), with the width and the dash (pixels) of its line.

    `shift` moves the dashes along the line, so that lines drawn over each other all stay visible.
    """

    light: str
    dark: str
    width: float = 1.0
    dash: tuple[float, ...] = ()
    shift: float = 0.0
    opacity: float = 1.0


INKS = {
    "page": Ink("#ffffff", "#111111"),
    "text": Ink("#222222", "#eeeeee", width=1.4),
    "quiet": Ink("#595959", "#b4b4b4"),
    "grid": Ink("#e4e4e4", "#2e2e2e"),
    "frame": Ink("#8c8c8c", "#808080"),
    "tape": Ink("#0072b2", "#56b4e9", width=4.2),
    "tensorflow": Ink("#d55e00", "#e69f00", width=2.4, dash=(11, 9)),
    "torch": Ink("#009e73", "#2bc79b", width=2.4, dash=(3, 7), shift=6),
    "truth": Ink("#222222", "#eeeeee", width=1.5, dash=(6, 4)),
    "tangent": Ink("#b2558a", "#cc79a7", width=2.2, dash=(12, 3, 3, 3)),
    "mismatch": Ink("#e69f00", "#f0e442", opacity=0.32),
    "cursor": Ink("#595959", "#b4b4b4", width=1.2, dash=(2, 3)),
    "active": Ink("#d55e00", "#e69f00", width=3.2),
    "edge": Ink("#8c8c8c", "#808080", width=1.6),
    "wash": Ink("#f3f3f3", "#1f1f1f"),
}

LINES = ("tape", "tensorflow", "torch")
"""Inks for up to three lines that have nothing to do with frameworks."""


def stylesheet() -> str:
    """CSS that gives every figure its inks, and follows JupyterLab's dark theme."""
    light = ";".join(f"--cg-{name}:{ink.light}" for name, ink in INKS.items())
    dark = ";".join(f"--cg-{name}:{ink.dark}" for name, ink in INKS.items())
    rules = [
        f".cg-figure{{{light};font:13px system-ui,sans-serif}}",
        f'[data-jp-theme-light="false"] .cg-figure{{{dark}}}',
        ".cg-figure path{stroke-linejoin:round}",
    ]
    for name, ink in INKS.items():
        line = f"stroke:var(--cg-{name});stroke-width:{ink.width:g}"
        rules.append(f".cg-figure .s-{name}{{{line}}}")
        rules.append(f".cg-figure .f-{name}{{fill:var(--cg-{name});fill-opacity:{ink.opacity:g}}}")
        if ink.dash:
            dash = " ".join(f"{length:g}" for length in ink.dash)
            dashes = f"stroke-dasharray:{dash};stroke-dashoffset:{ink.shift:g}"
            rules.append(f".cg-figure path.s-{name}{{{dashes}}}")
    return "".join(rules)
