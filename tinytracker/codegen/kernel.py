"""The interface between what a step computes and the C that computes it.

A kernel says which nodes it can compute and writes the constants and the call for one of them. Kernels are tried
in order and the first that accepts a node gets it, so faster kernels for particular shapes only have to come
before the reference kernels, which accept everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tinytracker.codegen.c_structures import structure_bytes
from tinytracker.codegen.cwriter import c_array, c_int, c_ints, c_struct, c_type
from tinytracker.codegen.graph import Graph, Node
from tinytracker.errors import ModelError
from tinytracker.model.tflite_model import Tensor


@dataclass
class LayerCode:
    """The C of one step, filled by a kernel.

    Attributes:
        name: prefix of everything declared for the step ("model_layer_3").
        arena: C expression of the arena's bytes ("model_arena.bytes").
        offsets: byte offset of each run-time tensor in the arena.
        scratch_offset: byte offset of the working memory, if the kernel asked for some.
        sources: files of the kernel library that the step needs, headers included.
        shared: text at file scope that several steps may need, by name; the same name means the same text.
        declarations: constants at file scope.
        statements: what the run function executes.
        resets: what the reset function executes; only steps with state have any.
        constant_bytes: bytes of the constants.
        state_bytes: bytes of variables that live from run to run.
        own_code: whether each core runs code of its own, so that constants cannot hold addresses of functions.
    """

    name: str
    arena: str
    offsets: dict[int, int]
    scratch_offset: int = 0
    sources: set[str] = field(default_factory=set)
    shared: dict[str, str] = field(default_factory=dict)
    declarations: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    constant_bytes: int = 0
    resets: list[str] = field(default_factory=list)
    state_bytes: int = 0
    own_code: bool = False

    def array(self, suffix: str, values: NDArray[np.generic]) -> str:
        """Declare a constant array; return its C name."""
        name = f"{self.name}_{suffix}"
        self.declarations.append(c_array(name, values))
        self.constant_bytes += values.nbytes
        return name

    def read(self, tensor: Tensor, suffix: str = "constant", c_name: str = "") -> str:
        """Return a C pointer to a tensor to read; a constant is declared under `suffix`.

        Args:
            tensor: tensor to read.
            suffix: suffix of the array's name when the tensor is constant.
            c_name: element type of the pointer, when not the tensor's own.
        """
        if tensor.data is not None:
            return self.array(suffix, np.asarray(tensor.data))
        return self._pointer(f"const {c_name or c_type(tensor.dtype)} *", tensor)

    def write(self, tensor: Tensor, c_name: str = "") -> str:
        """Return a C pointer to a tensor to write, of element type `c_name` when given."""
        return self._pointer(f"{c_name or c_type(tensor.dtype)} *", tensor)

    def read_bytes(self, tensor: Tensor, suffix: str = "constant") -> str:
        """Return a C pointer to the bytes of a tensor of any type; a constant is declared under `suffix`."""
        if tensor.data is not None and tensor.dtype != "int8":
            return f"(const int8_t *)(const void *){self.array(suffix, np.asarray(tensor.data))}"
        return self.read(tensor, suffix, c_name="int8_t")

    def structure(self, c_name: str, fields: Mapping[str, str], header: str = "tt_kernels.h") -> str:
        """Declare the parameters of the call, a structure of a header; return the expression to pass."""
        name = f"{self.name}_parameters"
        self.declarations.append(c_struct(c_name, name, fields))
        self.constant_bytes += structure_bytes(c_name, header)
        return f"&{name}"

    def state(self, suffix: str, dtype: str, elements: int, value: int) -> str:
        """Declare a variable that lives from run to run and is initialized and reset to `value`; return its C name."""
        name = f"{self.name}_{suffix}"
        start = "{0}" if value == 0 else c_ints([value] * elements)
        self.declarations.append(f"static {c_type(dtype)} {name}[{elements}] = {start};")
        self.resets.append(f"for (int32_t i = 0; i < {elements}; i++) {{ {name}[i] = {c_int(value)}; }}")
        self.state_bytes += elements * np.dtype(dtype).itemsize
        return name

    def scratch(self, c_name: str) -> str:
        """Return a C pointer to the working memory, aligned for any type."""
        return f"({c_name} *)(void *)&{self.arena}[{self.scratch_offset}]"

    def function_member(self, function: str) -> str:
        """Return what a constant structure holds for a function of `shared`: its name, NULL with `own_code`."""
        return "NULL" if self.own_code else function

    def _pointer(self, pointer_type: str, tensor: Tensor) -> str:
        place = f"&{self.arena}[{self.offsets[tensor.index]}]"
        if pointer_type in ("int8_t *", "const int8_t *"):
            return place
        through = "const void *" if pointer_type.startswith("const") else "void *"  # alignment is guaranteed
        return f"({pointer_type})({through}){place}"

    def call(self, function: str, *arguments: str | int) -> None:
        """Append a call."""
        self.statements.append(f"{function}({', '.join(str(a) for a in arguments)});")


class Kernel(Protocol):
    """One way to compute one kind of node in C."""

    @property
    def name(self) -> str:
        """Return the name in reports."""

    def accepts(self, node: Node) -> bool:
        """Return True when the kernel can compute this node."""

    def scratch_bytes(self, node: Node) -> int:
        """Return the bytes of working memory in the arena during this step; 0 for none."""

    def emit(self, node: Node, code: LayerCode) -> None:
        """Write the constants and the call for this node."""


class KernelSet(Protocol):
    """A way to compute whole networks."""

    @property
    def name(self) -> str:
        """Return the name in reports and on the command line."""

    def choose(self, graph: Graph) -> tuple[Graph, list[Kernel]]:
        """Return the graph in the form that these kernels need, and the kernel of each of its nodes.

        Raises:
            ModelError: no kernel accepts a node.
        """


@dataclass(frozen=True)
class OrderedKernels:
    """Gives each node to the first kernel of a sequence that accepts it; the graph is unchanged."""

    name: str
    kernels: Sequence[Kernel]

    def choose(self, graph: Graph) -> tuple[Graph, list[Kernel]]:
        """See `KernelSet`."""
        return graph, [self._first(node) for node in graph.nodes]

    def _first(self, node: Node) -> Kernel:
        kernel = next((k for k in self.kernels if k.accepts(node)), None)
        if kernel is None:
            raise ModelError(f"{node.operator.label}: no kernel accepts it.")
        return kernel
