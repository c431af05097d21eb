"""How wide a text is before any browser has drawn it: what keeps titles and legends in place.

The widths are those of Verdana and DejaVu Sans, the widest fonts that a screen is likely to
choose: what fits here fits everywhere.
"""

_NARROW = "iljI|!.,:;'`"
_SLIM = 'ftr()[]{}/\\"- *°'
_WIDE = "mwMW@%∂→≤≥±−×·+=<>~"


def text_width(text: str, size: float = 13.0, bold: bool = False) -> float:
    """An upper bound for the width of `text` in pixels, at a font of `size` pixels."""
    em = sum(_em(letter) for letter in text)
    return em * size * (1.1 if bold else 1.0)


def _em(letter: str) -> float:
    if letter in _NARROW:
        return 0.34
    if letter in _SLIM:
        return 0.43
    if letter in _WIDE:
        return 0.98
    return 0.77 if letter.isupper() else 0.64


def fit(text: str, room: float, size: float = 13.0, bold: bool = False) -> str:
    """`text`, shortened with an ellipsis where it is wider than `room` pixels."""
    if text_width(text, size, bold) <= room:
        return text
    while text and text_width(text + "…", size, bold) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def wrap(text: str, room: float, size: float = 13.0) -> list[str]:
    """`text` in lines, none wider than `room` pixels; a word too long for a line is shortened."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(fit(word, room, size))
    return lines
