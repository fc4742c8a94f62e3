"""Synthetic GazeCapture: a morphable head that looks at dots whose place is known exactly."""
