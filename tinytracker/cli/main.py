"""The `tinytracker` command: a table of verbs, each imported only when it is used.

Exit codes: 0 success, 1 the work failed, 2 wrong usage, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from tinytracker import __version__
from tinytracker.children import stop_on_signals
from tinytracker.errors import TinyTrackerError, UsageError

# Verb -> (module with a click command named `command`, one line of help). Kept here as text so that `--help` imports
# none of the modules and answers at once, with or without TensorFlow.
VERBS: dict[str, tuple[str, str]] = {
    "demo": ("tinytracker.cli.demo", "Run the whole chain on synthetic data, up to a packaged INT8 network."),
    "synth": ("tinytracker.cli.synth", "Make a synthetic data set in GazeCapture's layout."),
    "synth-events": (
        "tinytracker.cli.synth_events",
        "Draw clips of eyes as an event sensor sees them.",
    ),
    "prepare": ("tinytracker.cli.prepare", "Turn a GazeCapture folder into shards for training."),
    "collect": (
        "tinytracker.cli.collect",
        "Record people who look at dots, with your own camera and screen.",
    ),
    "devices": ("tinytracker.cli.devices", "List phones, tablets and screens, and add your own."),
    "info": ("tinytracker.cli.info", "Show layers, parameters, MACs and memory of a network."),
    "train": ("tinytracker.cli.train", "Train a network into a run folder."),
    "adapt": ("tinytracker.cli.adapt", "Adapt a network to recorded sessions, and keep what is better."),
    "weights": (
        "tinytracker.cli.weights",
        "Write a run's weights into a file that other runs can start from.",
    ),
    "evaluate": ("tinytracker.cli.evaluate", "Measure the error of a network in cm."),
    "calibrate": ("tinytracker.cli.calibrate", "Correct the gaze for one person from a few dots."),
    "quantize": ("tinytracker.cli.quantize", "Quantize a run to a full-integer .tflite file."),
    "spike": ("tinytracker.cli.spike", "Convert a run to a spiking network of integers."),
    "hybrid": (
        "tinytracker.cli.hybrid",
        "Follow the gaze with an event camera: spiking layers and an INT8 head.",
    ),
    "parity": ("tinytracker.cli.parity", "Compare every runtime with the reference kernels in one table."),
    "check": ("tinytracker.cli.check", "Check, rule by rule, whether a device can run a network."),
    "export": ("tinytracker.cli.export", "Write a quantized network as ONNX or for OpenVINO."),
    "package": ("tinytracker.cli.package", "Package a quantized network for a device."),
    "measure": ("tinytracker.cli.measure", "Measure latency on a board or this computer, phase by phase."),
    "baselines": (
        "tinytracker.cli.baselines",
        "Record what a camera draws when it is off, streams, and runs.",
    ),
    "live": ("tinytracker.cli.live", "Show on a local page where you look, and calibrate."),
    "compare": ("tinytracker.cli.compare", "Test whether two groups of measured sessions differ."),
    "compare-platforms": (
        "tinytracker.cli.compare_platforms",
        "Put one network on all platforms: fit, latency, power and energy.",
    ),
    "energy": ("tinytracker.cli.energy", "Compute energy per frame and phase from a power meter's file."),
    "cascade": (
        "tinytracker.cli.cascade",
        "Run the network only when the gaze may have moved: fit and compare gates.",
    ),
    "report": ("tinytracker.cli.report", "Write one page about runs, packages and measured sessions."),
    "edgetpu": ("tinytracker.cli.edgetpu", "Inspect files compiled for the Edge TPU."),
    "emulate": (
        "tinytracker.cli.emulate",
        "Run a quantized network on an emulated Cortex-M4 and count its cost.",
    ),
    "rpk": ("tinytracker.cli.rpk", "Show or verify an IMX500 network package."),
    "setup": ("tinytracker.cli.setup", "Install a vendor's tool into its own environment."),
    "doctor": ("tinytracker.cli.doctor", "List what is installed, what is missing, and how to install it."),
}

SCHEMA_VERSION = 1
ENVIRONMENT_PREFIX = "TINYTRACKER"
CONFIG_VARIABLE = "TINYTRACKER_CONFIG"
CONFIG_FILE = "tinytracker.toml"


class VerbTable(click.Group):
    """A click group that knows its verbs by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the work, not alphabetically."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(VERBS[cmd_name][0]).command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the verb; on an unknown name, suggest the nearest one."""
        name = args[0] if args else ""
        if name not in VERBS and not name.startswith("-"):
            from tinytracker.errors import UnknownNameError

            raise UnknownNameError("verb", name, VERBS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of verbs."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])


@click.group(
    cls=VerbTable,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": ENVIRONMENT_PREFIX},
    epilog=f"Options can also be set in the environment ({ENVIRONMENT_PREFIX}_VERB_OPTION) and in {CONFIG_FILE} "
    f"(or the file named by {CONFIG_VARIABLE}), one section per verb; a flag overrides both.",
)
@click.version_option(__version__, prog_name="tinytracker")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Gaze estimation inside the camera: train, quantize, package and measure."""
    ctx.default_map = load_defaults()


def load_defaults() -> dict[str, Any]:
    """Return option defaults per verb from the configuration file, or {} without one.

    Raises:
        ConfigError: the file is not TOML, or a section or key matches no verb or option.
        InputFileError: the file named by the environment does not exist.
    """
    named = os.environ.get(CONFIG_VARIABLE)
    path = Path(named or CONFIG_FILE)
    if not named and not path.is_file():
        return {}
    from tinytracker.cli.config_file import read_defaults

    return read_defaults(path, cli)


_HELP: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""What click raises for a group without a verb; click 8.1 prints the help by itself."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the verb and turn errors into sentences and exit codes."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    stop_on_signals()
    try:
        # Verbs return nothing; a value here is the code of a click.exceptions.Exit.
        code = cli.main(arguments, prog_name="tinytracker", standalone_mode=False)
        if code:
            sys.exit(code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("Stopped. Whatever was finished is kept; the same command can be run again.", err=True)
        sys.exit(130)
    except _HELP as error:
        click.echo(error.format_message(), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f" Try '{context.command_path} --help'." if context is not None else ""
        _fail(UsageError(error.format_message() + hint), arguments)
    except TinyTrackerError as error:
        _fail(error, arguments)
    except BrokenPipeError:
        # The reader of our output has gone; a second attempt to flush would raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        what = error.filename or "the operating system"
        _fail(TinyTrackerError(f"{what}: {error.strerror or error}."), arguments)


def _fail(error: TinyTrackerError, arguments: list[str]) -> None:
    """Print the error on stderr, and as a JSON document when one was asked for, and exit."""
    click.echo(f"Error: {error}", err=True)
    if "--json" in arguments:
        detail = {"kind": error.kind, "message": error.message, "hint": error.hint}
        click.echo(json.dumps({"schema_version": SCHEMA_VERSION, "error": detail}, indent=2))
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
