"""The engine is to be read in one sitting."""

import ast
import io
import tokenize
from pathlib import Path

import course_lib.tape

LIMIT = 500
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
    files = sorted(Path(course_lib.tape.__file__).parent.glob("*.py"))
    counts = {file.name: lines_of_code(file.read_text()) for file in files}
    assert sum(counts.values()) <= LIMIT, counts
