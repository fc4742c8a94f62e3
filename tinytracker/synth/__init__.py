"""Synthetic people who look at screens, in GazeCapture's layout."""
