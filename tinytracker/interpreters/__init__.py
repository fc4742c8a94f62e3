"""Interpreters of .tflite files: arrays in, all outputs out. No other package runs a .tflite file.

`tflite` provides TensorFlow Lite's reference and default kernels, `micro` TensorFlow Lite for Microcontrollers in a
separate process, `arena` the memory that the latter needs. Code that compares, evaluates or packages a model builds
on these; the meaning of codes and outputs is defined in a higher layer, in `quant.contract`.
"""
