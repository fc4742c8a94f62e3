"""A network as plain data: nodes with shapes, whose cost can be computed and checked without TensorFlow.

Each node is one *fused* operator, as it will run on a device: a convolution includes its batch normalization (folded
into weights and bias) and its activation. All tensors are NHWC without the batch dimension.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal

Shape = tuple[int, ...]
Padding = Literal["same", "valid"]
Op = Literal[
    "input",
    "conv",
    "depthwise",
    "dense",
    "add",
    "concat",
    "position_planes",
    "flatten",
    "global_average",
    "max_pool",
    "pad",
    "edges",
]
Activation = Literal["linear", "relu", "relu6"]


@dataclass(frozen=True)
class Node:
    """One operator and its output tensor.

    Attributes:
        name: unique; also the Keras layer's name.
        op: operator.
        inputs: names of the nodes it reads.
        shape: of its output, without batch.
        kernel: (height, width) of a convolution or pooling window, or of the border that `pad` adds on each side.
        stride, padding: of the window.
        groups: number of groups of a grouped convolution.
        norm: whether batch normalization follows (then the node has no bias until it is folded).
        activation: fused activation.
        weights_of: name of an earlier node whose weights this one shares; "" for its own weights.
        weights: number of kernel weights, biases: number of biases after folding; both 0 when shared.
        macs: multiply-accumulates for one frame.
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    shape: Shape
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padding: Padding = "same"
    groups: int = 1
    norm: bool = False
    activation: Activation = "linear"
    weights_of: str = ""
    weights: int = 0
    biases: int = 0
    macs: int = 0

    @property
    def params(self) -> int:
        """Number of weights and biases after batch normalization is folded."""
        return self.weights + self.biases

    @property
    def elements(self) -> int:
        """Number of elements of the output, which is also its size in bytes in INT8."""
        return prod(self.shape)


@dataclass
class Network:
    """A directed graph of nodes in execution order, built node by node with the methods below.

    Each method appends one node and returns its name, so that calls can be chained like layers.
    """

    nodes: dict[str, Node] = field(default_factory=dict)

    def _put(self, node: Node) -> str:
        if node.name in self.nodes:
            raise ValueError(f"two nodes named {node.name}")
        if any(n < 1 for n in node.shape):
            raise ValueError(f"{node.name}: the input is too small, its output would be {node.shape}")
        self.nodes[node.name] = node
        return node.name

    def shape(self, name: str) -> Shape:
        """Return the output shape of a node, without batch."""
        return self.nodes[name].shape

    def input(self, name: str, shape: Shape) -> str:
        """Append an input tensor of this shape (without batch)."""
        return self._put(Node(name, "input", (), shape))

    def conv(
        self,
        x: str,
        name: str,
        filters: int,
        kernel: int = 1,
        stride: int = 1,
        padding: Padding = "same",
        *,
        groups: int = 1,
        norm: bool = True,
        activation: Activation = "linear",
        weights_of: str = "",
    ) -> str:
        """Append a 2-D convolution.

        Args:
            x: node that it reads, (h, w, c).
            name: of the new node.
            filters: channels of its output.
            kernel: side of its square window.
            stride: rows and columns from one window to the next.
            padding: as TensorFlow defines it.
            groups: number of groups into which the channels are split.
            norm: whether batch normalization follows.
            activation: fused activation.
            weights_of: earlier convolution whose weights it shares; they are counted there.
        """
        shape = (*self._windows(x, kernel, stride, padding), filters)
        weights = kernel * kernel * (self.shape(x)[-1] // groups) * filters
        own = not weights_of
        node = Node(
            name, "conv", (x,), shape, (kernel, kernel), stride, padding,
            groups=groups, norm=norm, activation=activation, weights_of=weights_of,
            weights=weights * own, biases=filters * own, macs=shape[0] * shape[1] * weights,
        )  # fmt: skip
        return self._put(node)

    def depthwise(
        self,
        x: str,
        name: str,
        kernel: int = 3,
        stride: int = 1,
        padding: Padding = "same",
        *,
        norm: bool = True,
        activation: Activation = "linear",
    ) -> str:
        """Append a depthwise convolution with multiplier 1; arguments as for `conv`."""
        channels = self.shape(x)[-1]
        shape = (*self._windows(x, kernel, stride, padding), channels)
        weights = kernel * kernel * channels
        node = Node(
            name, "depthwise", (x,), shape, (kernel, kernel), stride, padding,
            norm=norm, activation=activation,
            weights=weights, biases=channels, macs=shape[0] * shape[1] * weights,
        )  # fmt: skip
        return self._put(node)

    def _windows(self, x: str, kernel: int, stride: int, padding: Padding) -> tuple[int, int]:
        """Return the number of windows vertically and horizontally: height and width of the output."""
        h, w, _ = self.shape(x)
        return output_size(h, kernel, stride, padding), output_size(w, kernel, stride, padding)

    def dense(
        self, x: str, name: str, units: int, activation: Activation = "linear", weights_of: str = ""
    ) -> str:
        """Append a fully connected layer on a flat input."""
        (n,) = self.shape(x)
        own = not weights_of
        return self._put(
            Node(
                name,
                "dense",
                (x,),
                (units,),
                activation=activation,
                weights_of=weights_of,
                weights=n * units * own,
                biases=units * own,
                macs=n * units,
            )
        )

    def add(self, a: str, b: str, name: str) -> str:
        """Append the elementwise sum of two tensors of equal shape."""
        if self.shape(a) != self.shape(b):
            raise ValueError(f"{name}: cannot add {self.shape(a)} and {self.shape(b)}")
        return self._put(Node(name, "add", (a, b), self.shape(a)))

    def concat(self, parts: tuple[str, ...], name: str) -> str:
        """Append a concatenation along the last axis."""
        shapes = [self.shape(p) for p in parts]
        return self._put(Node(name, "concat", parts, (*shapes[0][:-1], sum(s[-1] for s in shapes))))

    def position_planes(self, x: str, name: str) -> str:
        """Append two constant channels that hold each pixel's x and y in [-1, 127/128]: the baked grid."""
        h, w, c = self.shape(x)
        return self._put(Node(name, "position_planes", (x,), (h, w, c + 2)))

    def flatten(self, x: str, name: str) -> str:
        """Flatten all elements to one vector, row by row, channels last."""
        return self._put(Node(name, "flatten", (x,), (prod(self.shape(x)),)))

    def global_average(self, x: str, name: str) -> str:
        """Append the mean over height and width."""
        return self._put(Node(name, "global_average", (x,), (self.shape(x)[-1],)))

    def max_pool(self, x: str, name: str, kernel: int, stride: int) -> str:
        """Append the maximum over windows that lie fully inside."""
        shape = (*self._windows(x, kernel, stride, "valid"), self.shape(x)[-1])
        return self._put(Node(name, "max_pool", (x,), shape, (kernel, kernel), stride, "valid"))

    def pad(self, x: str, name: str, size: int = 1) -> str:
        """Append rows and columns of zeros, `size` of them on each of the four sides.

        A convolution with stride 2 and "same" padding adds them on one side only; spiking hardware and its file formats
        know only padding that is equal on both.
        """
        h, w, c = self.shape(x)
        return self._put(Node(name, "pad", (x,), (h + 2 * size, w + 2 * size, c), (size, size)))

    def edges(self, x: str, name: str) -> str:
        """Append edges to the right and downward, rising and falling apart: four planes for each channel."""
        h, w, c = self.shape(x)
        return self._put(Node(name, "edges", (x,), (h, w, 4 * c)))

    def with_clipped_relus(self) -> Network:
        """Return the network with a ReLU6 for each ReLU."""
        return Network(
            {
                name: replace(node, activation="relu6") if node.activation == "relu" else node
                for name, node in self.nodes.items()
            }
        )

    @property
    def inputs(self) -> Mapping[str, Shape]:
        """Input tensors by name."""
        return {n.name: n.shape for n in self.nodes.values() if n.op == "input"}

    @property
    def output(self) -> Node:
        """The last node."""
        return next(reversed(self.nodes.values()))

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one frame."""
        return sum(n.macs for n in self.nodes.values())

    @property
    def params(self) -> int:
        """Number of weights and biases after batch normalization is folded."""
        return sum(n.params for n in self.nodes.values())

    def peak_activation_bytes(self) -> int:
        """Return the peak size of the INT8 tensors that exist at the same time when nodes run in order, none in place.

        A flatten copies nothing: it shares the memory of its input.
        """
        home = {n.name: n.name for n in self.nodes.values()}
        for n in self.nodes.values():
            if n.op == "flatten":
                home[n.name] = home[n.inputs[0]]
        order = list(self.nodes.values())
        last_use = {home[n.name]: i for i, n in enumerate(order)}
        for i, n in enumerate(order):
            for x in n.inputs:
                last_use[home[x]] = max(last_use[home[x]], i)
        first_use = {
            n.name: 0 if n.op == "input" else i for i, n in enumerate(order) if home[n.name] == n.name
        }
        peaks = (
            sum(self.nodes[t].elements for t, born in first_use.items() if born <= i <= last_use[t])
            for i in range(len(order))
        )
        return max(peaks)


def output_size(size: int, kernel: int, stride: int, padding: Padding) -> int:
    """Return the length of a convolution's output along one axis, as TensorFlow defines it."""
    return -(-size // stride) if padding == "same" else (size - kernel) // stride + 1
