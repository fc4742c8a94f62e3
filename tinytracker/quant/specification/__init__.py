"""What each operator of an INT8 network must compute, in numpy integers: written to be obviously right, not fast.

TFLite's reference kernels are the oracle of the project. Where they are wrong themselves (docs/codegen.md lists
the cases) something else is needed to compare with. That is this package: the arithmetic of TFLite's
quantization specification, written once more and independently of every kernel. One file per family of
operators holds a dictionary from operator names to rules (see `call`); `registry` joins them.
"""

from tinytracker.quant.specification.exceptions import reference_is_wrong
from tinytracker.quant.specification.interpreter import SpecificationInterpreter
from tinytracker.quant.specification.registry import SPECIFIED_OPERATORS

__all__ = ["SPECIFIED_OPERATORS", "SpecificationInterpreter", "reference_is_wrong"]
