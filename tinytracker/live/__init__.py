"""The live view: where somebody looks, on a page that this computer serves to itself.

Frames come from a board or from a recorded session; the page shows the gaze over the screen, what a frame costs, and
leads through a calibration whose result is applied at once.
"""
