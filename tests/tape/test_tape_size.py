"""The engine is to be read in one sitting."""

import ast
import io
import tokenize
from pathlib import Path

import course_lib.tape

ENGINE = ["core.py", "backward.py", "ops.py", "forward.py"]  # recorded, walked, and by which rules
SILENT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def lines_of_code(source):
    """The number of lines that are not blank, comment or docstring."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {n for t in tokens if t.type not in SILENT for n in range(t.start[0], t.end[0] + 1)}
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            text = body[0]
            if isinstance(text.value, ast.Constant) and isinstance(text.value.value, str):
                lines -= set(range(text.lineno, text.end_lineno + 1))
    return len(lines)


def test_what_counts_as_a_line_of_code():
    assert (
        lines_of_code(
            '"""Doc."""\n\n# why\ndef f(x):\n    """Doc."""\n    return (\n        x\n    )\n'
        )
        == 4
    )


def test_the_engine_fits_into_one_sitting():
    folder = Path(course_lib.tape.__file__).parent
    counts = {file.name: lines_of_code(file.read_text()) for file in folder.glob("*.py")}
    assert sum(counts[name] for name in ENGINE) <= 440, counts
    assert max(counts.values()) <= 180, counts
    assert sum(counts.values()) <= 770, counts  # with errors, dialects and NumPy's names
