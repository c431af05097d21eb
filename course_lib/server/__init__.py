"""A Jupyter server that sends a view's answer at once.

TCP holds a small message back until the one before it was acknowledged (Nagle's algorithm), and a
browser with nothing to say acknowledges up to 40 ms late. A kernel that is moved by a slider says
"busy", then answers: without this the answer waits. Tornado leaves the choice to the application
(``WebSocketHandler.set_nodelay``), and Jupyter Server does not make it.

Installing the course enables this for every Jupyter server of the environment, by a file of the
name that ``jupyter server extension disable course_lib.server`` looks for.
"""

from typing import Any


def promptly(connection: type) -> type:
    """A class of connections between page and kernel, such that nothing that is sent waits."""

    class Prompt(connection):
        def connect(self) -> Any:
            self.websocket_handler.set_nodelay(True)
            return super().connect()

    return Prompt


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "course_lib.server"}]


def _load_jupyter_server_extension(server: Any) -> None:
    settings = server.web_app.settings
    name = "kernel_websocket_connection_class"
    settings[name] = promptly(settings[name])
