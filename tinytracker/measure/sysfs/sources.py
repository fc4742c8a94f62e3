"""Finds the kernel's files of a power meter, and reads them.

Layouts, from the kernel's documentation and NVIDIA's (none of these meters was at hand; tests build the folders):

- RAPL: /sys/class/powercap/intel-rapl:0/{name,energy_uj,max_energy_range_uj}; energy in µJ since some moment, which
  begins anew at the range. Domains inside a package are intel-rapl:0:0 and so on.
- INA3221 with JetPack 5 and 6: .../hwmon/hwmonN/{in1_label,in1_input,curr1_input}, mV and mA, channels 1 to 3.
- INA3221 with JetPack 4 (Jetson Nano): .../iio:deviceN/{rail_name_0,in_voltage0_input,in_current0_input}, mV and mA,
  channels 0 to 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tinytracker.errors import DeviceError, UnknownNameError

SYS = Path("/sys")

_INPUT_RAILS = ("VDD_IN", "POM_5V_IN", "VIN_SYS_5V0")
"""Names of the rail that feeds a whole Jetson module: Orin and Xavier, Nano, AGX."""


@dataclass(frozen=True)
class PowerSource:
    """A meter that can be read.

    Attributes:
        source: "rapl" or "ina3221". rails: names of what it measures.
        files: read at each sample, in the order of the file's columns.
        range_uj: at which a RAPL counter begins anew; 0 for others.
    """

    source: str
    rails: tuple[str, ...]
    files: tuple[Path, ...] = field(repr=False)
    range_uj: int = 0

    def sample(self) -> tuple[int, ...]:
        """Read every file once.

        Raises:
            DeviceError: one cannot be read.
        """
        return tuple(int(_read(path)) for path in self.files)


def find_source(name: str, rail: str = "", root: Path = SYS) -> PowerSource:
    """Find a meter of this computer.

    Args:
        name: "rapl" or "ina3221".
        rail: which rail or domain; "" for the one that covers most: the package, or the module's input.
        root: of sysfs; another folder in tests.

    Raises:
        DeviceError: this computer has no such meter, or its files cannot be read.
        UnknownNameError: no such meter or rail.
    """
    finders: dict[str, Callable[[str, Path], PowerSource]] = {"rapl": _rapl, "ina3221": _ina3221}
    if name not in finders:
        raise UnknownNameError("power source", name, finders)
    return finders[name](rail, root)


def _rapl(rail: str, root: Path) -> PowerSource:
    domains: dict[str, Path] = {}
    for folder in sorted((root / "class" / "powercap").glob("intel-rapl:*")):
        domains.setdefault(_read(folder / "name"), folder)
    if not domains:
        raise DeviceError(
            "RAPL", f"there is no {root}/class/powercap/intel-rapl:0",
            "Virtual machines and most ARM computers have none; use a power meter (--power).",
        )  # fmt: skip
    chosen = rail or next((name for name in domains if name.startswith("package")), next(iter(domains)))
    if chosen not in domains:
        raise UnknownNameError("RAPL domain", chosen, domains)
    folder = domains[chosen]
    source = PowerSource(
        "rapl", (chosen,), (folder / "energy_uj",), int(_read(folder / "max_energy_range_uj"))
    )
    source.sample()
    return source


def _ina3221(rail: str, root: Path) -> PowerSource:
    rails: dict[str, tuple[Path, Path]] = {}
    for label in sorted(root.glob("bus/i2c/drivers/ina3221/*/hwmon/hwmon*/in*_label")):
        number = label.name.removeprefix("in").removesuffix("_label")
        voltage, current = label.with_name(f"in{number}_input"), label.with_name(f"curr{number}_input")
        if current.exists():  # a further channel holds the sum of the shunts and has no current
            rails.setdefault(_read(label), (current, voltage))
    for label in sorted(root.glob("bus/i2c/drivers/ina3221x/*/iio:device*/rail_name_*")):
        number = label.name.removeprefix("rail_name_")
        pair = (label.with_name(f"in_current{number}_input"), label.with_name(f"in_voltage{number}_input"))
        rails.setdefault(_read(label), pair)
    if not rails:
        raise DeviceError(
            "INA3221", f"there is no INA3221 below {root}/bus/i2c/drivers",
            "Only Jetson modules and their carrier boards have one; use a power meter (--power).",
        )  # fmt: skip
    chosen = rail or next((name for name in _INPUT_RAILS if name in rails), "")
    if chosen not in rails:
        raise UnknownNameError("INA3221 rail", chosen, rails, "Name one: --power ina3221:RAIL.")
    source = PowerSource("ina3221", (chosen,), rails[chosen])
    source.sample()
    return source


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except PermissionError as error:
        raise DeviceError(
            str(path), "only root may read it",
            f"Allow it until the next start: sudo chmod a+r {path}",
        ) from error  # fmt: skip
    except (OSError, UnicodeDecodeError) as error:
        raise DeviceError(str(path), f"it cannot be read ({error})") from error
