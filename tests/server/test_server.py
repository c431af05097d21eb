"""A real Jupyter server, a real kernel, and the socket between it and a page."""

import json
import subprocess
import sys

SERVER = """
import json, socket, sys
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.websocket import websocket_connect

async def look():
    kernel = await app.kernel_manager.start_kernel()
    address = f"ws://127.0.0.1:{app.port}/api/kernels/{kernel}/channels?token=secret"
    page = await websocket_connect(address)
    await page.read_message()
    (open_now,) = ZMQChannelsWebsocketConnection._open_sockets
    stream = open_now.websocket_handler.ws_connection.stream
    at_once = bool(stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
    print(json.dumps({"class": type(open_now).__name__, "at once": at_once}), flush=True)
    page.close()
    await app.kernel_manager.shutdown_all()
    app.stop()

app = ServerApp(ip="127.0.0.1", open_browser=False, allow_root=True, log_level="ERROR")
app.initialize(["--IdentityProvider.token=secret", f"--ServerApp.root_dir={sys.argv[1]}"])
app.io_loop.add_callback(look)
app.start()
"""


def test_an_answer_does_not_wait_for_an_acknowledgement(tmp_path):
    command = [sys.executable, "-c", SERVER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("{"), done.stderr
    assert json.loads(done.stdout.splitlines()[0]) == {"class": "Prompt", "at once": True}
