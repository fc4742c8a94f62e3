"""What the Edge TPU compiler and the board take, as rules over a .tflite graph before it is compiled."""
