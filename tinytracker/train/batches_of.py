"""The batches that a preset is trained on. Importing this module imports TensorFlow."""

from __future__ import annotations

from tinytracker.train.aim_batches import AimTrainingBatches, AimValidationBatches
from tinytracker.train.batches import TrainingBatches, ValidationBatches
from tinytracker.train.finder_batches import FinderTrainingBatches, FinderValidationBatches
from tinytracker.train.task import Task

AnyTrainingBatches = TrainingBatches | AimTrainingBatches | FinderTrainingBatches
AnyValidationBatches = ValidationBatches | AimValidationBatches | FinderValidationBatches


def training_batches_of(task: Task) -> AnyTrainingBatches:
    """Return the training batches: of faces or strips, of misplaced strips, or of whole frames."""
    if task.preset.finder:
        return FinderTrainingBatches(task)
    return AimTrainingBatches(task) if task.preset.aim else TrainingBatches(task)


def validation_batches_of(task: Task) -> AnyValidationBatches:
    """Return the validation batches, which judge a model by one error in cm."""
    if task.preset.finder:
        return FinderValidationBatches(task)
    return AimValidationBatches(task) if task.preset.aim else ValidationBatches(task)
