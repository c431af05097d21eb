"""What a view shows where no kernel runs, packed into the metadata of its picture.

The site unpacks it (`docs/_static/live.js`) and hands it to the same `stage.js` as in JupyterLab.
"""

import base64
import json
import zlib

import ipywidgets

_STAGE = ("label", "value", "low", "high", "step", "pace", "drawing", "frames", "sentences")


def pages(stage: ipywidgets.Widget) -> dict | None:
    """All that a stage needs to leaf through its frames; None if it needs a kernel."""
    if not all(map(stage.has_trait, _STAGE)) or not stage.frames:
        return None
    return {name: getattr(stage, name) for name in _STAGE}


def pack(shown: dict) -> str:
    """JSON, compressed, as text: the frames of a view are much alike."""
    text = json.dumps(shown, ensure_ascii=False)
    return base64.b64encode(zlib.compress(text.encode(), level=9)).decode()
