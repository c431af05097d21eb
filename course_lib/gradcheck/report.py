"""What check_gradient found, as text and as a page of a notebook."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from course_lib.gradcheck.case import Case
from course_lib.gradcheck.faults import Fault


@dataclass(frozen=True)
class Comparison:
    """The gradient for one input beside what it should be.

    `known` masks the entries that were compared: on large inputs a sample, and not those where the
    function has no derivative.
    """

    input: int
    name: str
    expected: np.ndarray
    actual: np.ndarray
    known: np.ndarray
    worst: tuple[int, ...] | None

    def __str__(self) -> str:
        compared, all_of_them = int(self.known.sum()), self.known.size
        if compared == all_of_them:
            entries = "the one entry" if compared == 1 else f"all {compared} entries"
            return f"{entries} of {self.name}"
        return f"{compared} of {all_of_them} entries of {self.name}"


@dataclass(frozen=True)
class GradientReport:
    """The verdict on a rule. It is true if the rule is right.

    Attributes
    ----------
    rule, framework
        Their names.
    faults
        What is wrong, the most likely cause first; empty if the rule is right.
    order
        1, or 2 if the second derivative was checked as well.
    surrogate
        Whether the rule was compared with a declared surrogate instead of the true derivative.
    comparisons
        For each array input, the gradient beside what it should be, if it came to numbers.
    """

    rule: str
    framework: str
    faults: tuple[Fault, ...]
    order: int = 1
    surrogate: bool = False
    comparisons: tuple[Comparison, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no fault was found."""
        return not self.faults

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return "\n".join([self._headline, *self._details])

    def __repr__(self) -> str:
        codes = ", ".join(fault.code for fault in self.faults)
        return f"<GradientReport {self.rule}: {codes or 'right'}>"

    def _repr_pretty_(self, printer, cycle: bool) -> None:
        """In a notebook, beside the page and the picture: the whole report in words."""
        printer.text(str(self))

    def _repr_html_(self) -> str:
        title, *rest = map(escape, [self._headline, *self._details])
        lines = [f"<strong>{title}</strong>", *rest]
        text = "".join(f'<p style="margin:0.2em 0">{line}</p>' for line in lines)
        figure = self._figure
        return f"<div>{text}{figure.svg if figure else ''}</div>"

    def _repr_png_(self) -> bytes | None:
        """The picture alone, for pages that show no SVG."""
        figure = self._figure
        return figure.png() if figure else None

    # -- the parts of the page --------------------------------------------------------------------

    @property
    def _headline(self) -> str:
        verdict = self.faults[0].code if self.faults else "right"
        return f"{self.rule} ({self.framework}): {verdict}"

    @property
    def _details(self) -> list[str]:
        lines = []
        for fault in self.faults:
            lines += [fault.message, *_numbers(fault), f"What to do: {fault.hint}"]
        looked = _joined([str(c) for c in self.comparisons])
        if looked:
            against = "the declared surrogate" if self.surrogate else "numeric derivatives"
            second = ", and the second derivative" if self.order == 2 and self.ok else ""
            lines.append(f"Compared with {against}: {looked}{second}.")
        return lines

    @property
    def _figure(self):
        """Expected against actual, with the worst entry marked; None if it came to no numbers."""
        place = self.faults[0].input if self.faults else None
        shown = [c for c in self.comparisons if c.input == place] or list(self.comparisons[:1])
        if not shown or not shown[0].expected.size:
            return None
        from course_lib.figures.entries import entries

        c = shown[0]
        return entries(c.expected, c.actual, c.worst, f"The gradient for {c.name}")


def measure(case: Case, faults: Sequence[Fault]) -> tuple[Comparison, ...]:
    """The gradients beside the truth, for the upstream gradient that shows the first fault."""
    upstream = (faults[0].upstream if faults else "") or "ones"
    comparisons = []
    for i in case.places:
        actual = case.gradient(upstream, i)
        truth = case.truth(upstream, i)
        worst = next((f.index for f in faults if f.input == i and f.index is not None), None)
        name = case.argument(i)
        comparisons.append(Comparison(i, name, truth.value, actual, truth.known, worst))
    return tuple(comparisons)


def _numbers(fault: Fault) -> list[str]:
    if fault.index is None or not isinstance(fault.actual, float) or fault.expected is None:
        return []
    where = f"At {list(fault.index)}" if fault.index else "Here"
    upstream = "an upstream gradient of ones" if fault.upstream == "ones" else "a random upstream"
    where += f", for {upstream}, " if fault.upstream else " "
    expected = fault.expected
    between = (
        f"between {expected[0]:.6g} and {expected[1]:.6g}"
        if isinstance(expected, tuple)
        else f"{expected:.6g}"
    )
    return [f"{where}it should be {between}, but is {fault.actual:.6g}."]


def _joined(parts: list[str]) -> str:
    return (
        parts[0]
        if len(parts) == 1
        else ", ".join(parts[:-1]) + " and " + parts[-1]
        if parts
        else ""
    )
