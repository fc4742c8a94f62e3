"""Run the command line in this process and see what a user would see."""

import contextlib
import io
import json
from dataclasses import dataclass
from typing import Any

from tinytracker.cli.main import main
from tinytracker.progress import set_quiet


@dataclass
class Answer:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.out)


def run(*arguments: object) -> Answer:
    """`tinytracker ARGUMENTS...`; anything but an exit code that escapes is a failure of the test."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(a) for a in arguments])
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        finally:
            set_quiet(False)
    return Answer(code, out.getvalue(), err.getvalue())
