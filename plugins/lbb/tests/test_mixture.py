"""Mixtures of logistics as elementwise maps: against plain formulas, and the inverse."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from codecs_lbb.conditioner import LOG_BITS, SHIFT_BITS
from codecs_lbb.mixture import BROAD, forward, inverse
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from codecs_core.testing import environment


def parameters_of(rng: np.random.Generator, n: int, components: int = 3) -> NDArray[np.int32]:
    """Random logits, means and log-scales after two columns of something else."""
    draws = rng.normal(0, 1.5, (n, components)), rng.normal(0, 2, (n, components)), rng.uniform(-7, 2, (n, components))
    units = 1 << LOG_BITS, 1 << SHIFT_BITS, 1 << LOG_BITS
    scaled = [np.rint(d * u) for d, u in zip(draws, units, strict=True)]
    return np.concatenate([np.full((n, 2), 1 << 30), *scaled], -1).astype(np.int32)


def plain(x: NDArray[np.float64], parameters: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same map in logarithms."""
    logits, means, log_scales = np.split(parameters[:, 2:] * 2.0**-LOG_BITS, 3, -1)
    means = means * 2.0 ** (LOG_BITS - SHIFT_BITS)
    weights = np.concatenate([log_softmax(logits, -1) + np.log(1 - BROAD), np.full((*x.shape, 1), np.log(BROAD))], -1)
    zero = np.zeros((*x.shape, 1))
    means, log_scales = np.concatenate([means, zero], -1), np.concatenate([log_scales, zero], -1)
    at = (x[..., None] - means) * np.exp(-log_scales)
    below, above = -np.logaddexp(0, -at), -np.logaddexp(0, at)
    total = logsumexp(weights + below, -1), logsumexp(weights + above, -1)
    return total[0] - total[1], logsumexp(weights + below + above - log_scales, -1) - total[0] - total[1]


@settings(deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 6))
def test_forward_against_logarithms(seed: int, components: int) -> None:
    rng = np.random.default_rng(seed)
    x, parameters = rng.normal(0, 3, 40), parameters_of(rng, 40, components=components)
    for ours, expected in zip(forward(x, parameters, 2, components), plain(x, parameters), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9)


@settings(deadline=None)
@given(st.integers(0, 1 << 32))
def test_inverse(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, parameters = rng.normal(0, 3, 40), parameters_of(rng, 40)
    y, _ = forward(x, parameters, 2, 3)
    # a bracket that is up to hundreds of units wide, halved again and again
    np.testing.assert_allclose(inverse(y, parameters, 2, 3), x, rtol=0, atol=1e-5)


def test_values_do_not_depend_on_their_neighbours() -> None:
    rng = np.random.default_rng(0)
    x, parameters = rng.normal(0, 3, 600), parameters_of(rng, 600)
    y, log_slope = forward(x, parameters, 2, 3)
    at = inverse(y, parameters, 2, 3)
    for part in (slice(0, 1), slice(255, 258), slice(300, 600)):
        assert np.array_equal(forward(x[part], parameters[part], 2, 3)[0], y[part])
        assert np.array_equal(forward(x[part], parameters[part], 2, 3)[1], log_slope[part])
        assert np.array_equal(inverse(y[part], parameters[part], 2, 3), at[part])


@pytest.mark.parametrize("x", [-60.0, 60.0])
def test_tails_are_those_of_the_broad_component(x: float) -> None:
    parameters = np.array([[0, 0, -7 << LOG_BITS]])
    y, log_slope = forward(np.array([x]), parameters, 0, 1)
    assert abs(float(y[0])) > 60
    assert abs(float(log_slope[0])) < 1e-3


#: Digests of both maps, of values and components up to where exp stays as it is and beyond, and the payload of a strange model.
CHILD = """
import hashlib, json, os, sys, warnings
import numpy as np
if os.environ.get("EXACTNESS_TORCH"):
    import torch
    torch.set_flush_denormal(True)
warnings.simplefilter("error")
from codecs_lbb.codec import FlowCodec
from codecs_lbb.mixture import forward, inverse
from codecs_lbb.testing import steep_model
x = np.ldexp(np.rint(np.ldexp(np.concatenate([np.linspace(-720, 720, 161), np.linspace(-3, 3, 40)]), 20)), -20)
found = []
for scales in [0, 0, 0], [-7168, 4096, 4000]:
    parameters = np.tile([-32768, 32768, 0, 0, 1000, 1 << 21, *scales], (x.size, 1))
    found += [hashlib.sha256(part.tobytes()).hexdigest() for part in (*forward(x, parameters, 0, 3), inverse(x, parameters, 0, 3))]
image = np.arange(0, 256, 5, dtype=np.uint8).reshape(1, 4, 13)
found.append(FlowCodec(model=steep_model()).encode(image).hex())
print(json.dumps(found))
"""
PROCESSES = {"flushed": {"EXACTNESS_TORCH": "1"}, "plain": {"NUMBA_DISABLE_JIT": "1"}}


@pytest.mark.parametrize("name", PROCESSES)
def test_values_do_not_depend_on_how_subnormal_numbers_are_treated(name: str, tmp_path: Path) -> None:
    if name == "flushed" and find_spec("torch") is None:
        pytest.skip("torch is what changes it here")
    here, there = (
        subprocess.run(
            [sys.executable, "-c", CHILD], env=environment(tmp_path, variables), capture_output=True, text=True
        )
        for variables in ({}, PROCESSES[name])
    )
    assert (here.returncode, there.returncode) == (0, 0), here.stderr + there.stderr
    assert json.loads(there.stdout) == json.loads(here.stdout)
