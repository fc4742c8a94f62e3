"""Networks are converted once per process, so the tests that share them stay in one worker."""

import pytest


def pytest_collection_modifyitems(items):
    for item in items:
        if "test_codegen_nets" in item.nodeid:
            item.add_marker(pytest.mark.xdist_group("codegen-nets"))
