"""Clock exchanges of a session whose host changes its rate, as NTP makes it; the true time is known."""

from dataclasses import dataclass

import numpy as np

ORIGIN_NS = 10_000_000_000_000
PPM = 1e-6
HZ = 1_000_000


@dataclass(frozen=True)
class Conditions:
    """What a session is like.

    Attributes:
        seconds: how long. steps: changes of the host's rate, at random times.
        step_ppm: the largest; the rate stays within so much of where it began.
        least_s: shortest delay of each way. mean_s: mean of what comes on top, there and back, gamma of this shape.
        burst: share of messages that are held up by up to 30 ms.
    """

    seconds: float = 60.0
    steps: int = 1
    step_ppm: float = 50.0
    least_s: float = 0.2e-3
    mean_s: tuple[float, float] = (0.5e-3, 0.5e-3)
    shape: float = 1.0
    burst: float = 0.0


def simulate(rng, conditions, hz=HZ, every_s=8.0):
    """Returns exchanges (N, 4), device ticks (400,) within the session, and the host's true times at them, ns."""
    c = conditions
    at = np.sort(rng.uniform(0, c.seconds, c.steps))
    rates = [0.0]
    for _ in range(c.steps):
        low, high = max(-c.step_ppm, rates[-1] - c.step_ppm), min(c.step_ppm, rates[-1] + c.step_ppm)
        rates.append(rng.uniform(low, high))
    knots = np.concatenate([[-1.0], at, [c.seconds + 10]])
    gained = np.concatenate([[0.0], np.cumsum(np.diff(knots) * np.array(rates) * PPM)])
    drift = rng.uniform(-50, 50) * PPM

    def host(t):
        return ORIGIN_NS + np.round((t + np.interp(t, knots, gained)) * 1e9).astype(np.int64)

    def device(t):
        return np.floor((np.asarray(t) * (1 + drift) + 7.0) * hz).astype(np.int64)

    def delay(mean):
        held = rng.uniform(0, 0.03) if rng.random() < c.burst else 0.0
        return c.least_s + rng.gamma(c.shape, mean / c.shape) + held

    schedule = np.concatenate(
        [np.zeros(16), np.repeat(np.arange(every_s, c.seconds, every_s), 4), np.full(16, c.seconds)]
    )
    now, rows = 0.0, []
    for planned in schedule:
        sent = max(now, planned)
        received = sent + delay(c.mean_s[0])
        answered = received + 20e-6
        now = answered + delay(c.mean_s[1])
        rows.append((int(host(sent)), int(device(received)), int(device(answered)), int(host(now))))
    asked = np.linspace(0, now, 400)
    return np.array(rows), device(asked), host(asked)
