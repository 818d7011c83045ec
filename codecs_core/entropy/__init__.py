"""The entropy-coding engine: messages, distributions, and what is built of them. Integers only."""

from __future__ import annotations

from codecs_core.entropy.custom import distribution
from codecs_core.entropy.distributions import (
    Bernoulli,
    BetaBinomial,
    Bits,
    BucketedGaussian,
    Categorical,
    CategoricalMixture,
    ChannelMixture,
    DiscretizedGaussian,
    DiscretizedLaplace,
    DiscretizedLogistic,
    EliasDelta,
    EliasGamma,
    Escape,
    FineGaussian,
    LogisticMixture,
    Uniform,
    Zipf,
)
from codecs_core.entropy.message import Message
from codecs_core.entropy.stack import Bijection, BitsBack, Chain, Distribution, Serial, StackCodec

__all__ = [
    "Bernoulli",
    "BetaBinomial",
    "Bijection",
    "Bits",
    "BitsBack",
    "BucketedGaussian",
    "Categorical",
    "CategoricalMixture",
    "Chain",
    "ChannelMixture",
    "DiscretizedGaussian",
    "DiscretizedLaplace",
    "DiscretizedLogistic",
    "Distribution",
    "EliasDelta",
    "EliasGamma",
    "Escape",
    "FineGaussian",
    "LogisticMixture",
    "Message",
    "Serial",
    "StackCodec",
    "Uniform",
    "Zipf",
    "distribution",
]
