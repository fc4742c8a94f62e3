"""Synthetic GazeCapture: a morphable head in front of a device, looking at dots whose place is known exactly."""
