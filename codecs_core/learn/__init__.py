"""What trainers stand on: settings with ranges, one loop, checkpoints, lists of images, the device at hand.

And networks that several codecs have: variational autoencoders, and residual networks of images. It imports torch, so trainers alone
import it; a `CodecSpec` names its trainer for that reason, and encoding and decoding never do.
"""

from __future__ import annotations

from codecs_core.errors import MissingDependencyError
from codecs_core.fields import counts, number, one_of, whole

try:
    import torch  # noqa: F401
except ModuleNotFoundError as error:
    raise MissingDependencyError(
        "training takes torch, which is not installed: pip install the extra [train] of the plugin that trains, "
        "such as 'codecs-idf[train]', or 'codecs-core[torch]'",
        name="torch",
    ) from error

from codecs_core.learn.autoencoder import (
    Autoencoder,
    AutoencoderSettings,
    Items,
    evidence_bits,
    fit_autoencoder,
)
from codecs_core.learn.crops import Crops, stacks
from codecs_core.learn.images import hold_out, image_list, shuffled, stack_of_items
from codecs_core.learn.loop import fit
from codecs_core.learn.machine import device, half
from codecs_core.learn.muon import groups_of
from codecs_core.learn.residuals import Predictor, hidden, inner_weights, residual
from codecs_core.learn.run import Run, measured, start_from
from codecs_core.learn.settings import BITS_PER_NAT, Schedule, Settings, check_budget

__all__ = [
    "BITS_PER_NAT",
    "Autoencoder",
    "AutoencoderSettings",
    "Crops",
    "Items",
    "Predictor",
    "Run",
    "Schedule",
    "Settings",
    "check_budget",
    "counts",
    "device",
    "evidence_bits",
    "fit",
    "fit_autoencoder",
    "groups_of",
    "half",
    "hidden",
    "hold_out",
    "image_list",
    "inner_weights",
    "measured",
    "number",
    "one_of",
    "residual",
    "shuffled",
    "stack_of_items",
    "stacks",
    "start_from",
    "whole",
]


def __dir__() -> list[str]:
    return __all__
