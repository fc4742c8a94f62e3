"""A page in headless Chromium, over the DevTools protocol: what it says, what it asks for, what it looks like.

Chromium is Debian's (`.ci/run` installs it); a machine without one skips what needs a browser.
"""

import base64
import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field

import pytest
from websockets.sync.client import connect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
START_S = 60


@dataclass
class Browser:
    """One tab. `events` are the browser's messages, in order."""

    socket: object
    events: list = field(default_factory=list)
    _numbers: object = field(default_factory=itertools.count)

    def call(self, method, **parameters):
        """Run a method of the protocol; returns its result."""
        number = next(self._numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=START_S))
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self.events.append(message)

    def open(self, address, width=1280, height=800, dark=False):
        """Go to an address with a window of this size, and wait until the page is loaded."""
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.resize(width, height, dark)
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete'")

    def resize(self, width, height, dark=False):
        """Another size or another colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def value(self, expression):
        """What a JavaScript expression is."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression, timeout_s=30):
        """Wait until an expression is true; returns what it is."""
        end = time.monotonic() + timeout_s
        while not (found := self.value(expression)):
            assert time.monotonic() < end, f"still not: {expression}"
            time.sleep(0.05)
        return found

    def text(self, selector):
        """The text that is shown in an element."""
        return self.value(f"document.querySelector({json.dumps(selector)}).innerText")

    def click(self, selector):
        """Click an element."""
        self.value(f"document.querySelector({json.dumps(selector)}).click()")

    def picture(self, path):
        """What the page looks like, as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    @property
    def complaints(self):
        """Errors and warnings of the console and of the browser."""
        self.value("0")  # what waits is read with the answer
        found = []
        for event in self.events:
            detail = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                found.append(detail["exceptionDetails"])
            elif event["method"] == "Runtime.consoleAPICalled" and detail["type"] in ("error", "warning"):
                found.append(detail["args"])
            elif event["method"] == "Log.entryAdded" and detail["entry"]["level"] in ("error", "warning"):
                found.append(detail["entry"])
        return found

    @property
    def requests(self):
        """Addresses that were asked for."""
        self.value("0")
        sent = (e for e in self.events if e["method"] == "Network.requestWillBeSent")
        return [e["params"]["request"]["url"] for e in sent]


@contextlib.contextmanager
def browser(folder):
    """A browser of its own; `folder` takes its profile."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--hide-scrollbars", "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank",
    ]  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            address = _devtools(process)
            with connect(_tab(address), max_size=None, proxy=None) as socket:
                yield Browser(socket)
        finally:
            process.terminate()
            process.stderr.close()


def _devtools(process):
    """Host and port that the browser says it listens on."""
    for line in process.stderr:
        if match := re.search(r"DevTools listening on ws://([^/]+)/", line):
            return match[1]
    raise AssertionError("Chromium ended before it listened")


def _tab(address):
    from http.client import HTTPConnection

    connection = HTTPConnection(address, timeout=START_S)
    try:
        connection.request("GET", "/json")
        tabs = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
