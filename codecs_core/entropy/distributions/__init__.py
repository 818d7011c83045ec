"""Distributions over integers, as StackCodecs; one family a module. Their parameters are integers."""

from __future__ import annotations

from codecs_core.entropy.bits import Bits
from codecs_core.entropy.distributions.adaptive_categorical import AdaptiveCategorical
from codecs_core.entropy.distributions.bernoulli import Bernoulli
from codecs_core.entropy.distributions.beta_binomial import BetaBinomial
from codecs_core.entropy.distributions.bucketed_gaussian import BucketedGaussian
from codecs_core.entropy.distributions.categorical import Categorical
from codecs_core.entropy.distributions.categorical_mixture import CategoricalMixture
from codecs_core.entropy.distributions.escape import Escape
from codecs_core.entropy.distributions.fine_gaussian import FineGaussian
from codecs_core.entropy.distributions.location_scale import (
    DiscretizedGaussian,
    DiscretizedLaplace,
    DiscretizedLogistic,
)
from codecs_core.entropy.distributions.logistic_mixture import ChannelMixture, LogisticMixture
from codecs_core.entropy.distributions.unbounded import EliasDelta, EliasGamma, Octaves, Zipf
from codecs_core.entropy.distributions.uniform import Uniform

__all__ = [
    "AdaptiveCategorical",
    "Bernoulli",
    "BetaBinomial",
    "Bits",
    "BucketedGaussian",
    "Categorical",
    "CategoricalMixture",
    "ChannelMixture",
    "DiscretizedGaussian",
    "DiscretizedLaplace",
    "DiscretizedLogistic",
    "EliasDelta",
    "EliasGamma",
    "Escape",
    "FineGaussian",
    "LogisticMixture",
    "Octaves",
    "Uniform",
    "Zipf",
]
