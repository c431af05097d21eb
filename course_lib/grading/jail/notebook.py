"""Run cells as IPython would, and say which statement is about to run.

A real IPython shell, so that magics, top-level await, display and get_ipython are the real ones.
What it lacks is a screen: errors are returned, not drawn.
"""

import ast
import signal
from collections.abc import Callable, Collection
from typing import Any

from IPython.core.async_helpers import get_asyncio_loop
from IPython.core.history import HistoryManager
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Instance
from traitlets.config import Config

_REPEAT = 0.5  # seconds between two interruptions of a cell that swallows the first


class TimeIsUp(BaseException):
    """The cell, or the answer, used up its time."""


class _Transformer(TransformerManager):
    """IPython's own, which does not look for magics where all is plain Python."""

    def do_token_transforms(self, lines: list[str]) -> list[str]:
        try:
            ast.parse("".join(lines))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return super().do_token_transforms(lines)
        return lines


class _Shell(InteractiveShell):
    """IPython without a terminal, which reports each statement before it runs."""

    input_transformer_manager = Instance(_Transformer, ())
    report: Callable[[int], None] = staticmethod(lambda statement: None)
    omitted: Collection[int] = ()
    past_errors: bool = False

    def init_history(self) -> None:
        self.history_manager = HistoryManager(shell=self, parent=self, enabled=False)

    def enable_matplotlib(self, gui: Any = None) -> tuple[None, str]:
        """`%matplotlib` of any kind draws into memory, as it does without."""
        return None, "agg"

    def ask_exit(self) -> None:
        """`exit` and `quit` end the cell only, as they do in a notebook until it restarts."""

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        """Drawing a coloured traceback takes longer than most cells."""

    showsyntaxerror = showtraceback

    def transform_ast(self, node: Any) -> Any:
        """Leave out the statements that ended an earlier try, and remember which are left."""
        node = super().transform_ast(node)
        left = [index for index in range(len(node.body)) if index not in self.omitted]
        node.body = [node.body[index] for index in left]
        self._left = iter(left)
        return node

    async def run_code(self, code_obj: Any, result: Any = None, *, async_: bool = False) -> bool:
        self.report(next(self._left, -1))
        failed = await super().run_code(code_obj, result, async_=async_)
        return failed and not self.past_errors


class Notebook:
    """A namespace in which cells are run one by one."""

    def __init__(self) -> None:
        config = Config()
        config.HistoryManager.enabled = False
        self._shell = _Shell.instance(config=config)
        self.run("await __import__('asyncio').sleep(0)\n_ = 1", seconds=10)  # warm, and harmless
        get_asyncio_loop().close()  # its descriptors do not survive a fork: IPython makes a new one

    @property
    def namespace(self) -> dict[str, Any]:
        return self._shell.user_ns

    def run(
        self,
        source: str,
        seconds: float,
        omitted: Collection[int] = (),
        report: Callable[[int], None] = lambda statement: None,
        past_errors: bool = False,
    ) -> BaseException | None:
        """Run one cell; return what it raised.

        Parameters
        ----------
        source : str
        seconds : float
            After this long, `TimeIsUp` is raised in it.
        omitted : collection of int
            Top-level statements, counted from 0, to leave out.
        report : callable
            Called with the number of each statement before it runs.
        past_errors : bool
            Go on after a statement that raises, as no notebook does.
        """
        shell = self._shell
        shell.omitted, shell.report, shell.past_errors = omitted, report, past_errors
        try:
            result = with_deadline(seconds, lambda: shell.run_cell(source, store_history=False))
            return result.error_before_exec or result.error_in_exec
        except BaseException as reason:  # an interruption just after the cell's own end, for one
            return reason


def with_deadline(seconds: float, work: Callable[[], Any]) -> Any:
    """Do the work; when the time is over, raise `TimeIsUp` in it, again and again."""

    def interrupt(*_: Any) -> None:
        raise TimeIsUp

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, _REPEAT)
    try:
        return work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
