"""From a power meter's file to energy per frame and phase.

    file ─ formats ─▶ Trace ─ segments (phase lines, or times from a session) ─ analysis ─▶ joules, or why not

Nothing here talks to a meter; see docs/measurement.md.
"""
