"""Turns edgetpu_compiler's failures into sentences with a fix."""

from __future__ import annotations

import re
import signal

from tinytracker.errors import TinyTrackerError

_CHECK = "`tinytracker check MODEL --target coralmicro` names operators that are likely to be the cause."


class CompilerError(TinyTrackerError):
    """The Edge TPU compiler failed.

    Args:
        code: kind of failure: "internal", "not-quantized", "timeout", "killed", ...
        message: what happened.
        hint: the fix.
    """

    kind = "edgetpu-compiler"

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        self.code = code
        super().__init__(message, hint)


# Pattern in the output -> code, sentence, fix. Texts from public logs of compilers 1.0 to 16.0.
_KNOWN = (
    (
        r"Internal compiler error", "internal", "The Edge TPU compiler ended with an internal error.",
        f"It does not say why; large inputs and infinite scales are known causes. {_CHECK}",
    ),
    (
        r"Model not quantized", "not-quantized", "The Edge TPU compiler says that the model is not quantized.",
        "Convert it again, fully quantized with uint8 inputs; a run: tinytracker quantize RUN --io uint8",
    ),
    (
        r"Didn't find op for builtin opcode '(?P<found>[^']+' version '\d+)'", "version",
        "The Edge TPU compiler does not know operator '{found}'.",
        "Convert with TensorFlow 2.15 (the `train` extra), whose operator versions it knows.",
    ),
    (
        r"Model could not be parsed", "parse", "The Edge TPU compiler cannot read the model.",
        "Convert with TensorFlow 2.15 (the `train` extra), whose operator versions it knows.",
    ),
    (
        r"large activation tensors", "activations", "The Edge TPU compiler says that activations are too large.",
        "Use a smaller input image or fewer channels in the first layers.",
    ),
    (
        r"Model failed in Tflite interpreter", "interpreter",
        "The model fails in the TensorFlow Lite interpreter inside the Edge TPU compiler.",
        "Run `tinytracker evaluate` on it first; scales that overflow are a known cause.",
    ),
    (
        r"timer expired|timed out|did not complete within", "timeout",
        "The Edge TPU compiler stopped after its own time limit.",
        "Raise --compiler-timeout.",
    ),
)  # fmt: skip


def explain(exit_code: int, output: str) -> CompilerError:
    """Turn the compiler's exit code and output into one error.

    Args:
        exit_code: exit code, negative for a signal.
        output: everything that the compiler printed.
    """
    for pattern, code, message, hint in _KNOWN:
        match = re.search(pattern, output)
        if match:
            found = {k: v.replace("'", "") for k, v in match.groupdict().items()}
            return CompilerError(code, message.format(**found), hint)
    if exit_code < 0:
        return CompilerError(
            "killed", f"The Edge TPU compiler was killed by {_signal(-exit_code)}.",
            "SIGKILL usually means that memory ran out." if exit_code == -signal.SIGKILL else "",
        )  # fmt: skip
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = f": {lines[-1][:200]}" if lines else " and printed nothing"
    return CompilerError("unknown", f"The Edge TPU compiler failed with exit code {exit_code}{last}.", _CHECK)


def timed_out(seconds: float) -> CompilerError:
    """Return the error for a compiler that was stopped after our time limit."""
    return CompilerError(
        "timeout", f"The Edge TPU compiler did not finish within {seconds:.0f} s and was stopped.",
        "Raise --compiler-timeout; our presets take seconds.",
    )  # fmt: skip


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
