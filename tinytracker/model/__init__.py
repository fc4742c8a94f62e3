"""Networks as data, their cost, and .tflite files."""
