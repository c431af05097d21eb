"""The engine beside its peers: python benchmarks/engine.py

Every peer in one process, interleaved round by round, medians of CPU time, one BLAS thread. A peer
counts only after its gradient was compared with the one written by hand in NumPy. What matters are
the ratios: microseconds belong to the machine.
"""

# ruff: noqa: E402 (threads are counted before NumPy is imported)

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"
os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}

import gc
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import autograd
import autograd.numpy as anp
import mygrad as mg
import numpy as np
import psutil
import tensorflow as tf
import torch
from autograd.extend import defvjp, primitive
from micrograd.engine import Value

from course_lib.tape import (
    Function,
    Variable,
    custom_gradient,
    custom_vjp,
    grad,
    logsumexp,
    register_custom_gradient,
)

ROUNDS = 11
X = np.linspace(0.1, 0.9, 10)
STEPS = 250  # of four ops each
torch.set_num_threads(1)


@dataclass
class Table:
    """A measured table: its title, the names of its columns, its rows of text."""

    title: str
    columns: list[str]
    rows: list[list[str]]

    def __str__(self) -> str:
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return (
            f"### {self.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
        )


def cpu_seconds(run, times=1):
    start = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - start) / times


def medians(peers, rounds=ROUNDS):
    """The median CPU time of each peer, all of them measured in every round.

    A short run is repeated for 20 ms, so that caches are warm for everybody; what the libraries
    brought to memory is not collected again and again in somebody's time.
    """
    gc.collect()
    gc.freeze()
    repeats = {
        name: 1 + int(0.02 / min(map(cpu_seconds, [run] * 3))) for name, run in peers.items()
    }
    times = {name: [] for name in peers}
    for _ in range(rounds):
        for name, run in peers.items():
            gc.collect()  # nobody collects what another left behind,
            run()  # nor waits for caches and pages that another had
            times[name].append(cpu_seconds(run, repeats[name]))
    return {name: median(seconds) for name, seconds in times.items()}


def compared(title, peers, expected, per, unit, limits):
    """A table of the peers whose gradient is right, with the ratio to each of ``limits``."""
    right, wrong = {}, []
    for name, run in peers.items():
        try:
            np.testing.assert_allclose(run(), expected, rtol=1e-6)
            right[name] = run
        except RecursionError:
            wrong.append([name, "RecursionError", *["–"] * len(limits)])
    measured = medians(right)
    rows = [
        [name, f"{seconds * per:.2f}", *[f"{seconds / measured[limit]:.2f}" for limit in limits]]
        for name, seconds in measured.items()
    ]
    return Table(title, ["peer", unit, *[f"× {limit}" for limit in limits]], rows + wrong)


# -- a chain of elementwise ops -------------------------------------------------------------------


def chain(x, sin):
    for _ in range(STEPS):
        x = sin(x * 1.01 + 0.1) - 0.05
    return x


def chain_by_hand():
    x, insides = X, []
    for _ in range(STEPS):
        insides.append(x * 1.01 + 0.1)
        x = np.sin(insides[-1]) - 0.05
    g = np.ones_like(X)
    for inside in reversed(insides):
        g = g * np.cos(inside) * 1.01
    return g


def chain_on_the_tape():
    x = Variable(X)
    return grad(chain(x, np.sin), x)


def second_derivative_on_the_tape():
    x = Variable(X)
    return grad(grad(chain(x, np.sin), x, create_graph=True), x)


def chain_in_torch():
    x = torch.tensor(X, requires_grad=True)
    y = chain(x, torch.sin)
    return torch.autograd.grad(y, x, torch.ones_like(y))[0].numpy()


def second_derivative_in_torch():
    x = torch.tensor(X, requires_grad=True)
    y, ones = chain(x, torch.sin), torch.ones(len(X), dtype=torch.float64)
    (first,) = torch.autograd.grad(y, x, ones, create_graph=True)
    return torch.autograd.grad(first, x, ones)[0].numpy()


def chain_in_autograd():
    return autograd.elementwise_grad(lambda x: chain(x, anp.sin))(X)


def chain_in_mygrad():
    x = mg.tensor(X)
    chain(x, mg.sin).backward(np.ones_like(X))
    return x.grad


def chain_in_tensorflow():
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = chain(x, tf.sin)
    return tape.gradient(y, x).numpy()


def chain_in_micrograd():
    """micrograd knows no sin and no arrays; a product with 1.01 in its place, entry by entry."""
    xs = [Value(x) for x in X]
    for x in xs:
        chain(x, lambda value: value * 1.01).backward()
    return [x.grad for x in xs]


# -- a chain of custom rules ----------------------------------------------------------------------


@custom_gradient
def tensorflows_shape(x):
    return x * 1.001, lambda g: g * 1.001


seeds_shape = register_custom_gradient(lambda x: x * 1.001, lambda g, x: g * 1.001)


class PytorchsShape(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 1.001

    @staticmethod
    def backward(ctx, g):
        (_,) = ctx.saved_tensors
        return g * 1.001


@custom_vjp
def jaxs_shape(x):
    return x * 1.001


jaxs_shape.defvjp(lambda x: (x * 1.001, x), lambda x, g: g * 1.001)


class TorchRule(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 1.001

    @staticmethod
    def backward(ctx, g):
        (_,) = ctx.saved_tensors
        return g * 1.001


@tf.custom_gradient
def tensorflow_rule(x):
    return x * 1.001, lambda g: g * 1.001


@primitive
def autograd_rule(x):
    return x * 1.001


defvjp(autograd_rule, lambda y, x: lambda g: g * 1.001)


def repeated(rule, x):
    for _ in range(4 * STEPS):
        x = rule(x)
    return x


def rule_on_the_tape(rule):
    def run():
        x = Variable(X)
        return grad(repeated(rule, x), x)

    return run


def rule_in_torch():
    x = torch.tensor(X, requires_grad=True)
    y = repeated(TorchRule.apply, x)
    return torch.autograd.grad(y, x, torch.ones_like(y))[0].numpy()


def rule_in_tensorflow():
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = repeated(tensorflow_rule, x)
    return tape.gradient(y, x).numpy()


def rule_in_autograd():
    return autograd.elementwise_grad(lambda x: repeated(autograd_rule, x))(X)


# -- a small network: 64 inputs of 256 features, 256 hidden units, 10 classes ---------------------

rng = np.random.default_rng(0)
DATA, LABELS = rng.standard_normal((64, 256)), np.eye(10)[rng.integers(0, 10, 64)]
for constant in (DATA, LABELS):
    constant.setflags(write=False)  # so that the tape need not copy it: nobody can change it
PARAMETERS = [
    rng.standard_normal((256, 256)) / 16,
    np.zeros(256),
    rng.standard_normal((256, 10)) / 16,
    np.zeros(10),
]

DATA_IN_TORCH, LABELS_IN_TORCH = torch.tensor(DATA), torch.tensor(LABELS)
DATA_IN_TENSORFLOW = tf.constant(DATA)
ON_THE_TAPE = [Variable(p) for p in PARAMETERS]
IN_TORCH = [torch.tensor(p, requires_grad=True) for p in PARAMETERS]
IN_MYGRAD = [mg.tensor(p) for p in PARAMETERS]
IN_TENSORFLOW = [tf.constant(p) for p in PARAMETERS]


def flattened(gradients):
    return np.concatenate([np.ravel(g) for g in gradients])


def network_by_hand():
    w1, b1, w2, b2 = PARAMETERS
    h = np.tanh(DATA @ w1 + b1)
    z = h @ w2 + b2
    top = z.max(axis=1, keepdims=True)
    e = np.exp(z - top)
    total = e.sum(axis=1, keepdims=True)
    loss = ((np.log(total) + top).sum() - (z * LABELS).sum()) / len(DATA)
    assert np.isfinite(loss)  # everybody computes it, so by hand as well
    gz = (e / total - LABELS) / len(DATA)
    ga = (gz @ w2.T) * (1 - h * h)
    return DATA.T @ ga, ga.sum(axis=0), h.T @ gz, gz.sum(axis=0)


def network_on_the_tape():
    w1, b1, w2, b2 = ps = ON_THE_TAPE
    z = np.tanh(DATA @ w1 + b1) @ w2 + b2
    return grad((logsumexp(z).sum() - (z * LABELS).sum()) / len(DATA), ps)


def network_in_torch():
    w1, b1, w2, b2 = ps = IN_TORCH
    z = torch.tanh(DATA_IN_TORCH @ w1 + b1) @ w2 + b2
    loss = (torch.logsumexp(z, 1).sum() - (z * LABELS_IN_TORCH).sum()) / len(DATA)
    return torch.autograd.grad(loss, ps)


def network_in_autograd():
    def loss(ps):
        w1, b1, w2, b2 = ps
        z = anp.dot(anp.tanh(anp.dot(DATA, w1) + b1), w2) + b2
        shifted = z - anp.max(z, axis=1, keepdims=True)
        total = anp.sum(anp.log(anp.sum(anp.exp(shifted), axis=1))) - anp.sum(shifted * LABELS)
        return total / len(DATA)

    return autograd.grad(loss)(PARAMETERS)


def network_in_mygrad():
    w1, b1, w2, b2 = ps = IN_MYGRAD
    z = mg.matmul(mg.tanh(mg.matmul(DATA, w1) + b1), w2) + b2
    loss = (mg.nnet.logsoftmax(z) * LABELS).sum() / -len(DATA)
    loss.backward()
    return [p.grad for p in ps]


def network_in_tensorflow():
    w1, b1, w2, b2 = ps = IN_TENSORFLOW
    with tf.GradientTape() as tape:
        tape.watch(ps)
        z = tf.tanh(DATA_IN_TENSORFLOW @ w1 + b1) @ w2 + b2
        loss = tf.reduce_sum(tf.reduce_logsumexp(z, 1)) - tf.reduce_sum(z * LABELS)
        loss = loss / len(DATA)
    return tape.gradient(loss, ps)


# -- depth ----------------------------------------------------------------------------------------


def grown(length):
    """Seconds and bytes an op of a chain of this length on the tape, in this process."""
    gc.collect()
    gc.freeze()  # the libraries' own objects, as in medians
    memory = psutil.Process().memory_info
    x = Variable(X)
    y, before, start = x, memory().rss, time.process_time()
    for _ in range(length):
        y = y * 1.0000001
    size = (memory().rss - before) / length
    gradient = grad(y, x)
    seconds = time.process_time() - start
    np.testing.assert_allclose(gradient, 1.0000001**length, rtol=1e-6)
    return seconds / length, size


def grown_in_a_process_of_its_own(length):
    command = [sys.executable, __file__, "--grown", str(length)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def growth():
    short = median(grown(1000)[0] for _ in range(ROUNDS))
    rows = [["1,000", f"{short * 1e6:.2f}", "1.00", "–"]]
    for length in (10_000, 100_000, 1_000_000):
        runs = [grown_in_a_process_of_its_own(length) for _ in range(3)]
        seconds, size = map(median, zip(*runs, strict=True))
        rows.append(
            [f"{length:,}", f"{seconds * 1e6:.2f}", f"{seconds / short:.2f}", f"{size:.0f}"]
        )
    return Table(
        "Depth: a chain on the tape", ["ops", "µs an op", "× 1,000 ops", "bytes an op"], rows
    )


def doubled(levels):
    def run():
        x = y = Variable(X)
        for _ in range(levels):
            y = y + y
        return grad(y, x)

    return run


def shared_nodes():
    measured = medians({levels: doubled(levels) for levels in (250, 500, 1000)})
    rows = [[str(n), f"{s * 1e6 / n:.2f}", f"{s / measured[250]:.2f}"] for n, s in measured.items()]
    return Table("Sharing: x = x + x", ["levels", "µs a level", "× 250 levels"], rows)


# -- all of it ------------------------------------------------------------------------------------


def tables() -> list[Table]:
    """Measure everything; about two minutes."""
    ops = 4 * STEPS
    first = chain_by_hand()
    scaled = np.full_like(X, 1.001 ** (4 * STEPS))
    second = second_derivative_in_torch()
    weights = flattened(network_by_hand())
    return [
        compared(
            "A chain of 1,000 elementwise ops on 10 entries, forward and backward",
            {
                "NumPy, by hand": chain_by_hand,
                "tape": chain_on_the_tape,
                "PyTorch": chain_in_torch,
                "autograd": chain_in_autograd,
                "MyGrad": chain_in_mygrad,
                "TensorFlow": chain_in_tensorflow,
                "micrograd": chain_in_micrograd,
            },
            first,
            1e6 / ops,
            "µs an op",
            ["PyTorch", "autograd", "NumPy, by hand"],
        ),
        compared(
            "A chain of 1,000 custom rules",
            {
                "tape, custom_gradient": rule_on_the_tape(tensorflows_shape),
                "tape, register_custom_gradient": rule_on_the_tape(seeds_shape),
                "tape, Function": rule_on_the_tape(PytorchsShape.apply),
                "tape, custom_vjp": rule_on_the_tape(jaxs_shape),
                "PyTorch, Function": rule_in_torch,
                "autograd, primitive": rule_in_autograd,
                "TensorFlow, custom_gradient": rule_in_tensorflow,
            },
            scaled,
            1e6 / ops,
            "µs a rule",
            ["PyTorch, Function"],
        ),
        compared(
            "The second derivative of the chain, beside the first",
            {
                "tape, first": lambda: (chain_on_the_tape(), second)[1],
                "tape, second": second_derivative_on_the_tape,
                "PyTorch, first": lambda: (chain_in_torch(), second)[1],
                "PyTorch, second": second_derivative_in_torch,
            },
            second,
            1e6 / ops,
            "µs an op",
            ["tape, first", "PyTorch, first"],
        ),
        compared(
            "A network, 64 × 256-256-10",
            {
                "NumPy, by hand": lambda: flattened(network_by_hand()),
                "tape": lambda: flattened(network_on_the_tape()),
                "PyTorch": lambda: flattened(network_in_torch()),
                "autograd": lambda: flattened(network_in_autograd()),
                "MyGrad": lambda: flattened(network_in_mygrad()),
                "TensorFlow": lambda: flattened(network_in_tensorflow()),
            },
            weights,
            1e3,
            "ms",
            ["NumPy, by hand"],
        ),
        growth(),
        shared_nodes(),
    ]


def main():
    if sys.argv[1:2] == ["--grown"]:
        print(json.dumps(grown(int(sys.argv[2]))))
        return
    for table in tables():
        print(table, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
