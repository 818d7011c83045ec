"""Distributions over integers, as StackCodecs; one family a module. Their parameters are integers."""

from __future__ import annotations

from codecs_core.entropy.distributions.bernoulli import Bernoulli
from codecs_core.entropy.distributions.beta_binomial import BetaBinomial
from codecs_core.entropy.distributions.bucketed_gaussian import BucketedGaussian
from codecs_core.entropy.distributions.categorical import Categorical
from codecs_core.entropy.distributions.categorical_mixture import CategoricalMixture
from codecs_core.entropy.distributions.uniform import Uniform

__all__ = ["Bernoulli", "BetaBinomial", "BucketedGaussian", "Categorical", "CategoricalMixture", "Uniform"]
