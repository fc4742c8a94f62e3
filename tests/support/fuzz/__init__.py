"""Differential fuzzing: random networks on every runtime, compared with the specification; `make fuzz`."""
