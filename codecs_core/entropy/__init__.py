"""The entropy-coding engine: messages, distributions, and what is built of them. Integers only."""

from __future__ import annotations

from codecs_core.entropy.codec import Information, StackCodec
from codecs_core.entropy.combinators import (
    Autoregressive,
    Bijection,
    Binned,
    BitsBack,
    Chain,
    Conditional,
    Serial,
)
from codecs_core.entropy.custom import distribution
from codecs_core.entropy.distribution import Distribution
from codecs_core.entropy.distributions import (
    AdaptiveCategorical,
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
    Octaves,
    Uniform,
    Zipf,
)
from codecs_core.entropy.distributions.unbounded import exponents
from codecs_core.entropy.fixed import QFormat, counts, exp2, log2
from codecs_core.entropy.message import Message

__all__ = [
    "AdaptiveCategorical",
    "Autoregressive",
    "Bernoulli",
    "BetaBinomial",
    "Bijection",
    "Binned",
    "Bits",
    "BitsBack",
    "BucketedGaussian",
    "Categorical",
    "CategoricalMixture",
    "Chain",
    "ChannelMixture",
    "Conditional",
    "DiscretizedGaussian",
    "DiscretizedLaplace",
    "DiscretizedLogistic",
    "Distribution",
    "EliasDelta",
    "EliasGamma",
    "Escape",
    "FineGaussian",
    "Information",
    "LogisticMixture",
    "Message",
    "Octaves",
    "QFormat",
    "Serial",
    "StackCodec",
    "Uniform",
    "Zipf",
    "counts",
    "distribution",
    "exp2",
    "exponents",
    "log2",
]
