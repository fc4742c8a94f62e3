"""Measuring on a device: sessions, clocks, statistics.

A session is a file that holds everything raw (docs/measurement.md); all numbers can be computed from it again.
"""
