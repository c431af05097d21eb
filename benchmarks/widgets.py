"""A slider's key press until the picture is painted: `python -m benchmarks.widgets`.

`CurvePair` against `interact` with inline matplotlib, on the same curves of the same three rules,
in one run of one browser on one JupyterLab, taking turns. Both have a slider for the point and one
for a parameter. The time is taken in the page: from the browser's key event to the first animation
frame after the picture has changed. Bytes are those of the kernel's websocket, both ways, until the
kernel rests. In the end both are dragged, and every animation frame is looked at: is there a
picture with its curves in it?
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import numpy as np
from playwright.sync_api import Locator, WebSocket, sync_playwright
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from driver import CHROMIUM_OPTIONS, JupyterLab, Notebook, find_chromium

WARM_UP, AT_A_TIME = 3, 4
FRAME = 1000 / 60
"""Milliseconds."""

RULES = """
import numpy as np
import tensorflow as tf
import torch
from course_lib import frameworks
from course_lib.tape import custom_gradient
from course_lib.widgets import CurvePair

# Twice the derivative on the tape, so that there is a mismatch to shade.
@custom_gradient
def smooth_step_tape(x, alpha):
    t = np.tanh(alpha * x)
    return (1 + t) / 2, lambda upstream: (upstream * alpha * (1 - t * t), None)

def smooth_step_tf(x, alpha):
    @tf.custom_gradient
    def rule(x):
        t = tf.tanh(alpha * x)
        return (1 + t) / 2, lambda upstream: upstream * alpha * (1 - t * t) / 2
    return rule(x)

class SmoothStep(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, alpha):
        t = torch.tanh(alpha * x)
        ctx.save_for_backward(t)
        ctx.alpha = alpha
        return (1 + t) / 2

    @staticmethod
    def backward(ctx, upstream):
        (t,) = ctx.saved_tensors
        return upstream * ctx.alpha * (1 - t * t) / 2, None

def smooth_step_torch(x, alpha):
    return SmoothStep.apply(x, alpha)

rules = {"tape": smooth_step_tape, "tensorflow": smooth_step_tf, "torch": smooth_step_torch}
"""

OURS = """
CurvePair(rules, {"alpha": (2, 1, 10)}, x=0.0)
"""

# What a good notebook would do: the size given, limits held, one drawing a step.
PEER = """
%matplotlib inline
import matplotlib.pyplot as plt
from ipywidgets import FloatSlider, interact

grid = np.linspace(-3, 3, 241)
looks = {"tape": "-", "tensorflow": "--", "torch": ":"}

def curves(at, alpha):
    for name, rule in rules.items():
        outputs, pullback = frameworks.get(name).vjp(lambda x: rule(x, alpha), at)
        yield name, outputs[0], pullback(np.ones_like(at))[0]

@interact(
    x=FloatSlider(value=0.0, min=-3, max=3, step=0.05),
    alpha=FloatSlider(value=2.0, min=1, max=10, step=0.1),
)
def pair(x, alpha):
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 2.8))
    true = alpha * (1 - np.tanh(alpha * grid) ** 2) / 2
    here = {name: (y[0], g[0]) for name, y, g in curves(np.array([x]), alpha)}
    for name, value, gradient in curves(grid, alpha):
        left.plot(grid, value, looks[name], label=name)
        right.plot(grid, gradient, looks[name])
        right.fill_between(grid, gradient, true, color="orange", alpha=0.1)
        left.plot(x, here[name][0], "o")
        right.plot(x, here[name][1], "o")
    right.plot(grid, true, "k--", label="true derivative")
    value, slope = here["tape"]
    left.axline((x, value), slope=slope)
    for panel in (left, right):
        panel.axvline(x, ls=":")
        panel.set(xlim=(-3, 3))
        panel.grid()
    left.set(title=f"forward: smooth_step(x, alpha={alpha:.3g})", ylim=(-0.1, 1.1))
    right.set(title="gradient", ylim=(-0.5, 10.5))
    left.legend()
    right.legend()
    plt.show()
    print(f"x = {x:.2f}: value {value:.3f}, gradient {slope:.3f}")
"""

# Of a key press: when the browser had it, and when the picture that answers was painted.
WATCH = """
() => {
  const picture = () => document.querySelector(".cg-stage, .jp-OutputArea-output img");
  // Another picture is another source, or another element on the stage.
  const look = () => {
    const seen = picture();
    return seen?.tagName === "IMG" ? seen.src : seen?.lastElementChild;
  };
  // Whole, and with every curve: an image that is decoded, or a line of each framework.
  const blank = () => {
    const seen = picture();
    if (seen === null || seen.getBoundingClientRect().height < 100) return true;
    if (seen.tagName === "IMG") return !(seen.complete && seen.naturalWidth > 0);
    return !["tape", "tensorflow", "torch"].every((ink) => seen.querySelector(`path.s-${ink}`));
  };
  const watch = window.watch = { began: null, took: null, shown: look(), frames: 0, blanks: 0 };
  addEventListener("keydown", (event) => {
    Object.assign(watch, { began: event.timeStamp, took: null, shown: look() });
  }, true);
  const everyFrame = (now) => {
    watch.frames += 1;
    watch.blanks += blank();
    if (watch.began !== null && !blank() && look() !== watch.shown) {
      // This frame is painted when its callbacks are done: a task of its own comes after that.
      const { port1, port2 } = new MessageChannel(), { began } = watch;
      watch.began = null;
      port1.onmessage = () => { watch.took = performance.now() - began; };
      port2.postMessage(null);
    }
    requestAnimationFrame(everyFrame);
  };
  requestAnimationFrame(everyFrame);
}
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=40, help="of each slider (at most 50)")
    steps = parser.parse_args().steps
    with _two_contestants() as (ours, peer):
        sliders = {
            ("CurvePair", "x"): (ours, ours.page.locator(".cg-stage")),
            ("CurvePair", "parameter"): (ours, ours.notebook.dial("alpha")),
            ("interact", "x"): (peer, peer.page.get_by_role("slider").nth(0)),
            ("interact", "parameter"): (peer, peer.page.get_by_role("slider").nth(1)),
        }
        measured = {way: Measured() for way in sliders}
        _take_turns(sliders, measured, steps)
        frames = {"CurvePair": ours.drag(".cg-stage"), "interact": peer.drag(".noUi-base")}
    Console().print(_table(measured, frames, steps))


def _take_turns(sliders: dict, measured: dict, steps: int) -> None:
    """Steps of every slider, a few at a time, so that all meet the same machine."""
    for contestant, slider in sliders.values():
        for _ in range(WARM_UP):
            contestant.step(slider)
    for done in range(0, steps, AT_A_TIME):
        for way, (contestant, slider) in sliders.items():
            contestant.page.bring_to_front()
            for _ in range(min(AT_A_TIME, steps - done)):
                measured[way].add(*contestant.step(slider))


def _table(measured: dict, frames: dict, steps: int) -> Table:
    table = Table(title=f"Key press to painted picture, {steps} steps each")
    for column in ("slider", "median, ms", "p95, ms", "times as fast", "kB a step"):
        table.add_column(column, justify="left" if column == "slider" else "right")
    table.add_column("blank frames of a drag", justify="right")
    for (way, slider), its in measured.items():
        ratio = measured["interact", slider].median / its.median
        painted, blanks = frames[way]
        table.add_row(
            f"{way}: {slider}",
            f"{its.median:.0f}",
            f"{its.percentile(95):.0f}",
            f"{ratio:.1f}" if way != "interact" else "",
            f"{max(its.bytes) / 1000:.1f}",
            f"{blanks} of {painted}" if slider == "x" else "",
        )
    return table


@contextmanager
def _two_contestants() -> Iterator[tuple["Contestant", "Contestant"]]:
    with tempfile.TemporaryDirectory() as root, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_OPTIONS)
        context = browser.new_context(viewport={"width": 1100, "height": 1000})
        with JupyterLab(Path(root)) as lab:
            ours = Contestant(lab, context, "curve_pair.ipynb", OURS)
            peer = Contestant(lab, context, "interact.ipynb", PEER)
            yield ours, peer
            ours.notebook.close()
            peer.notebook.close()
        browser.close()


@dataclass
class Measured:
    """Milliseconds and bytes of each step of one slider."""

    milliseconds: list[float] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)

    def add(self, milliseconds: float, size: int) -> None:
        self.milliseconds.append(milliseconds)
        self.bytes.append(size)

    @property
    def median(self) -> float:
        return float(np.median(self.milliseconds))

    def percentile(self, share: float) -> float:
        return float(np.percentile(self.milliseconds, share))


class Contestant:
    """A notebook with one live picture, and the bytes of its websocket."""

    def __init__(self, lab: JupyterLab, context, name: str, cell: str) -> None:
        sheet = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(c) for c in (RULES, cell)]
        )
        sheet.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(sheet, lab.root / name)
        self._bytes = 0
        context.once("page", lambda page: page.on("websocket", self._listen))
        self.notebook = Notebook(lab, context, name)
        if errors := self.notebook.run_all():
            sys.exit("\n".join(errors))
        self.page = self.notebook.page
        self.page.evaluate(WATCH)

    def step(self, slider: Locator) -> tuple[float, int]:
        """Press a key on `slider`: milliseconds until the answer is painted, and all its bytes."""
        slider.focus()
        # Somewhere between two frames, as a reader's keys are; what went before ended with a frame.
        self.page.wait_for_timeout(FRAME * random.random())
        before = self._bytes
        self.page.keyboard.press("ArrowRight")
        self.page.wait_for_function("() => window.watch.took !== null")
        self.notebook.wait_until_idle()
        return self.page.evaluate("() => window.watch.took"), self._bytes - before

    def drag(self, selector: str) -> tuple[int, int]:
        """Drag to and fro; how many frames were painted, and how many of them were blank."""
        self.page.bring_to_front()
        place = self.page.locator(selector).first.bounding_box()
        middle = place["y"] + place["height"] / 2
        self.page.evaluate("() => Object.assign(window.watch, { frames: 0, blanks: 0 })")
        self.page.mouse.move(place["x"] + place["width"] / 2, middle)
        self.page.mouse.down()
        for share in (0.9, 0.1, 0.6):
            self.page.mouse.move(place["x"] + share * place["width"], middle, steps=40)
        self.page.mouse.up()
        self.notebook.wait_until_idle()
        self.notebook.wait_until_painted()
        return tuple(self.page.evaluate("() => [window.watch.frames, window.watch.blanks]"))

    def _listen(self, socket: WebSocket) -> None:
        if "/kernels/" in socket.url:
            socket.on("framereceived", self._count)
            socket.on("framesent", self._count)

    def _count(self, payload: str | bytes) -> None:
        self._bytes += len(payload if isinstance(payload, bytes) else payload.encode())


if __name__ == "__main__":
    main()
