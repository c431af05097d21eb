"""Mathematics as MathML, which browsers draw themselves: no script, and a screen reader reads it.

The font, STIX Two Math, comes with ziamath, of which nothing else is used.
"""

import importlib.util
import re
from pathlib import Path

from docutils import nodes
from math_core import LatexToMathML
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

FONT = Path(importlib.util.find_spec("ziamath").origin).parent / "fonts/STIXTwoMath-Regular.ttf"

LATEX = LatexToMathML(fancy_error=False)
ROW_GAP = re.compile(r"\\\\\[[^]]*\]")
FENCE_WITH_EXPONENT = re.compile(r'<msup>(<mo minsize="(.+?)em".*?</mo>)')
PRIMED = re.compile(r"<msup>(<mi>.</mi>)<mo>([′″‴])</mo></msup>")


def mathml(latex: str, block: bool = False) -> str:
    """A formula as HTML has it."""
    made = LATEX.convert_with_local_state(ROW_GAP.sub(r"\\\\", latex), displaystyle=block)
    # Chromium does not stretch a fence that has an exponent: here the exponent stands on a blank.
    made = FENCE_WITH_EXPONENT.sub(on_blank, made)
    # The font's primes are high and small already.
    return PRIMED.sub(r'\1<mo lspace="0" rspace="0">\2</mo>', made)


def on_blank(fence: re.Match) -> str:
    return f'{fence[1]}<msup><mspace height="{0.7 * float(fence[2]):.2f}em"/>'


def visit_inline(writer: HTML5Translator, node: nodes.math) -> None:
    writer.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def visit_block(writer: HTML5Translator, node: nodes.math_block) -> None:
    # Wider than a telephone, a formula scrolls by itself, also by keyboard.
    writer.body.append(f'<div class="formula" tabindex="0">{mathml(node.astext(), True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.connect("config-inited", lambda _app, config: config.html_static_path.append(str(FONT)))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
