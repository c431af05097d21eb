"""check_gradient against torch.autograd.gradcheck (slow mode) on the same rules, in one run.

    python benchmarks/gradcheck.py

Every rule has 300 input entries and is written as a custom gradient of each framework. Processor
time of one thread is taken, in interleaved rounds, so that a busy machine does not count; medians
are printed, and their ratios.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np

from course_lib.frameworks import torch
from course_lib.gradcheck import check_gradient
from course_lib.tape import custom_gradient

ROUNDS = 15


class TorchSine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x)

    @staticmethod
    def backward(ctx, u):
        return u * torch.cos(ctx.saved_tensors[0])


class TorchSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(x)
        y = e / e.sum()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, u):
        (y,) = ctx.saved_tensors
        return y * (u - (u * y).sum())


class TorchSumOfSquares(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x * x).sum()

    @staticmethod
    def backward(ctx, u):
        return 2 * u * ctx.saved_tensors[0]


@custom_gradient
def tape_sine(x):
    return np.sin(x), lambda u: u * np.cos(x)


@custom_gradient
def tape_softmax(x):
    y = np.exp(x) / np.exp(x).sum()
    return y, lambda u: y * (u - (u * y).sum())


@custom_gradient
def tape_sum_of_squares(x):
    return (x * x).sum(), lambda u: 2 * u * x


RULES = {
    "sin": (tape_sine, TorchSine.apply),
    "softmax": (tape_softmax, TorchSoftmax.apply),
    "sum of squares": (tape_sum_of_squares, TorchSumOfSquares.apply),
}


def milliseconds(run: Callable) -> float:
    start = time.process_time()
    assert run()
    return 1e3 * (time.process_time() - start)


def main() -> None:
    torch.set_num_threads(1)
    x = np.random.default_rng(0).normal(size=300)
    leaf = torch.tensor(x, requires_grad=True)
    print(f"{'300 entries':16}{'ours, tape':>12}{'ours, torch':>13}{'gradcheck':>11}   ratios")
    for name, (tape_rule, torch_rule) in RULES.items():
        contestants = (
            lambda rule=tape_rule: check_gradient(rule, x),
            lambda rule=torch_rule: check_gradient(rule, x, framework="torch"),
            lambda rule=torch_rule: torch.autograd.gradcheck(rule, leaf),
        )
        times = [[milliseconds(run) for run in contestants] for _ in range(ROUNDS)]
        tape, pytorch, peer = (statistics.median(column) for column in zip(*times, strict=True))
        print(
            f"{name:16}{tape:9.1f} ms{pytorch:10.1f} ms{peer:8.1f} ms"
            f"   tape {tape / peer:.2f}, torch {pytorch / peer:.2f}"
        )


if __name__ == "__main__":
    main()
