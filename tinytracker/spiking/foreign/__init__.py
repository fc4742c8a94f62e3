"""Foreign simulators of spiking networks, each in an environment of its own.

They cannot share an environment with TensorFlow 2.15: sinabs needs PyTorch and a newer numpy, Lava needs Python 3.10.
A program beside this module runs in each; it imports nothing of tinytracker, and files go in and come out. They are
oracles of the tests: nothing else depends on them.
"""
