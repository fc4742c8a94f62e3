"""Coral Dev Board Micro: what its Edge TPU takes, the compiler, the package, and compiled files."""

TARGET = "coralmicro"
