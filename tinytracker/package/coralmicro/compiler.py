"""Find and run the user's edgetpu_compiler, which is Google's and may not be redistributed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tinytracker.children import ended_with_us
from tinytracker.errors import InputFileError, ModelError
from tinytracker.package.coralmicro.compiler_log import CompilerLog, parse_log
from tinytracker.package.coralmicro.edgetpu.compiled import CompiledModel, read_compiled
from tinytracker.package.coralmicro.failures import CompilerError, explain, timed_out
from tinytracker.package.coralmicro.options import COMPILER_VARIABLE
from tinytracker.progress import say

PROGRAM = "edgetpu_compiler"
MAX_OUTPUT_BYTES = 1 << 20
_GRACE_SECONDS = 20  # the compiler has its own timer, whose message explains more than a kill


@dataclass(frozen=True)
class Compilation:
    """Result of the compiler.

    Attributes:
        content: content of the compiled file. model: the same, parsed. log: what the compiler printed.
    """

    content: bytes
    model: CompiledModel
    log: CompilerLog


def command_line(model: str, timeout: int, program: str = PROGRAM) -> list[str]:
    """Return the command that compiles a model, as a person would type it."""
    return [program, "--show_operations", "--timeout_sec", str(timeout), model]


def find_compiler(given: Path | None) -> Path | None:
    """Return the compiler to use: the one given, the one in the environment, or the one on PATH; None without any.

    Raises:
        InputFileError: the file that was named is not a program.
    """
    named = given or (Path(os.environ[COMPILER_VARIABLE]) if os.environ.get(COMPILER_VARIABLE) else None)
    if named is None:
        found = shutil.which(PROGRAM)
        return Path(found) if found else None
    found = shutil.which(str(named))
    if found is None:
        problem = "not a program" if named.exists() else "no such program"
        raise InputFileError(named, problem, f"Name edgetpu_compiler, or unset ${COMPILER_VARIABLE}.")
    return Path(found)


def compile_model(compiler: Path, model: bytes, name: str, timeout: int) -> Compilation:
    """Run the compiler on a model.

    Args:
        compiler: path of the program.
        model: content of the .tflite file.
        name: name of the file, without suffix.
        timeout: time limit in seconds.

    Raises:
        CompilerError: it failed, was killed, took too long, or wrote something that is not a compiled model.
    """
    say(f"compiling with {compiler.name}")
    with tempfile.TemporaryDirectory(prefix="tinytracker-edgetpu-") as folder:
        source = Path(folder) / f"{name}.tflite"
        source.write_bytes(model)
        command = [str(compiler.absolute()), *command_line(source.name, timeout)[1:]]
        exit_code, output = _run(command, Path(folder), timeout + _GRACE_SECONDS)
        content = _result(Path(folder) / f"{name}_edgetpu.tflite", exit_code, output)
    try:
        compiled = read_compiled(content, f"{name}_edgetpu.tflite")
    except (InputFileError, ModelError) as error:
        # When nothing maps, some versions succeed and write a copy of the input.
        raise CompilerError(
            "garbage", f"The Edge TPU compiler's output is not a compiled model: {error.message}",
            "`tinytracker check MODEL --target coralmicro` shows which operators map.",
        ) from error  # fmt: skip
    return Compilation(content, compiled, parse_log(output))


def _result(path: Path, exit_code: int, output: str) -> bytes:
    """Return what the compiler wrote; its exit codes are not documented, so its messages count as well.

    Raises:
        CompilerError: it failed.
    """
    if exit_code == 0 and path.is_file():
        return path.read_bytes()
    if exit_code == 0 and "Compilation succeeded" in output:
        message = f"The Edge TPU compiler reported success but wrote no {path.name}."
        raise CompilerError("no-output", message)
    raise explain(exit_code, output)


def _run(command: list[str], folder: Path, timeout: float) -> tuple[int, str]:
    """Return the exit code (negative for a signal) and what was printed on both outputs.

    The output goes to a file, not a pipe, so that a child that outlives the compiler cannot keep us waiting.
    """
    log = folder / "output.log"
    with log.open("wb") as sink:
        try:
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise InputFileError(
                command[0], f"cannot be run ({error.strerror})",
                "edgetpu_compiler runs on 64-bit x86 Linux; --compiled uses a file that was compiled elsewhere.",
            ) from error  # fmt: skip
        try:
            with ended_with_us(process):
                exit_code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise timed_out(timeout) from None
        finally:
            _stop(process)
    with log.open("rb") as source:
        return exit_code, source.read(MAX_OUTPUT_BYTES).decode("utf-8", errors="replace")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the compiler and everything that it started (it compiles in a child process)."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
