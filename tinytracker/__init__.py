"""Gaze estimation inside the camera: train, quantize, package and measure TinyTracker.

Importing this package, or any module that does not need a network, never imports TensorFlow.
"""

__version__ = "0.1.0"
