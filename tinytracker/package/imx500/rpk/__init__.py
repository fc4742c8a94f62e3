"""The `.rpk` network package of the IMX500: pack, parse, verify, describe.

    data = pack(Path("packerOut.zip"), intrinsics={"inference_rate": 30.0})   # bytes of network.rpk
    rpk = parse(data)            # Rpk: networks, firmware sections, registers, network info, intrinsics
    verify(data)                 # refuses what the sensor's driver or its clients would refuse, and says where
    describe(rpk)                # the same as a JSON-able dict

The format is described byte by byte in docs/imx500-package.md.
"""

from tinytracker.package.imx500.rpk.codec import encode, pack, parse
from tinytracker.package.imx500.rpk.describe import describe
from tinytracker.package.imx500.rpk.errors import RpkError
from tinytracker.package.imx500.rpk.layout import (
    Dimension,
    Firmware,
    Memory,
    Part,
    Register,
    Rpk,
    RpkNetwork,
    Tensor,
)
from tinytracker.package.imx500.rpk.packer_output import read_packer_output
from tinytracker.package.imx500.rpk.verify import verify

__all__ = [
    "Dimension",
    "Firmware",
    "Memory",
    "Part",
    "Register",
    "Rpk",
    "RpkError",
    "RpkNetwork",
    "Tensor",
    "describe",
    "encode",
    "pack",
    "parse",
    "read_packer_output",
    "verify",
]
