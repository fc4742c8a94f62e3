"""What public compiled files show about single operators; the rules were fitted to these facts.

Each row is an operator of a public uncompiled model and its fate in the compiled file beside it. The files do not name
their compiler, only the Edge TPU runtime that they need. benchmarks/edgetpu_public.py confirms each row and compares
whole files.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """One observation.

    Attributes:
        operator: builtin name. version: version of the operator in the file.
        mapped: True when it is in the chip's program, False when it stayed on the CPU although nothing before it did.
        runtime: Edge TPU runtime that the compiled file needs.
        model: name of the uncompiled file, without suffix. repository: its GitHub repository.
        note: what is special about the operator.
    """

    operator: str
    version: int
    mapped: bool
    runtime: int
    model: str
    repository: str
    note: str = ""


_CORAL, _OLD_CORAL = "google-coral/test_data", "google-coral/edgetpu"
_MOVENET = "movenet_single_pose_lightning_ptq"
_CITYSCAPES = "deeplab_mobilenet_edgetpu_slim_cityscapes_quant"
_LIBRE = "ricardodeazambuja/LibrEdgeTPU"
_FACE, _FACEMESH = "face_landmark_192_full_integer_quant", "zye1996/facemesh_EdgeTPU"
_RETINA, _PAD_FAIL = "mobile_retina_net_padded", "mathieugalle/edgetpu-compiler-pad-fail"
_YAMNET, _MICRO = "yamnet_spectra_in", "google-coral/coralmicro"
_IWATAKE = "iwatake2222/EdgeTPU_Analysis"

EVIDENCE: tuple[Evidence, ...] = (
    Evidence("ADD", 1, True, 10, "model_mat_Add", _IWATAKE, "500 in a row"),
    Evidence("ADD", 2, True, 14, "looming_64x64_3x3", _LIBRE),
    Evidence(
        "ADD",
        2,
        False,
        13,
        _RETINA,
        _PAD_FAIL,
        "adds the result of a PAD; two CONCATENATION are lost with it",
    ),
    Evidence("ARG_MAX", 1, False, 12, "deeplabv3_mnv2_dm05_pascal_quant", _OLD_CORAL),
    Evidence("ARG_MAX", 2, False, 12, _MOVENET, _CORAL),
    Evidence("AVERAGE_POOL_2D", 1, True, 14, "gabor_64x64_p4", _LIBRE),
    Evidence("AVERAGE_POOL_2D", 2, True, 14, "looming_64x64_3x3", _LIBRE),
    Evidence("CAST", 1, False, 12, _MOVENET, _CORAL, "of the input: all behind it maps"),
    Evidence("CONCATENATION", 2, True, 14, "color_yellow_64x64", _LIBRE),
    Evidence("CONCATENATION", 2, False, 12, _MOVENET, _CORAL, "int32, with a constant"),
    Evidence("CONV_2D", 1, True, 10, "model_conv_128x128x3x32x7x10", _IWATAKE, "uint8, one scale"),
    Evidence("CONV_2D", 3, True, 14, "color_yellow_64x64", _LIBRE),
    Evidence(
        "CONV_2D", 3, True, 14, "quantized_model", "fredriktegnell/edgetpu-tcn", "3x1 kernel, dilation 4x1"
    ),
    Evidence("DEPTHWISE_CONV_2D", 2, True, 12, "deeplabv3_mnv2_pascal_quant", _CORAL, "dilation 2x2"),
    Evidence("DEPTHWISE_CONV_2D", 3, True, 14, _YAMNET, _MICRO),
    Evidence("DEQUANTIZE", 2, False, 14, _YAMNET, _MICRO, "to float32"),
    Evidence("DIV", 1, False, 12, _MOVENET, _CORAL, "float32"),
    Evidence("FLOOR_DIV", 1, False, 12, _MOVENET, _CORAL, "int32"),
    Evidence("FULLY_CONNECTED", 1, True, 12, "mobilenet_v2_1.0_224_inat_insect_quant", _OLD_CORAL),
    Evidence("FULLY_CONNECTED", 4, True, 14, "dense_1024", _LIBRE, "1,024 scales"),
    Evidence("GATHER_ND", 1, False, 12, _MOVENET, _CORAL),
    Evidence("LOGISTIC", 2, True, 14, _YAMNET, _MICRO),
    Evidence("MAXIMUM", 2, True, 12, _FACE, _FACEMESH),
    Evidence("MAX_POOL_2D", 2, True, 12, _FACE, _FACEMESH),
    Evidence("MEAN", 2, True, 14, _YAMNET, _MICRO),
    Evidence("MUL", 2, True, 14, "looming_64x64_3x3", _LIBRE),
    Evidence("MUL", 2, False, 12, _MOVENET, _CORAL, "int32"),
    Evidence("PACK", 2, False, 12, _MOVENET, _CORAL, "int32"),
    Evidence("PAD", 1, True, 10, "model_padding_64x64x3", _IWATAKE),
    Evidence("PAD", 2, True, 13, _RETINA, _PAD_FAIL),
    Evidence("QUANTIZE", 1, True, 14, "color_yellow_64x64", _LIBRE, "integer to integer"),
    Evidence("QUANTIZE", 1, False, 14, _YAMNET, _MICRO, "from float32; all behind it maps"),
    Evidence("QUANTIZE", 2, True, 12, _FACE, _FACEMESH, "integer to integer"),
    Evidence("RELU", 2, True, 13, _RETINA, _PAD_FAIL),
    Evidence("RESHAPE", 1, True, 14, "color_yellow_64x64", _LIBRE),
    Evidence("RESHAPE", 1, False, 12, _MOVENET, _CORAL, "int32"),
    Evidence("RESIZE_BILINEAR", 3, True, 12, _MOVENET, _CORAL, "by 2, half_pixel_centers"),
    Evidence("RESIZE_BILINEAR", 1, True, 12, _CITYSCAPES, _CORAL, "33x33 to 33x33, align_corners"),
    Evidence("RESIZE_BILINEAR", 1, False, 12, _CITYSCAPES, _CORAL, "33x33 to 513x513, align_corners"),
    Evidence(
        "RESIZE_BILINEAR", 1, False, 12, "deeplabv3_mnv2_pascal_quant", _CORAL, "1x1 to 33x33, align_corners"
    ),
    Evidence("RESIZE_NEAREST_NEIGHBOR", 3, True, 13, _RETINA, _PAD_FAIL, "by 2"),
    Evidence("SOFTMAX", 2, True, 14, "color_yellow_128x128", _LIBRE, "16,384 elements"),
    Evidence("SPLIT", 1, True, 13, "split_concat", _CORAL),
    Evidence("SPLIT", 2, True, 14, _YAMNET, _MICRO, "of the batch, into one part"),
    Evidence("SQRT", 1, False, 12, _MOVENET, _CORAL, "float32"),
    Evidence("SUB", 2, True, 12, _MOVENET, _CORAL, "constant of one value per channel"),
    Evidence("SUB", 2, False, 12, _MOVENET, _CORAL, "int32"),
    Evidence("TILE", 1, True, 12, _CITYSCAPES, _CORAL, "1x1 to 33x33"),
    Evidence(
        "UNIDIRECTIONAL_SEQUENCE_LSTM", 1, True, 12, "keras_lstm_mnist_ptq", _CORAL, "16-bit cell state"
    ),
    Evidence("UNPACK", 2, False, 12, _MOVENET, _CORAL),
)
