"""Run the examples in the docstrings of modules, in the current folder: `python examples.py MODULE...`."""

import doctest
import sys
from importlib import import_module

results = [doctest.testmod(import_module(name)) for name in sys.argv[1:]]
print(sum(result.attempted for result in results), "examples")
sys.exit(any(result.failed for result in results))
