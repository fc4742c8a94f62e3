"""Coral Dev Board Micro: constraints of its Edge TPU, the compiler, the package, and compiled files."""

TARGET = "coralmicro"
