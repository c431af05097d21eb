"""What an exercise asks, and what is known about its answers.

A rubric stands in `solutions/NN_topic/rubric.py`. It is the only definition: the check in the
notebook, the grader of a class and the mutation test that proves both read the same questions.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from .plain import Code
from .probe import Probe

FRAMEWORKS = ("tape", "tensorflow", "torch")
HINT_STEPS = 3


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that has a name, so that a student can be told which one it is.

    A mistake is recognised by its numbers: on every probe the answer equals what the wrong
    formula gives. Say only what differs from the right answer.

    Parameters
    ----------
    code : str
        Its name, in kebab-case; where it is one of `check_gradient`'s faults, the same code.
    hint : str
        One or two sentences that help without giving the answer away.
    formula : callable, optional
        For a function: what it then returns, given the arguments.
    forward, backward, second : callable, optional
        For a rule: what its outputs, gradients or second gradients then are, with the same
        arguments as those of the `RuleQuestion`.
    when : callable, optional
        For an order: `when(labels) -> bool`.
    raises : str, optional
        The mistake shows as an error whose "Type: message" contains this text.
    """

    code: str
    hint: str
    formula: Callable[..., Any] | None = None
    _: KW_ONLY
    forward: Callable[..., Any] | None = None
    backward: Callable[..., Any] | None = None
    second: Callable[..., Any] | None = None
    when: Callable[[list[str]], bool] | None = None
    raises: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.code):
            raise ValueError(f"Mistake {self.code!r}: write the code in kebab-case, as wrong-sign.")
        signs = (self.formula, self.forward, self.backward, self.second, self.when, self.raises)
        if not any(sign is not None for sign in signs):
            raise ValueError(
                f"Mistake {self.code!r} cannot be recognised: give a formula, forward, backward, "
                "second, when or raises."
            )

    @property
    def has_formula(self) -> bool:
        """Whether it is recognised by numbers."""
        return any((self.formula, self.forward, self.backward, self.second))


class Edit:
    """A variant of the model answer, by replacing pieces of its text: `Edit("3 * x**2", "x**2")`.

    Each old piece must stand in the source exactly once; several pairs are applied in turn.

    Raises
    ------
    ValueError
        If the pieces are no pairs, or, when it is applied, if an old piece is not there just once.
    """

    def __init__(self, *pieces: str) -> None:
        if not pieces or len(pieces) % 2:
            raise ValueError("Edit takes pairs of texts: old, new, old, new, ...")
        self.pairs = list(zip(pieces[::2], pieces[1::2], strict=True))

    def apply(self, source: str) -> str:
        for old, new in self.pairs:
            if source.count(old) != 1:
                raise ValueError(
                    f"Edit: {old!r} stands {source.count(old)} times in the model answer, "
                    "where once is expected. Quote more, or less, of the line."
                )
            source = source.replace(old, new)
        return source


Variant = str | Edit
"""An answer for the grader's own test: its source, or how it differs from the model answer."""


@dataclass(frozen=True)
class Question:
    """What every kind of question has in common.

    Parameters
    ----------
    name : str
        The name of what the student writes, which is also the name of the question.
    points : float
    hints : sequence of str
        Three steps: where to look, what to think of, nearly the answer.
    mistakes : sequence of Mistake
        In the order in which they are tried.
    right : sequence of Variant
        At least three answers, written differently from the model answer in the notebook.
    wrong : sequence of Variant or (code, Variant)
        At least eight wrong answers; with a code, the mistake that must be recognised.
    given : Mistake, optional
        Where the student starts from a broken answer and repairs it: what the broken one
        computes. An answer that computes this counts as not attempted, unless it was edited.
    rtol, atol : float, optional
        Tolerances in place of those of the dtype (see `compare.TOLERANCES`).
    domain : callable, optional
        `domain(*args) -> bool`: where the question makes sense. The mutation test looks for
        differences at points beyond `inputs`, but not outside the domain.
    framework : str, optional
        "tape", "torch" or "tensorflow": arrays reach the answer as that framework's tensors.
    """

    name: str
    _: KW_ONLY
    points: float
    hints: Sequence[str]
    mistakes: Sequence[Mistake] = ()
    right: Sequence[Variant] = ()
    wrong: Sequence[Variant | tuple[str, Variant]] = ()
    given: Mistake | None = None
    rtol: float | None = None
    atol: float | None = None
    domain: Callable[..., bool] | None = None
    framework: str | None = None

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        self._require(self.name.isidentifier(), "the name must be one that Python accepts")
        self._require(self.points > 0, "points must be positive")
        self._require(len(self.hints) == HINT_STEPS, f"give {HINT_STEPS} hints, in steps")
        self._require(
            self.framework in (None, *FRAMEWORKS),
            f"the framework {self.framework!r} is none of {', '.join(FRAMEWORKS)}",
        )
        codes = [mistake.code for mistake in self.mistakes]
        self._require(len(set(codes)) == len(codes), "two mistakes have the same code")

    def _require(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise ValueError(f"Question {self.name!r}: {otherwise}.")

    @property
    def known_mistakes(self) -> tuple[Mistake, ...]:
        """The named mistakes, then those which every question of this kind knows."""
        named = {mistake.code for mistake in self.mistakes}
        return (*self.mistakes, *(m for m in self._standard_mistakes() if m.code not in named))

    def _standard_mistakes(self) -> tuple[Mistake, ...]:
        return ()

    def probes(self, rng: np.random.Generator) -> list[Probe]:
        """The experiments that an answer is judged by."""
        raise NotImplementedError

    def probe_at(self, args: tuple, rng: np.random.Generator) -> Probe:
        """The experiment with these arguments, for the kinds of question that have any."""
        raise NotImplementedError

    def expected(self, probe: Probe, mistake: Mistake | None = None) -> dict[str, Any]:
        """What the right answer, or the one with this mistake, gives for a probe, part by part."""
        raise NotImplementedError


@dataclass(frozen=True)
class FunctionQuestion(Question):
    """Asks for a function of numbers and arrays; it is called, and what it returns is compared.

    Parameters
    ----------
    inputs : callable
        `inputs(rng)` gives the arguments of each probe: a tuple (or, for one argument, the
        argument itself). Random ones, and the boundary points always.
    reference : callable
        The right answer, in NumPy.
    """

    _: KW_ONLY
    inputs: Callable[[np.random.Generator], Iterable[Any]]
    reference: Callable[..., Any]

    kind: ClassVar[str] = "function"

    def probes(self, rng: np.random.Generator) -> list[Probe]:
        return [self.probe_at(args, rng) for args in _each_as_tuple(self.inputs(rng))]

    def probe_at(self, args: tuple, rng: np.random.Generator) -> Probe:
        """The probe at these arguments (the generator serves kinds that need more)."""
        return Probe(self.name, self.kind, self.framework, args)

    def expected(self, probe: Probe, mistake: Mistake | None = None) -> dict[str, Any]:
        formula = (mistake and mistake.formula) or self.reference
        return {"value": _quietly(formula, _for_reference(probe.args))}


@dataclass(frozen=True)
class RuleQuestion(Question):
    """Asks for a rule with a gradient of its own, in one of the three dialects.

    Its outputs, and its gradients for random upstreams, are compared.

    Parameters
    ----------
    inputs : callable
        As for a `FunctionQuestion`. Floating arrays are differentiated; anything else is passed
        to the rule as it is, and its gradient is None.
    forward : callable
        `forward(*inputs)`, in NumPy: one output, or a tuple.
    backward : callable
        `backward(*upstreams, *inputs)`, in NumPy: one gradient, or a tuple with one an input.
    second : callable, optional
        `second(*directions, *upstreams, *inputs)`: the gradients with respect to the inputs of
        the sum of directions times gradients. Where given, second derivatives are compared.
    surrogate : bool
        The gradient differs from the true derivative on purpose.
    by_hand : bool
        A custom gradient is asked for: right numbers by the framework's own autodiff do not count
        (a surrogate's cannot be that).
    """

    _: KW_ONLY
    inputs: Callable[[np.random.Generator], Iterable[Any]]
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    second: Callable[..., Any] | None = None
    surrogate: bool = False
    by_hand: bool = True

    kind: ClassVar[str] = "rule"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(self.framework is not None, "say for which framework the rule is")

    def probes(self, rng: np.random.Generator) -> list[Probe]:
        probes = [self.probe_at(args, rng) for args in _each_as_tuple(self.inputs(rng))]
        watched = self.by_hand and not self.surrogate
        return [replace(probe, watched=watched) for probe in probes[:1]] + probes[1:]

    def probe_at(self, args: tuple, rng: np.random.Generator) -> Probe:
        """The probe at these inputs, with random upstreams (never all ones)."""
        outputs = as_tuple(_quietly(self.forward, args))
        upstreams = tuple(_random_like(output, rng) for output in outputs)
        directions = tuple(
            _random_like(arg, rng) if is_differentiated(arg) else None for arg in args
        )
        return Probe(
            self.name,
            self.kind,
            framework=self.framework,
            args=args,
            upstreams=upstreams,
            directions=directions if self.second else (),
        )

    def expected(self, probe: Probe, mistake: Mistake | None = None) -> dict[str, Any]:
        forward, backward, second = (
            (mistake and getattr(mistake, part)) or getattr(self, part)
            for part in ("forward", "backward", "second")
        )
        parts = {
            "output": as_tuple(_quietly(forward, probe.args)),
            "gradient": as_tuple(_quietly(backward, (*probe.upstreams, *probe.args))),
        }
        if probe.directions:
            wanted = (*probe.directions, *probe.upstreams, *probe.args)
            parts["second gradient"] = as_tuple(_quietly(second, wanted))
        return parts

    def _standard_mistakes(self) -> tuple[Mistake, ...]:
        def for_gradients(change: Callable[[tuple], tuple]) -> dict[str, Any]:
            """The gradients, changed; and the second gradients likewise, if they are asked for."""
            parts = {"backward": self.backward, "second": self.second}
            return {
                part: lambda *args, formula=formula: change(as_tuple(formula(*args)))
                for part, formula in parts.items()
                if formula
            }

        def negated(gradients: tuple) -> tuple:
            return tuple(None if g is None else -np.asarray(g) for g in gradients)

        return (
            Mistake(
                "upstream-ignored",
                "These are the numbers for an upstream of ones. A backward rule receives the "
                "upstream gradient and has to multiply by it.",
                **self._with_upstreams_of_ones(),
            ),
            Mistake(
                "wrong-sign",
                "Each gradient has the right size and the opposite sign.",
                **for_gradients(negated),
            ),
            Mistake(
                "inputs-swapped",
                "These are the right gradients, in the wrong order: return them in the order of "
                "the inputs.",
                backward=lambda *args: as_tuple(self.backward(*args))[::-1],
            ),
        )

    def _with_upstreams_of_ones(self) -> dict[str, Any]:
        second_backward = self.second

        def backward(*upstreams_and_inputs: Any) -> Any:
            inputs = len(as_tuple(self.backward(*upstreams_and_inputs)))
            ones = map(np.ones_like, upstreams_and_inputs[:-inputs])
            return self.backward(*ones, *upstreams_and_inputs[-inputs:])

        if second_backward is None:
            return {"backward": backward}

        def second(*directions_upstreams_and_inputs: Any) -> Any:
            inputs = len(as_tuple(second_backward(*directions_upstreams_and_inputs)))
            directions = directions_upstreams_and_inputs[:inputs]
            ones = map(np.ones_like, directions_upstreams_and_inputs[inputs:-inputs])
            return second_backward(*directions, *ones, *directions_upstreams_and_inputs[-inputs:])

        return {"backward": backward, "second": second}


@dataclass(frozen=True)
class OrderQuestion(Question):
    """A Parsons problem: choose from labelled lines, and put them in order.

    The answer is a variable of the question's name, a list of labels.

    Parameters
    ----------
    lines : dict of str to str
        Label to line of code, in the order in which they are shown; distractors among them.
    answer : sequence of str
        The labels in the right order.
    also : sequence of sequences of str
        Other orders that are as right.
    preamble : str
        What stands above the lines, such as the head of the class that they belong to.
    """

    _: KW_ONLY
    lines: dict[str, str]
    answer: Sequence[str]
    also: Sequence[Sequence[str]] = ()
    preamble: str = ""

    kind: ClassVar[str] = "order"

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = [label for order in self.accepted for label in order if label not in self.lines]
        self._require(not unknown, f"the answer uses labels that no line has: {unknown}")

    @property
    def accepted(self) -> list[list[str]]:
        """Every order that is right."""
        return [list(order) for order in (self.answer, *self.also)]

    @property
    def listing(self) -> str:
        """The lines with their labels, as the notebook shows them."""
        return "\n".join(
            f"{label} | {line}".replace("\n", f"\n{' ' * len(label)} | ")
            for label, line in self.lines.items()
        )

    def program(self, order: Sequence[str]) -> str:
        """The lines in this order, as source text."""
        return "\n".join([self.preamble, *(self.lines[label] for label in order)])

    def probes(self, rng: np.random.Generator) -> list[Probe]:
        return [Probe(self.name, self.kind)]

    def expected(self, probe: Probe, mistake: Mistake | None = None) -> dict[str, Any]:
        return {"value": list(self.answer)}

    def _standard_mistakes(self) -> tuple[Mistake, ...]:
        needed = {label for order in self.accepted for label in order}
        return (
            Mistake(
                "unknown-line",
                f"Use only the labels of the lines: {', '.join(self.lines)}.",
                when=lambda order: any(label not in self.lines for label in order),
            ),
            Mistake(
                "line-twice",
                "A line is used twice. Each is needed once at most.",
                when=lambda order: len(set(order)) < len(order),
            ),
            Mistake(
                "distractor",
                "At least one of the lines does not belong there at all: not every line is needed.",
                when=lambda order: any(label not in needed for label in order),
            ),
            Mistake(
                "line-missing",
                "Every line that you chose is needed, but at least one more is.",
                when=lambda order: len(order) < min(map(len, self.accepted)),
            ),
            Mistake(
                "wrong-order",
                "These are the right lines, in an order that does not work.",
                when=lambda order: True,
            ),
        )


@dataclass(frozen=True)
class Rubric:
    """The questions of one exercise: `rubric = Rubric(__file__, [first, second])`.

    Parameters
    ----------
    file : str or Path
        The rubric's own file; its folder names the exercise and holds the model notebook.
    questions : sequence of Question
        In the order of the notebook.
    """

    file: str | Path
    questions: Sequence[Question] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        names = [question.name for question in self.questions]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"Rubric {self.file}: give questions, each with a name of its own.")

    @property
    def folder(self) -> Path:
        return Path(self.file).resolve().parent

    @property
    def exercise(self) -> str:
        """The exercise's name, as `01_tape`."""
        return self.folder.name

    @property
    def points(self) -> float:
        return sum(question.points for question in self.questions)

    def question(self, name: str) -> Question:
        """The question of this name; ValueError, with the names there are, if there is none."""
        for question in self.questions:
            if question.name == name:
                return question
        names = ", ".join(question.name for question in self.questions)
        raise ValueError(f"Exercise {self.exercise} has no question {name!r}; it asks for {names}.")


def as_tuple(value: Any) -> tuple:
    """One or several values, as a tuple."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def is_differentiated(argument: Any) -> bool:
    """Whether a rule owes a gradient for this argument: floating arrays only."""
    return isinstance(argument, np.ndarray) and argument.dtype.kind == "f"


def _each_as_tuple(arguments: Iterable[Any]) -> list[tuple]:
    return [args if isinstance(args, tuple) else (args,) for args in arguments]


def _for_reference(args: tuple) -> tuple:
    return tuple(arg.for_reference() if isinstance(arg, Code) else arg for arg in args)


def _quietly(formula: Callable[..., Any], args: tuple) -> Any:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return formula(*args)


def _random_like(array: Any, rng: np.random.Generator) -> np.ndarray:
    array = np.asarray(array)
    drawn = np.asarray(rng.normal(size=array.shape))
    return drawn.astype(array.dtype if array.dtype.kind == "f" else float)
