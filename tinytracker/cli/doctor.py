"""`tinytracker doctor`."""

from __future__ import annotations

from rich.table import Table

from tinytracker.cli.output import Output, verb


@verb
def command() -> Output:
    """Say what is installed for each device, what is missing, and the command that brings it."""
    from tinytracker.package.imx500.environment import status

    imx500 = status()
    table = Table(show_header=False)
    for _ in range(3):
        table.add_column()
    detail = (
        f"converter {imx500.converter}, Java {imx500.java}" if imx500.ready else "\n".join(imx500.missing)
    )
    table.add_row("imx500", "ready" if imx500.ready else "not ready", detail)
    return Output({"imx500": imx500.as_json()}, (table,))
