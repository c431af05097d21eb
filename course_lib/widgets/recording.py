"""A real tape, recorded and walked back, told step by step."""

from collections.abc import Callable, Sequence
from inspect import Parameter, signature

import numpy as np

from course_lib.figures.tape_graph import Moment, TapeNode
from course_lib.figures.ticks import brief
from course_lib.tape import Node, Variable, grad, on_backward

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
    backward: list[tuple[Node, list, list]] = []

    def watch(node: Node, upstreams: Sequence, gradients: Sequence) -> None:
        backward.append((node, list(upstreams), list(gradients)))

    with on_backward(watch):
        grad(tuple(outputs), tuple(variables))
    story = _Story(_reached(outputs, variables), variables, _names(f, len(variables)))
    return story.nodes, [*story.forward(), *story.backward(outputs, backward)]


def _reached(outputs: Sequence[Variable], inputs: Sequence[Variable]) -> list[Node]:
    """Every node that the outputs depend on, and the inputs, in the order of recording."""
    found = {v.node.moment: v.node for v in inputs}
    waiting = [output.node for output in outputs]
    while waiting:
        node = waiting.pop()
        if node.moment not in found:
            found[node.moment] = node
            waiting += [x.node for x in node.inputs if _tracked(x)]
    return [found[moment] for moment in sorted(found)]


def _tracked(x: object) -> bool:
    return isinstance(x, Variable) and x.node is not None


def _names(f: Callable, count: int) -> list[str]:
    """The names of `f`'s parameters, or x1, x2, … where it has none to tell."""
    try:
        parameters = signature(f).parameters.values()
    except (TypeError, ValueError):
        parameters = []
    own = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    starred = any(p.kind is Parameter.VAR_POSITIONAL for p in parameters)
    return own[:count] if len(own) >= count and not starred else [f"x{k + 1}" for k in range(count)]


class _Story:
    """Names for the nodes of a tape, and its steps in words."""

    def __init__(self, tape: list[Node], inputs: list[Variable], names: list[str]) -> None:
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
                tuple(self._place[x.node.moment] for x in node.inputs if _tracked(x)),
            )
            for name, node in zip(self._name, tape, strict=True)
        ]
        self._inputs = [self._place[v.node.moment] for v in inputs]

    def forward(self) -> list[Moment]:
        """From the inputs to the output."""
        blank = (None,) * len(self._tape)
        told = " and ".join(f"{self._name[k]} = {self.nodes[k].value}" for k in self._inputs)
        moments = [Moment(len(self._inputs), blank, None, False, f"The inputs: {told}.")]
        for k, node in enumerate(self._tape):
            if self.nodes[k].formula:
                said = f"{self._name[k]} = {self._call(node)} = {self.nodes[k].value}"
                moments.append(Moment(k + 1, blank, k, False, f"Forward: {said} is recorded."))
        return moments

    def backward(self, outputs: Sequence[Variable], steps: list[tuple]) -> list[Moment]:
        """From the output's adjoint to the gradients of the inputs."""
        adjoints: list[np.ndarray | None] = [None] * len(self._tape)
        for output in outputs:
            self._arrive(adjoints, output, np.ones_like(output.value))
        ends = list(dict.fromkeys(self._of(output) for output in outputs))
        seeds = " and ".join(f"∂{self._name[k]} = {show(adjoints[k])}" for k in ends)
        moments = [self._moment(adjoints, None, f"Backward starts at the output: {seeds}.")]
        for node, upstreams, gradients in steps:
            active = self._place[node.moment]
            given = []
            for i, (x, gradient) in enumerate(zip(node.inputs, gradients, strict=True)):
                if _tracked(x) and gradient is not None:
                    gradient = np.asarray(getattr(gradient, "value", gradient))
                    before = adjoints[self._of(x)]
                    self._arrive(adjoints, x, gradient)
                    given.append(self._gift(node, i, x, gradient, before))
            upstream = ", ".join(show(u) for u in upstreams if u is not None)
            said = f"Backward: the rule of {node.name} receives ∂{self._name[active]} = {upstream}"
            moments.append(self._moment(adjoints, active, f"{said}; {'; '.join(given)}."))
        for k in self._inputs:
            if adjoints[k] is None:
                adjoints[k] = np.zeros_like(self._tape[k].values[0])
        told = ", ".join(f"∂{self._name[k]} = {show(adjoints[k])}" for k in self._inputs)
        return [*moments, self._moment(adjoints, None, f"The gradient: {told}.")]

    def _gift(self, node: Node, i: int, x: Variable, gradient: np.ndarray, before) -> str:
        """What a rule gives one of its inputs, as a formula where we know it."""
        name = self._name[self._of(x)]
        formula = ""
        if node.name in _RULES and len(_RULES[node.name]) == len(node.inputs):
            letters = dict(zip("ab", map(self._argument, node.inputs), strict=False))
            own = self._name[self._place[node.moment]]
            formula = _RULES[node.name][i].format(g=f"∂{own}", y=own, **letters) + " = "
            if gradient.shape != node.values[0].shape:
                formula = f"the sum of {formula}"
        said = f"{name} gets {formula}{show(gradient)}"
        return said if before is None else f"{said}, in all {show(before + gradient)}"

    def _call(self, node: Node) -> str:
        arguments = [self._argument(x) for x in node.inputs]
        if node.name in _SIGNS and len(arguments) == 2:
            return f" {_SIGNS[node.name]} ".join(arguments)
        return f"{node.name}({', '.join(arguments)})"

    def _argument(self, x: object) -> str:
        return self._name[self._of(x)] if _tracked(x) else show(getattr(x, "value", x))

    def _of(self, x: Variable) -> int:
        return self._place[x.node.moment]

    def _arrive(self, adjoints: list, x: Variable, gradient: np.ndarray) -> None:
        before = adjoints[self._of(x)]
        adjoints[self._of(x)] = gradient if before is None else before + gradient

    def _moment(self, adjoints: list, active: int | None, caption: str) -> Moment:
        shown = tuple(None if a is None else show(a) for a in adjoints)
        return Moment(len(self._tape), shown, active, True, caption)


def show(value: object) -> str:
    """A number, a short list of numbers, or else the shape."""
    if not isinstance(value, np.ndarray | np.generic | int | float):
        return str(value)
    array = np.asarray(value)
    if array.size == 1 and array.ndim == 0:
        return _number(array)
    if array.ndim == 1 and array.size <= 4:
        return f"[{', '.join(map(_number, array))}]"
    return f"shape {array.shape}"


def _number(value: np.ndarray) -> str:
    return f"{value}" if value.dtype.kind == "b" else brief(float(value))
