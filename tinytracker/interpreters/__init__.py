"""The one place that runs a .tflite file: arrays go in, all outputs come out.

`tflite` has TensorFlow Lite's reference and default kernels, `micro` TensorFlow Lite for Microcontrollers in a
process of its own, `arena` the memory that the latter needs. Whatever compares, evaluates or packages a model builds
on these; what codes and outputs mean is decided above, in `quant.contract`.
"""
