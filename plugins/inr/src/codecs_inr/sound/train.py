"""Training of ``inr.sound``: the prior of the networks of a user's sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_core import ArraySpec, Model
from codecs_core import learn as core
from codecs_core.errors import UnsupportedArrayError
from codecs_core.learn import Run
from codecs_inr import learning
from codecs_inr.em import Alternation
from codecs_inr.kinds import SOUND
from codecs_inr.learning import Rate
from codecs_inr.patches import cut
from codecs_inr.sound.codec import SoundCodec


@dataclass(frozen=True, kw_only=True)
class Settings(learning.Settings):
    """What a training is made of, beside its data; further settings are those of `learning.Settings`.

    Parameters
    ----------
    bps
        Bits per sample that sound is to cost, of each channel. At 8,000 samples a second, 1.25 are 10 kbit/s.
    samples
        Of a patch.
    """

    bps: float = core.number(1.0, above=True)
    samples: int = core.whole(512, 2, 4096)


def learn(data: NDArray[Any], settings: Settings, run: Run) -> tuple[Alternation, Model]:
    """Train on sound; return what `learning.learned` does.

    Parameters
    ----------
    data
        Recordings one after the other, shape (frames,) or (frames, channels), int16.
    settings, run
        How; all patches are learned from, and none is held out.

    Raises
    ------
    UnsupportedArrayError
        For data of another dtype or shape, or less than two patches of it.
    ConfigError
        As `learning.learned` says.
    """
    rng = np.random.default_rng(settings.seed)
    patches = _patches(np.asarray(data), settings, rng)
    return learning.learned(patches, SOUND, Rate(settings.bps, "bps"), settings, run, rng)


def train(data: NDArray[Any], **hyper: Any) -> Model:
    """Train on sound and return the model; the settings are those of `Settings` and of `Run`, but for ``held_out``."""
    return learn(data, *Run.of(SOUND.codec, Settings, hyper, beside=("budget", "progress", "checkpoint")))[1]


def _patches(data: NDArray[Any], settings: Settings, rng: np.random.Generator) -> NDArray[np.int16]:
    """Whole patches to learn from, shape (n, samples, 1)."""
    codec = SoundCodec()
    codec.check(ArraySpec.of(data))
    frames = len(data) // settings.samples * settings.samples
    patches = cut(codec._signals(data[:frames]), (settings.samples,)) if frames else data[:0]
    if len(patches) < 2:
        raise UnsupportedArrayError(
            f"training takes sound of at least 2 patches of {settings.samples} samples, not an array of shape {data.shape}"
        )
    return learning.some(patches, settings.signals, rng)
