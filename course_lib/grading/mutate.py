"""Is the grader itself right? Answers that are known to be right or wrong, tried on a question.

Right rewrites have to be accepted and wrong variants rejected, on every seed. Besides the wrong
answers that an author thinks of there are mutants: the model answer with one operator, number or
statement changed. A mutant may happen to compute the same; this is decided by numbers, at many more
points than the question's own inputs.
"""

import ast
import copy
import linecache
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .compare import Status, Verdict, judge
from .probe import Probe, run_probe
from .rubric import Edit, OrderQuestion, Question, Rubric, Variant
from .shelf import cells_before_answer, model_answer

SECONDS_AN_ANSWER = 20
EDGE_SEEDS = range(1000, 1006)
EDGE_VALUES = (0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0)


class Trial:
    """A question, and answers to try on it, in this process.

    Parameters
    ----------
    rubric : Rubric
    question : Question
        One of the rubric's.
    """

    def __init__(self, rubric: Rubric, question: Question) -> None:
        self.rubric, self.question = rubric, question

    @cached_property
    def model(self) -> str:
        """The model answer in the notebook."""
        return model_answer(self.rubric, self.question.name)

    @cached_property
    def right(self) -> list[str]:
        """Sources that must be accepted: the model answer and its rewrites."""
        return [self.model, *(self._source(variant) for variant in self.question.right)]

    @cached_property
    def wrong(self) -> list[tuple[str | None, str]]:
        """Sources that must be rejected, each with the code of its mistake, or None."""
        pairs = [
            variant if isinstance(variant, tuple) else (None, variant)
            for variant in self.question.wrong
        ]
        return [(code, self._source(variant)) for code, variant in pairs]

    @cached_property
    def mutants(self) -> list[str]:
        """The model answer with one thing changed, in every way that `mutants` knows."""
        if isinstance(self.question, OrderQuestion):
            return list(_order_mutants(self.question))
        return list(mutants(self.model))

    def verdict(self, source: str, seed: int) -> Verdict:
        """What the grader says to an answer, on the probes of one seed."""
        return self.verdicts(source, [seed])[0]

    def verdicts(self, source: str, seeds: Iterable[int]) -> list[Verdict]:
        """As `verdict`, on several seeds; the answer's cell is run once."""
        answer = self._run(source)
        return [self._judge(answer, self._probes(seed)) for seed in seeds]

    def is_equivalent(self, mutant: str) -> bool:
        """Whether a mutant computes what the question asks for, wherever one looks."""
        answer = self._run(mutant)
        return all(
            self._judge(answer, [probe]).status is Status.RIGHT for probe in self._edge_probes
        )

    def _probes(self, seed: int) -> list[Probe]:
        return self.question.probes(np.random.default_rng(seed))

    def _judge(self, answer: Callable[[Probe], dict], probes: list[Probe]) -> Verdict:
        return judge(self.question, probes, [answer(probe) for probe in probes], edited=True)

    def _run(self, source: str) -> Callable[[Probe], dict]:
        """Run the cells up to the answer, and the answer; give what carries out a probe on it."""
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for cell in self.cells_before:
            exec(cell, namespace)
        try:
            with _at_most(SECONDS_AN_ANSWER):
                exec(_compiled(source, f"<answer {self.question.name}>"), namespace)
        except (Exception, _TooLong) as reason:
            failed = {"status": "error", "message": f"{type(reason).__name__}: {reason}"}
            return lambda probe: failed

        def experiment(probe: Probe) -> dict:
            try:
                with _at_most(SECONDS_AN_ANSWER):
                    return run_probe(namespace, probe.as_json())
            except _TooLong:
                return {"status": "error", "message": "TimeoutError: the answer takes too long"}

        return experiment

    @cached_property
    def cells_before(self) -> list[Any]:
        """The compiled cells that have run when the answer is reached."""
        cells = cells_before_answer(self.rubric, self.question.name)
        return [_compiled(cell, f"<cell {number}>") for number, cell in enumerate(cells)]

    @cached_property
    def _edge_probes(self) -> list[Probe]:
        """The question's own probes at many seeds, and with edge values put in place of some."""
        if isinstance(self.question, OrderQuestion):
            return self._probes(0)
        edges = np.array([*EDGE_VALUES, *_numbers_in(self.model)])
        found = []
        for seed in EDGE_SEEDS:
            rng = np.random.default_rng(seed)
            for probe in self._probes(seed):
                found.append(probe)
                args = tuple(_with_edges(arg, edges, rng) for arg in probe.args)
                if (at_edges := self._probe_inside_domain(args, rng)) is not None:
                    found.append(at_edges)
        return found

    def _probe_inside_domain(self, args: tuple, rng: np.random.Generator) -> Probe | None:
        """The probe at these arguments, unless the question makes no sense there."""
        if self.question.domain and not self.question.domain(*args):
            return None
        try:
            probe = self.question.probe_at(args, rng)
            return probe if _is_finite(self.question.expected(probe)) else None
        except Exception:  # the reference refuses these arguments, in whatever way it likes
            return None

    def _source(self, variant: Variant) -> str:
        return variant.apply(self.model) if isinstance(variant, Edit) else variant


@dataclass(frozen=True)
class Problem:
    """Something that the grader gets wrong: an answer, on a seed, and what was said to it."""

    what: str
    source: str
    seed: int
    verdict: Verdict

    def __str__(self) -> str:
        said = f"{self.verdict.status}, {self.verdict.mistake}: {self.verdict.message}"
        return f"{self.what} (seed {self.seed}; {said})\n{self.source}\n"


def problems(trial: Trial, seeds: Iterable[int]) -> Iterator[Problem]:
    """Everything that the grader gets wrong about a question's known answers, and mutants."""
    seeds = list(seeds)
    for source in trial.right:
        for seed, verdict in zip(seeds, trial.verdicts(source, seeds), strict=True):
            if verdict.status is not Status.RIGHT:
                yield Problem("A right answer is rejected", source, seed, verdict)
    for code, source in trial.wrong:
        for seed, verdict in zip(seeds, trial.verdicts(source, seeds), strict=True):
            if verdict.status is Status.RIGHT:
                yield Problem("A wrong answer is accepted", source, seed, verdict)
            elif code is not None and verdict.mistake != code:
                yield Problem(f"The mistake {code} is not recognised", source, seed, verdict)
    for source in trial.mutants:
        for seed, verdict in zip(seeds, trial.verdicts(source, seeds), strict=True):
            if verdict.status is Status.RIGHT and not trial.is_equivalent(source):
                yield Problem("A mutant is accepted; probe more boundaries", source, seed, verdict)


SWAPPED_OPERATORS = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.Div),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}

SWAPPED_NAMES = {
    "sin": "cos",
    "cos": "sin",
    "exp": "expm1",
    "log1p": "log",
    "maximum": "minimum",
    "minimum": "maximum",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "abs": "negative",
    "sum": "mean",
}


def mutants(source: str) -> Iterator[str]:
    """The same source with one operator, number, call, argument or statement changed.

    Parameters
    ----------
    source : str
        A function or class, or several.

    Yields
    ------
    str
        Each mutant once, none equal to the source in all but form.
    """
    seen = {ast.unparse(ast.parse(source))}
    nodes = list(ast.walk(ast.parse(source)))
    for index, node in enumerate(nodes):
        for change in _changes(node):
            tree = ast.parse(source)
            target = list(ast.walk(tree))[index]
            change(target)
            mutant = ast.unparse(ast.fix_missing_locations(tree))
            if mutant not in seen:
                seen.add(mutant)
                yield mutant


def _changes(node: ast.AST) -> Iterator[Callable[[Any], None]]:
    """The ways to change one node, each as a function that does it to the node's copy."""
    match node:
        case ast.BinOp(op=op) | ast.AugAssign(op=op) | ast.BoolOp(op=op):
            yield from (_set("op", other()) for other in SWAPPED_OPERATORS.get(type(op), ()))
        case ast.Compare(ops=[op]):
            yield from (_set("ops", [other()]) for other in SWAPPED_OPERATORS.get(type(op), ()))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            pass
        case ast.UnaryOp(op=ast.USub()):
            yield _set("op", ast.UAdd())
        case ast.Constant(value=bool(value)):
            yield _set("value", not value)
        case ast.Constant(value=int(value) | float(value)):
            yield _set("value", value + 1)
        case ast.Attribute(attr=name) if name in SWAPPED_NAMES:
            yield _set("attr", SWAPPED_NAMES[name])
        case ast.Call(args=[_, first, second]) if _called(node) == "where":
            yield _set("args", [node.args[0], second, first])
        case ast.Tuple(elts=[first, second], ctx=ast.Load()):
            yield _set("elts", [second, first])
        case ast.FunctionDef(body=body) | ast.For(body=body) | ast.If(body=body):
            yield from _statement_changes(body)


def _statement_changes(body: list[ast.stmt]) -> Iterator[Callable[[Any], None]]:
    for position, statement in enumerate(body):
        if isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr | ast.For | ast.If):
            yield _replace_statement(position, ast.Pass())
        if isinstance(statement, ast.AugAssign):
            overwrite = ast.Assign([statement.target], statement.value)
            yield _replace_statement(position, overwrite)


def _set(field: str, value: Any) -> Callable[[Any], None]:
    return lambda node: setattr(node, field, value)


def _replace_statement(position: int, statement: ast.stmt) -> Callable[[Any], None]:
    return lambda node: node.body.__setitem__(position, copy.deepcopy(statement))


def _called(call: ast.Call) -> str | None:
    return call.func.attr if isinstance(call.func, ast.Attribute) else None


def _order_mutants(question: OrderQuestion) -> Iterator[str]:
    """The right order with two neighbours exchanged, a line dropped, or one put in."""
    right = list(question.answer)
    swapped = [[*right[:i], right[i + 1], right[i], *right[i + 2 :]] for i in range(len(right) - 1)]
    dropped = [[*right[:i], *right[i + 1 :]] for i in range(len(right))]
    added = [
        [*right[:i], label, *right[i:]]
        for label in question.lines
        if label not in right
        for i in range(len(right) + 1)
    ]
    for order in (*swapped, *dropped, *added):
        if order not in question.accepted:
            yield f"{question.name} = {order}"


def _numbers_in(source: str) -> list[float]:
    """The numbers written in a source, with either sign: where its branches may lie."""
    constants = (
        node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)
    )
    numbers = [float(c) for c in constants if isinstance(c, int | float) and abs(c) < 1e6]
    return [*numbers, *(-number for number in numbers)]


def _with_edges(argument: Any, edges: np.ndarray, rng: np.random.Generator) -> Any:
    """A floating array with about half of its entries replaced by edge values."""
    if not isinstance(argument, np.ndarray) or argument.dtype.kind != "f":
        return argument
    chosen = rng.choice(edges, size=argument.shape).astype(argument.dtype)
    return np.where(rng.random(argument.shape) < 0.5, chosen, argument)


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_finite, value))
    if value is None or isinstance(value, str):
        return True
    return bool(np.all(np.isfinite(np.asarray(value))))


def _compiled(source: str, file: str) -> Any:
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    return compile(source, file, "exec")


class _TooLong(BaseException):
    """The answer does not end. No `except Exception` of its own stops this."""


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Stop the body after this time, where the platform can (a mutated loop may not end)."""
    can = hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()
    if not can:
        yield
        return

    def stop(*_: Any) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
