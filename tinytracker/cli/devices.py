"""`tinytracker devices`."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import ANY_NUMBER, MILLIMETRES, SIZE


@click.group()
def command() -> None:
    """List the devices whose screen and camera are known, and add your own."""


@verb
def show() -> Output:
    """List GazeCapture's devices and your own: what `prepare` accepts as DeviceName in info.json."""
    from tinytracker.data.devices import all_devices, own_devices, own_devices_file

    own = own_devices()
    table = Table(title="Devices: mm, and points, held upright", title_justify="left")
    for column in ("name", "family", "camera right", "camera above", "width", "height", "points", "whose"):
        table.add_column(column, justify="left" if column in ("name", "family", "whose") else "right")
    for name, d in all_devices().items():
        table.add_row(
            name, d.family, f"{d.camera_dx_mm:g}", f"{d.camera_dy_mm:g}", f"{d.width_mm:g}", f"{d.height_mm:g}",
            f"{d.width_pt} x {d.height_pt}", "yours" if name in own else "GazeCapture",
        )  # fmt: skip
    document = {
        "file": str(own_devices_file()),
        "devices": [asdict(d) | {"own": name in own} for name, d in all_devices().items()],
    }
    return Output(document, (table, f"Your own devices are in {own_devices_file()}"))


@verb
@click.argument("name")
@click.option("--family", default="phone", help="phone or tablet: the group in which its errors are counted.")
@click.option(
    "--camera-right",
    type=ANY_NUMBER,
    required=True,
    help="Camera's centre from the left edge of the screen, mm.",
)
@click.option(
    "--camera-above",
    type=ANY_NUMBER,
    required=True,
    help="Camera's centre above the upper edge of the screen, mm.",
)
@click.option(
    "--screen", type=MILLIMETRES, required=True, help="Width and height of what lights up, held upright, mm."
)
@click.option(
    "--points", type=SIZE, required=True, help="Width and height in points, as screen.json has them."
)
@click.option("--replace", is_flag=True, help="Change a device that you added before.")
def add(
    name: str, family: str, camera_right: float, camera_above: float, screen: tuple[float, float],
    points: tuple[int, int], replace: bool,
) -> Output:  # fmt: skip
    """Add a phone, tablet or screen with the NAME that info.json has as DeviceName."""
    from tinytracker.data.devices import Device, add_device

    device = Device(name.strip(), family, camera_right, camera_above, *screen, *points)
    path = add_device(device, replace)
    left, low, right, high = device.screen_rectangle_cm(1)
    text = (
        f"{path}: {device.name}. Held upright, its screen reaches from {left:.1f} to {right:.1f} cm right of the "
        f"camera and from {low:.1f} to {high:.1f} cm above it."
    )
    return Output({"file": str(path), "device": asdict(device)}, (text,))


command.add_command(show, "list")
command.add_command(add, "add")
