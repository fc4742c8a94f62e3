"""Capture what native libraries print directly to the process's file descriptors."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def captured_output() -> Iterator[Callable[[], str]]:
    """Redirect file descriptors 1 and 2 of this process to a temporary file; yields a function that returns the text.

    The function works inside the block and, returning the final text, after it.

    TensorFlow's converter prints a summary on stdout and TFLM reports its arena on stderr, both from C++, where
    `sys.stdout` cannot be replaced; stdout must stay free for `--json`. Not thread-safe: descriptors are global.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    final: list[str] = []
    with tempfile.TemporaryFile() as sink:
        saved = {fd: os.dup(fd) for fd in (1, 2)}
        try:
            for fd in saved:
                os.dup2(sink.fileno(), fd)

            def text() -> str:
                if final:
                    return final[0]
                written = os.fstat(sink.fileno()).st_size
                return os.pread(sink.fileno(), written, 0).decode(errors="replace")

            yield text
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            final.append(text())
            for fd, copy in saved.items():
                os.dup2(copy, fd)
                os.close(copy)
