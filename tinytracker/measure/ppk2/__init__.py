"""Recording with Nordic's Power Profiler Kit II, over its USB serial port.

What goes over the line is described by Nordic's user guide and by two independent, permissively licensed libraries
(ppk2-python, BSD-3; ppk2lab, MIT); the code here is our own.
"""

RATE_HZ = 100_000
"""Samples per second; the meter has no other rate."""
