"""Packages for neuromorphic chips: Intel's Loihi 2 and SynSense's Speck."""

TARGET = "neuromorphic"
