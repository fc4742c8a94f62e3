"""The Coral application on this computer, measured by the real reader: records over a line, commands over JSON-RPC."""

import http.server
import json
import os
import pty
import shutil
import subprocess
import threading
import tty

import numpy as np
import pytest
from support.cli import run
from support.coral_app import SANITIZE, contract, make, write_header

from tinytracker.measure.link import open_link
from tinytracker.measure.playback import replay
from tinytracker.measure.session_reader import read_session

pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None or shutil.which("make") is None, reason="needs g++ and make"
)


class CoralOnThisComputer:
    """The program, its USB serial as a pty and its USB Ethernet as a local server.

    Attributes:
        port: of the records. rpc: URL for the commands.
    """

    def __init__(self, program, folder):
        models = folder / "fs" / "models"
        models.mkdir(parents=True)
        (models / "gaze_model_edgetpu.tflite").write_bytes(b"any")
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._program = subprocess.Popen(
            [program], env={"FAKE_FILES": str(folder / "fs")}, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=self._master, stderr=subprocess.PIPE,
        )  # fmt: skip
        board = self

        class Server(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                answer = board.call(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Server)
        self.rpc = f"http://127.0.0.1:{self._server.server_port}/jsonrpc"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def call(self, body):
        request = json.loads(body)
        parameters = json.dumps(request["params"], separators=(",", ":"))
        self._program.stdin.write(f"{request['method']} {parameters}\n")
        self._program.stdin.flush()
        return self._program.stderr.readline().encode()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._program.kill()
        self._program.wait()
        for stream in (self._program.stdin, self._program.stderr):
            stream.close()
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coral")
    make(write_header(folder / "package", contract()), folder / "build", "host", SANITIZE)
    return folder / "build" / "tinytracker"


@pytest.fixture
def board(program, tmp_path):
    running = CoralOnThisComputer(program, tmp_path)
    yield running
    running.close()


def test_a_session_of_the_application(board, tmp_path):
    out = tmp_path / "s.jsonl"
    answer = run(
        "measure", "--target", "coralmicro", "--port", board.port, "--rpc", board.rpc,
        "--frames", 300, "--warmup", 5, "--out", out, "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    session = read_session(out)
    assert (len(session), session.lost, session.damaged, session.end) == (305, 0, 0, "done")
    assert session.header.board["name"] == "coralmicro"
    assert session.header.model["sha256"] == "5" * 64
    assert session.header.outputs[0]["name"] == "gaze"
    assert np.all(np.diff(session.stamps[:, 0]) > 0)
    assert {len(output) for output in session.outputs} == {2}
    assert set(session.header.phases) <= set(answer.document["phases"])
    assert answer.document["phases"]["capture"]["median"] >= 1000  # the fake camera takes a ms
    assert replay(out).differences == ()


def test_a_stopped_application_is_found_again(board):
    with open_link(board.port, rpc=board.rpc) as link:
        for event in link.frames(1_000_000):
            if event.sequence == 20:
                break
    with open_link(board.port, rpc=board.rpc) as link:
        assert len(list(link.frames(3))) == 3


def test_an_image_goes_to_the_board_over_its_server(board):
    image = bytes(range(256))
    with open_link(board.port, rpc=board.rpc) as link:
        link.load(image)  # refused by the board when a byte is wrong


def test_a_server_that_is_not_there_is_said(board, tmp_path):
    answer = run(
        "measure", "--target", "coralmicro", "--port", board.port, "--rpc", "http://127.0.0.1:1/jsonrpc",
        "--out", tmp_path / "s.jsonl",
    )  # fmt: skip
    assert answer.code == 1
    assert "server does not answer" in answer.err
    assert "--rpc" in answer.err
