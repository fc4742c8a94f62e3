"""evaluation/hybrid-<split>.json: how well a hybrid answers, and what it takes."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from tinytracker.documents import Document, Part


class ChangeErrors(Part):
    """Errors of the gaze change.

    Attributes:
        error_cm: mean distance on windows whose gaze moves. ci95_cm: interval over people.
        direction_deg: median error of direction, on windows whose gaze moves far enough to have one.
        all_cm: mean distance on windows at regular distances, with and without a movement. still_cm: on those of
            them whose gaze does not move; 0 when there are none.
    """

    error_cm: float
    ci95_cm: tuple[float, float]
    direction_deg: float
    all_cm: float
    still_cm: float


class Following(Part):
    """Gaze between the frames of a frame network: its last answer plus the change since that frame.

    Frame answers are the true gaze plus an error that is constant for a clip; no frame network is run.

    Attributes:
        frame_rate: frames per second. frame_delay_ms: from a frame to its answer. frame_error_cm: mean distance of
            frame answers from the gaze.
        answers: number that were compared; answers_per_s: of the hybrid.
        held_cm: mean distance of the last frame answer alone. followed_cm: with the change added.
        held_moving_cm, followed_moving_cm: the same at the times when the gaze has moved since the frame.
    """

    frame_rate: float
    frame_delay_ms: float
    frame_error_cm: float
    answers: int
    answers_per_s: float
    held_cm: float
    followed_cm: float
    held_moving_cm: float
    followed_moving_cm: float


class HybridCost(Part):
    """What one whole window takes, mean over the windows that move.

    Attributes:
        input_spikes: cells of events. spikes: of all neurons. sops: synaptic operations. updates: of neurons.
        host_macs: multiply-accumulates of the ordinary layers for one answer.
        link: bytes from the chip to the ordinary layers, by form; of a preset without spiking layers, from the sensor.
        link_form, link_bytes: the form with the fewest.
        accumulations: saturating additions of the accumulator.
    """

    input_spikes: float
    spikes: float
    sops: float
    updates: int
    host_macs: int
    link: dict[str, float]
    link_form: str
    link_bytes: float
    accumulations: float


class HybridEvaluation(Document):
    """The evaluation of a hybrid on one split.

    Attributes:
        preset, interval: of the run. parameters: of all layers. split: of the clips.
        people, clips: that were seen. windows: whose gaze moves by `moved_cm` or more. all_windows: at regular
            distances. still_windows: those of them that do not move. direction_windows: those that move by
            `direction_cm` or more.
        no_answer_cm: error of saying that nothing moved, on the windows that move. no_answer_all_cm: on all.
        no_answer_still_cm: on the still ones.
        floating, integers: errors before and after rounding.
        integer_loss: by which share the error in integers is larger.
        following: gaze between frames; unset when not asked for.
        cost: of the integers.
        model_sha256: of the float weights. data_hash: of the clips.
        command: that made it. versions: of the libraries.
    """

    title: ClassVar[str] = "the evaluation of a hybrid"
    way_out: ClassVar[str] = "Make it again with `tinytracker hybrid evaluate`."

    preset: str
    interval: int
    parameters: int
    split: str
    people: int
    clips: int
    windows: int
    all_windows: int
    still_windows: int
    direction_windows: int
    moved_cm: float
    direction_cm: float
    no_answer_cm: float
    no_answer_all_cm: float
    no_answer_still_cm: float
    floating: ChangeErrors
    integers: ChangeErrors
    integer_loss: float
    following: Following | None = None
    cost: HybridCost
    model_sha256: str
    data_hash: str
    command: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
