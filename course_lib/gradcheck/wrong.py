"""A gradient that is wrong somewhere: the numbers that all questions about it start from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from course_lib.gradcheck.case import Case
from course_lib.gradcheck.faults import Fault
from course_lib.gradcheck.numeric import Truth

COMPARED = ("ones", "random", "another")
"""The upstream gradients for which the numbers are compared with the truth."""


@dataclass
class Wrong:
    """The gradient for one input, which is wrong somewhere."""

    case: Case
    i: int

    def given(self, name: str) -> np.ndarray:
        """The gradient that came back for the upstream gradient of this name."""
        return self.case.gradient(name, self.i)

    def truth(self, name: str) -> Truth:
        """What should have come back."""
        return self.case.truth(name, self.i)

    def rejected(self, name: str) -> np.ndarray:
        """Where it is wrong."""
        return self.truth(name).rejects(self.given(name))

    @cached_property
    def entries(self) -> np.ndarray:
        """A mask of the entries that are wrong for some upstream."""
        return np.any([self.rejected(name) for name in COMPARED], axis=0)

    @property
    def subject(self) -> str:
        """What to call it in a sentence."""
        if len(self.case.places) == 1:
            return "the gradient"
        return f"the gradient for {self.case.argument(self.i)}"

    def fault(self, code: str, message: str, name: str | None = None, **more) -> Fault:
        """The fault with its worst entry, seen with the first upstream that shows it."""
        shown = [name] if name else [n for n in COMPARED if self.rejected(n).any()]
        fault = Fault(code, message[0].upper() + message[1:], input=self.i, **more)
        if not shown:
            return fault
        fault = worst_entry(fault, self.truth(shown[0]), self.given(shown[0]))
        return fault.at(upstream=shown[0])


def worst_entry(
    fault: Fault, truth: Truth, given: np.ndarray, among: np.ndarray | None = None
) -> Fault:
    """The fault, with the entry that is furthest from the truth and both numbers."""
    gap = np.abs(given - truth.value)
    gap = np.where(truth.rejects(given) if among is None else among, gap, -1.0)
    gap = np.where(np.isnan(gap), np.inf, gap)
    if not gap.size:
        return fault
    index = index_of(gap)
    return fault.at(index=index, expected=float(truth.value[index]), actual=float(given[index]))


def each_output(case: Case) -> list[tuple[int, str]]:
    """The outputs and the names of the upstream gradients that reach only them, if several."""
    many = len(case.outputs) > 1
    return [(k, f"output {k}") for k in range(len(case.outputs))] if many else []


def count(mask: np.ndarray) -> str:
    """How many entries, in words."""
    n = int(np.count_nonzero(mask))
    return f"{n} of {mask.size} entries" if mask.size > 1 else "its entry"


def index_of(largest: np.ndarray) -> tuple[int, ...]:
    """Where an array has its largest entry."""
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(largest)), largest.shape))
