"""Constraints of the Edge TPU compiler and the board, as rules over a .tflite graph before it is compiled."""
