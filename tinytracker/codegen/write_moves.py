"""C of the portable kernels for copies and resizings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinytracker.codegen.cwriter import c_int, c_ints, c_members
from tinytracker.codegen.graph_moves import GatherNd, ResizeBilinear, ResizeNearest, Sampling, StridedCopy
from tinytracker.codegen.import_moves import MAX_COORDINATES, MAX_RANK
from tinytracker.codegen.kernel import LayerCode
from tinytracker.model.tflite_model import ITEM_BYTES


def write_copy(node: StridedCopy, code: LayerCode) -> None:
    """Write `tt_copy_strided`; all distances become bytes, so that one function moves every type."""
    item = ITEM_BYTES[node.output.dtype]
    fields = {
        "shape": c_ints(_padded(node.shape, 1)),
        "strides": c_ints(_padded([stride * item for stride in node.strides], 0)),
        "start": c_int(node.start * item),
        "run": c_int(node.run * item),
    }
    parameters = code.structure("tt_copy_t", fields, "tt_copy.h")
    code.sources.update(("tt_copy.h", "tt_copy.c"))
    code.call("tt_copy_strided", parameters, code.read(node.inputs[0]), code.write(node.output))


def write_gather_nd(node: GatherNd, code: LayerCode) -> None:
    """Write `tt_gather`; distances become bytes."""
    item, unused = ITEM_BYTES[node.output.dtype], MAX_COORDINATES - len(node.sizes)
    fields = {
        "count": c_int(node.count),
        "rank": c_int(len(node.sizes)),
        "sizes": c_ints([*node.sizes, *[1] * unused]),
        "strides": c_ints([*(stride * item for stride in node.strides), *[0] * unused]),
        "run": c_int(node.run * item),
    }
    parameters = code.structure("tt_gather_t", fields, "tt_gather.h")
    code.sources.update(("tt_gather.h", "tt_gather.c"))
    source, where = (code.read(tensor, f"input_{i}") for i, tensor in enumerate(node.inputs))
    code.call("tt_gather", parameters, source, where, code.write(node.output))


def write_resize_bilinear(node: ResizeBilinear, code: LayerCode) -> None:
    """`tt_resize_bilinear`."""
    fields = {
        "batches": c_int(node.batches),
        "channels": c_int(node.channels),
        "height": _sampling(node.height),
        "width": _sampling(node.width),
    }
    parameters = code.structure("tt_bilinear_t", fields, "tt_resize.h")
    code.sources.update(("tt_resize.h", "tt_resize.c"))
    code.call("tt_resize_bilinear", parameters, code.read(node.inputs[0]), code.write(node.output))


def write_resize_nearest(node: ResizeNearest, code: LayerCode) -> None:
    """Write `tt_resize_nearest` with the source row of each row and the source column of each column."""
    batches, in_h, in_w, channels = node.inputs[0].shape
    fields = {
        "batches": c_int(batches),
        "in_h": c_int(in_h),
        "in_w": c_int(in_w),
        "channels": c_int(channels),
        "out_h": c_int(len(node.rows)),
        "out_w": c_int(len(node.columns)),
        "rows": code.array("rows", np.array(node.rows, np.int16)),
        "columns": code.array("columns", np.array(node.columns, np.int16)),
    }
    parameters = code.structure("tt_nearest_t", fields, "tt_resize.h")
    code.sources.update(("tt_resize.h", "tt_resize.c"))
    code.call("tt_resize_nearest", parameters, code.read(node.inputs[0]), code.write(node.output))


def _sampling(axis: Sampling) -> str:
    return c_members(
        {"size": axis.size, "out_size": axis.out_size, "scale": axis.scale, "offset": axis.offset}
    )


def _padded(values: Sequence[int], fill: int) -> list[int]:
    return [fill] * (MAX_RANK - len(values)) + list(values)
