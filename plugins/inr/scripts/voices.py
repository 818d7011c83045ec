"""Voices that nobody has: harmonics under moving formants, hisses and pauses, to learn a prior of sound from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Samples a second.
RATE = 8000
#: Centres of three formants in hertz, of vowels from front to back, and their widths.
VOWELS = np.array(
    [[280, 2250, 2900], [400, 2000, 2600], [550, 1750, 2500], [700, 1200, 2500], [500, 850, 2400], [320, 800, 2250]]
)
WIDTHS = np.array([60.0, 90.0, 130.0])


def voices(seconds: float, seed: int) -> NDArray[np.int16]:
    """Sound of many voices one after the other, each for some syllables: shape (samples,)."""
    rng = np.random.default_rng(seed)
    count, parts, have = round(seconds * RATE), [], 0
    while have < count:
        pitch, loudness = rng.uniform(75, 240), rng.uniform(0.08, 0.4)
        for _ in range(4):
            one = np.concatenate([hiss(rng), syllable(rng, pitch), np.zeros(round(rng.exponential(0.04) * RATE))])
            one *= loudness * rng.uniform(0.5, 1.2) / max(1e-9, np.sqrt(np.square(one).mean()))
            parts.append(one + rng.normal(0, 0.001, len(one)))
            have += len(one)
    whole = np.concatenate(parts)[:count]
    return np.clip(np.rint(whole * 16384), -32768, 32767).astype(np.int16)


def syllable(rng: np.random.Generator, pitch: float) -> NDArray[np.float64]:
    """A vowel on its way to another one."""
    n = round(rng.uniform(0.12, 0.5) * RATE)
    along = np.linspace(0, 1, n)
    f0 = pitch * np.exp(np.interp(along, [0, rng.uniform(0.2, 0.8), 1], rng.normal(0, 0.12, 3)))
    first, last = VOWELS[rng.integers(len(VOWELS), size=2)] * rng.uniform(0.85, 1.2)
    turn = np.clip((along - rng.uniform(0, 0.5)) / rng.uniform(0.2, 0.6), 0, 1)[:, None]
    centres = first + (last - first) * turn
    phase, out = 2 * np.pi * np.cumsum(f0) / RATE, np.zeros(n)
    tilt, shifts = rng.uniform(0.6, 1.6), rng.normal(0, 0.5, 64)
    for k in range(1, min(64, int(RATE / 2 / f0.max()))):
        near = ((k * f0[:, None] - centres) / WIDTHS) ** 2
        gain = (1 / (1 + near) * [1.0, 0.4, 0.2]).sum(1)
        out += k**-tilt * np.sqrt(gain) * np.sin(k * phase + shifts[k])
    ends = np.minimum(along * n / (rng.uniform(0.01, 0.05) * RATE), (1 - along) * n / (rng.uniform(0.03, 0.12) * RATE))
    return out * np.clip(ends, 0, 1) / np.abs(out).max()


def hiss(rng: np.random.Generator) -> NDArray[np.float64]:
    """A consonant: noise of a band, weaker than vowels, or nothing."""
    n = round(rng.choice([0.0, 0.0, rng.uniform(0.03, 0.15)]) * RATE)
    if not n:
        return np.zeros(0)
    f = np.fft.rfftfreq(n, 1 / RATE)
    band = np.exp(-np.square((f - rng.uniform(1000, 3600)) / rng.uniform(300, 1200)))
    noise = np.fft.irfft(np.fft.rfft(rng.normal(size=n)) * band, n)
    return 0.15 * noise / max(1e-9, np.abs(noise).max()) * np.hanning(n)
