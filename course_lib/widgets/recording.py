"""A real tape, recorded and walked back, told step by step."""

from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from typing import TypeGuard

import numpy as np

from course_lib.figures.tape_graph import Moment, TapeNode
from course_lib.figures.ticks import brief
from course_lib.tape import Variable, grad, on_backward

_RULES = {
    "add": ("{g}", "{g}"),
    "subtract": ("{g}", "−{g}"),
    "multiply": ("{g} · {b}", "{g} · {a}"),
    "divide": ("{g} / {b}", "−{g} · {y} / {b}"),
    "power": ("{g} · {b} · {a}^({b} − 1)", "{g} · {y} · log {a}"),
    "negative": ("−{g}",),
    "square": ("{g} · 2{a}",),
    "sqrt": ("{g} / (2{y})",),
    "exp": ("{g} · {y}",),
    "log": ("{g} / {a}",),
    "sin": ("{g} · cos {a}",),
    "cos": ("−{g} · sin {a}",),
    "tanh": ("{g} · (1 − {y}²)",),
    "absolute": ("{g} · sign {a}",),
}
"""What each rule gives its inputs; g is the upstream, y the output, a and b the inputs."""

_SIGNS = {"add": "+", "subtract": "−", "multiply": "·", "divide": "/", "power": "^"}


def record(f: Callable, *inputs: object) -> tuple[list[TapeNode], list[Moment]]:
    """Run `f` on the tape and back, and tell every step.

    Parameters
    ----------
    f
        A function of tape Variables that returns a Variable, or a tuple of them.
    inputs
        Numbers or arrays, one a parameter of `f`.

    Returns
    -------
    nodes, moments
        The tape in the order of recording, and the moments from the bare inputs to the gradients.
    """
    variables = [Variable(value) for value in inputs]
    outputs = f(*variables)
    outputs = outputs if isinstance(outputs, tuple | list) else (outputs,)
    backward: list[tuple[Variable, list, list]] = []

    def watch(node: Variable, upstreams: Sequence, gradients: Sequence) -> None:
        backward.append((node, list(upstreams), list(gradients)))

    with on_backward(watch):
        grad(tuple(outputs), tuple(variables))
    story = _Story(_reached(outputs, variables), variables, _names(f, len(variables)))
    return story.nodes, [*story.forward(), *story.backward(outputs, backward)]


def _reached(outputs: Sequence[Variable], inputs: Sequence[Variable]) -> list[Variable]:
    """Every node that the outputs depend on, and the inputs, in the order of recording."""
    found = {v.node.moment: v.node for v in inputs}
    waiting = [output.node for output in outputs]
    while waiting:
        node = waiting.pop()
        if node.moment not in found:
            found[node.moment] = node
            waiting += [x.node for x in node.inputs if _tracked(x)]
    return [found[moment] for moment in sorted(found)]


def _tracked(x: object) -> TypeGuard[Variable]:
    return isinstance(x, Variable) and x.node is not None


def _names(f: Callable, count: int) -> list[str]:
    """The names of `f`'s parameters, or x1, x2, … where it has none to tell."""
    try:
        parameters = list(signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    own = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    starred = any(p.kind is Parameter.VAR_POSITIONAL for p in parameters)
    return own[:count] if len(own) >= count and not starred else [f"x{k + 1}" for k in range(count)]


class _Story:
    """Names for the nodes of a tape, and its steps in words."""

    def __init__(self, tape: list[Variable], inputs: list[Variable], names: list[str]) -> None:
        self._tape = tape
        self._place = {node.moment: k for k, node in enumerate(tape)}
        given = {v.node.moment: name for v, name in zip(inputs, names, strict=True)}
        made = 0
        self._name: list[str] = []
        for node in tape:
            if node.moment in given:
                self._name.append(given[node.moment])
            else:
                made += 1
                self._name.append(f"v{made}")
        self.nodes = [
            TapeNode(
                name,
                "" if node.moment in given else self._call(node),
                "; ".join(map(show, node.values)),
                tuple(self._of(x) for x in node.inputs if _tracked(x)),
            )
            for name, node in zip(self._name, tape, strict=True)
        ]
        self._inputs = [self._of(v) for v in inputs]
        self._adjoints: list[list[np.ndarray | None]] = [[None] * len(n.values) for n in tape]

    def forward(self) -> list[Moment]:
        """From the inputs to the output."""
        blank = (None,) * len(self._tape)
        told = " and ".join(f"{self._name[k]} = {self.nodes[k].value}" for k in self._inputs)
        moments = [Moment(len(self._inputs), blank, None, 0, f"The inputs: {told}.")]
        for k, node in enumerate(self._tape):
            if self.nodes[k].formula:
                said = f"{self._name[k]} = {self._call(node)} = {self.nodes[k].value}"
                moments.append(Moment(k + 1, blank, k, k, f"Forward: {said} is recorded."))
        return moments

    def backward(self, outputs: Sequence[Variable], steps: list[tuple]) -> list[Moment]:
        """From the output's adjoint to the gradients of the inputs."""
        for output in outputs:
            self._arrive(output, np.ones_like(output.value))
        ends = {self._argument(y): show(self._adjoint(y)) for y in outputs}
        seeds = " and ".join(f"∂{name} = {adjoint}" for name, adjoint in ends.items())
        start = f"Backward starts at the output: {seeds}."
        moments = [self._moment(None, self._of(outputs[0]), start)]
        for node, upstreams, gradients in steps:
            active = self._place[node.moment]
            given = []
            for i, (x, gradient) in enumerate(zip(node.inputs, gradients, strict=True)):
                if _tracked(x) and gradient is not None:
                    gradient = np.asarray(getattr(gradient, "value", gradient))
                    before = self._adjoint(x)
                    self._arrive(x, gradient)
                    given.append(self._gift(node, i, x, gradient, before))
            upstream = " and ".join(
                f"∂{self._argument(y)} = {show(u)}"
                for y, u in zip(node.outputs, upstreams, strict=True)
                if u is not None
            )
            said = f"Backward: the rule of {node.name} receives {upstream}"
            moments.append(self._moment(active, active, f"{said}; {'; '.join(given)}."))
        for k in self._inputs:
            if self._adjoints[k][0] is None:
                self._adjoints[k][0] = np.zeros_like(self._tape[k].values[0])
        told = ", ".join(f"∂{self._name[k]} = {show(self._adjoints[k][0])}" for k in self._inputs)
        return [*moments, self._moment(None, 0, f"The gradient: {told}.")]

    def _gift(self, node: Variable, i: int, x: Variable, gradient: np.ndarray, before) -> str:
        """What a rule gives one of its inputs, as a formula where we know it."""
        name = self._argument(x)
        formula = ""
        if node.name in _RULES and len(_RULES[node.name]) == len(node.inputs):
            letters = dict(zip("ab", map(self._argument, node.inputs), strict=False))
            own = self._name[self._place[node.moment]]
            formula = _RULES[node.name][i].format(g=f"∂{own}", y=own, **letters) + " = "
            if gradient.shape != node.values[0].shape:
                formula = f"the sum of {formula}"
        said = f"{name} gets {formula}{show(gradient)}"
        return said if before is None else f"{said}, in all {show(before + gradient)}"

    def _call(self, node: Variable) -> str:
        arguments = [self._argument(x) for x in node.inputs]
        if node.name in _SIGNS and len(arguments) == 2:
            return f" {_SIGNS[node.name]} ".join(arguments)
        return f"{node.name}({', '.join(arguments)})"

    def _argument(self, x: object) -> str:
        """The name of a Variable, with the output's number if its node has several."""
        if not _tracked(x):
            return show(getattr(x, "value", x))
        several = len(x.node.values) > 1
        return f"{self._name[self._of(x)]}[{x.index}]" if several else self._name[self._of(x)]

    def _of(self, x: Variable) -> int:
        return self._place[x.node.moment]

    def _adjoint(self, x: Variable) -> np.ndarray | None:
        return self._adjoints[self._of(x)][x.index]

    def _arrive(self, x: Variable, gradient: np.ndarray) -> None:
        before = self._adjoint(x)
        self._adjoints[self._of(x)][x.index] = gradient if before is None else before + gradient

    def _moment(self, active: int | None, focus: int, caption: str) -> Moment:
        shown = tuple(map(_adjoints_of_one, self._adjoints))
        return Moment(len(self._tape), shown, active, focus, caption)


def _adjoints_of_one(adjoints: list[np.ndarray | None]) -> str | None:
    """What has reached a node: one adjoint an output, a dash where there is none yet."""
    if all(adjoint is None for adjoint in adjoints):
        return None
    return "; ".join("–" if adjoint is None else show(adjoint) for adjoint in adjoints)


def show(value: object) -> str:
    """A number, up to four of them in their brackets, or else how many and how large they are."""
    if not isinstance(value, np.ndarray | np.generic | int | float):
        return str(value)
    array = np.asarray(value)
    if array.size <= 4:
        return _entries(array)
    count = " × ".join(map(str, array.shape)) + (" numbers" if array.ndim == 1 else "")
    low, high = _number(array.min()), _number(array.max())
    return f"[{count}: {low if low == high else f'{low} to {high}'}]"


def _entries(array: np.ndarray) -> str:
    return _number(array) if array.ndim == 0 else f"[{', '.join(map(_entries, array))}]"


def _number(value: np.ndarray) -> str:
    return f"{value}" if value.dtype.kind == "b" else brief(float(value))
