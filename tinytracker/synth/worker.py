"""A process that draws subjects: indices come in on stdin, progress goes out on stdout, as JSON lines.

Started by `tinytracker.synth.generate`, one per core, as `python -m tinytracker.synth.worker`. A plain
subprocess rather than multiprocessing, so that it works from notebooks and from scripts without a main guard;
when the parent dies, stdin ends and so does the worker.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from tinytracker.errors import OutputError
from tinytracker.synth.subject import Parameters, make_subject


def _send(stream: TextIO, **message: Any) -> None:
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def _lines(source: TextIO) -> Any:
    """Lines of stdin, read by a thread that ends the process at once when the parent is gone."""
    import queue

    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        for line in source:
            waiting.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield waiting.get()


def main() -> None:
    """Read {"out", "parameters"} once, then {"index"} per line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole terminal; the parent decides
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(
        sys.stderr.fileno(), sys.stdout.fileno()
    )  # whatever a library prints must not garble the protocol
    lines = _lines(sys.stdin)
    setup = json.loads(next(lines))
    out, parameters = Path(setup["out"]), Parameters.from_json(setup["parameters"])
    for line in lines:
        index = json.loads(line)["index"]
        try:
            make_subject(out, parameters, index, lambda n: _send(answers, frames=n))
        except OutputError as error:
            _send(answers, error={"path": str(error.path), "message": error.message, "hint": error.hint})
        else:
            _send(answers, done=index)


if __name__ == "__main__":
    main()
