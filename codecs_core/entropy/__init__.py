"""The entropy-coding engine: messages, distributions, and what is built of them. Integers only."""

from __future__ import annotations

from codecs_core.entropy.distributions import (
    Bernoulli,
    BetaBinomial,
    BucketedGaussian,
    Categorical,
    CategoricalMixture,
    Uniform,
)
from codecs_core.entropy.message import Message
from codecs_core.entropy.stack import Bijection, BitsBack, Chain, Distribution, Serial, StackCodec

__all__ = [
    "Bernoulli",
    "BetaBinomial",
    "Bijection",
    "BitsBack",
    "BucketedGaussian",
    "Categorical",
    "CategoricalMixture",
    "Chain",
    "Distribution",
    "Message",
    "Serial",
    "StackCodec",
    "Uniform",
]
