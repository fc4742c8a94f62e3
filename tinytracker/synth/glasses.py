"""Spectacle frames as curves in head coordinates."""

from __future__ import annotations

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.synth.head import SIDES
from tinytracker.synth.identity import Glasses, Identity

VERTEX_CM = 2.7
"""Distance of the lenses from the eyes' centres of rotation, which puts them 1.3 cm in front of the cornea."""


def rim(centre: Floats, glasses: Glasses, points: int = 48) -> Floats:
    """Return the outline (points, 3) of a lens around an eye: a superellipse that bends back towards the temple."""
    angle = np.linspace(0, 2 * np.pi, points)
    c, s = np.cos(angle), np.sin(angle)
    power = 2 / glasses.power
    outward = np.sign(centre[0])
    x = glasses.width * np.sign(c) * np.abs(c) ** power
    y = glasses.height * np.sign(s) * np.abs(s) ** power
    z = VERTEX_CM - 0.45 * np.clip(outward * x / glasses.width, 0, 1) ** 2
    return np.stack([centre[0] + 0.2 * outward + x, centre[1] - 0.25 + y, centre[2] + z], 1)


def glasses_curves(identity: Identity, glasses: Glasses) -> list[tuple[Floats, float]]:
    """Return curves (p, 3) and their widths: both rims, bridge and temples."""
    curves: list[tuple[Floats, float]] = []
    width = 0.04 if glasses.rimless else glasses.thickness
    inner = []
    for side in SIDES:
        centre = identity.eyes[side].centre
        outward = np.sign(centre[0])
        outline = rim(centre, glasses)
        curves.append((outline, width))
        outer = centre + np.array([outward * (glasses.width + 0.2), 0.35, VERTEX_CM - 0.45])
        ear = np.array([outward * 7.6, centre[1] + 0.5, centre[2] - 8.5])
        curves.append((outer + (ear - outer) * np.linspace(0, 1, 8)[:, None], max(width, 0.12)))
        inner.append(centre + np.array([-outward * (glasses.width - 0.2), 0.15, VERTEX_CM]))
    arch = np.linspace(0, 1, 9)[:, None]
    bridge = inner[0] + (inner[1] - inner[0]) * arch + np.array([0, 0.5, 0.35]) * np.sin(np.pi * arch)
    curves.append((bridge, max(width, 0.1)))
    return curves


def lens_frames(identity: Identity, glasses: Glasses) -> list[tuple[Floats, Floats]]:
    """Return both lenses: (4, 3) centre, across, up, out in head axes; (5,) the shape for `lens.draw_lens`."""
    result = []
    for side in SIDES:
        centre = identity.eyes[side].centre
        outward = np.sign(centre[0])
        middle = centre + np.array([0.2 * outward, -0.25, VERTEX_CM - 0.12])
        out = np.array([0.10 * outward, -0.06, 1.0])
        out /= np.linalg.norm(out)
        across = np.cross([0.0, 1.0, 0.0], out)
        across /= np.linalg.norm(across)
        shape = [
            glasses.width,
            glasses.height,
            glasses.power,
            glasses.magnification,
            0.012 + 0.07 * glasses.reflection,
        ]
        result.append((np.stack([middle, across, np.cross(out, across), out]), np.array(shape)))
    return result
