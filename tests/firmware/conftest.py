"""No emulated board without its tools."""

import shutil

import pytest

BOARD_TESTS = ("test_emulate", "test_serial_board", "test_cycles", "test_constants")
TOOLS = ("arm-none-eabi-gcc", "qemu-system-arm")


def pytest_itemcollected(item):
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing and any(name in item.nodeid for name in BOARD_TESTS):
        item.add_marker(pytest.mark.skip(reason=f"{' and '.join(missing)} not installed"))
