"""The entropy-coding engine: messages, distributions, and what is built of them. Integers only.

For a distribution with kernels of its own there are `from_cdf` and `flat`, for kernels that code by themselves the steps of the coder
(`push_one`, `pop_one`, ...), and for both the committed tables (`table`).
"""

from __future__ import annotations

from codecs_core.entropy.annealing import Annealed, Metropolis, reversible
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
from codecs_core.entropy.distribution import Distribution, flat
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
from codecs_core.entropy.distributions.bucketed_gaussian import centres
from codecs_core.entropy.distributions.categorical import quantise
from codecs_core.entropy.distributions.mixture_kernels import (
    logistic_pair,
    mixture_find,
    mixture_pair,
    mixture_tables,
)
from codecs_core.entropy.distributions.softmax import softmax
from codecs_core.entropy.distributions.unbounded import exponents
from codecs_core.entropy.fixed import QFormat, counts, exp2, log2
from codecs_core.entropy.importance import ImportanceWeighted
from codecs_core.entropy.kernels import from_cdf
from codecs_core.entropy.message import Message
from codecs_core.entropy.rans import (
    EXHAUSTED,
    GUARD,
    OK,
    WIDE,
    inverse,
    make_room,
    pop_one,
    push_one,
    push_quick,
)
from codecs_core.entropy.tables import npy, table

__all__ = [
    "EXHAUSTED",
    "GUARD",
    "OK",
    "WIDE",
    "AdaptiveCategorical",
    "Annealed",
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
    "ImportanceWeighted",
    "Information",
    "LogisticMixture",
    "Message",
    "Metropolis",
    "Octaves",
    "QFormat",
    "Serial",
    "StackCodec",
    "Uniform",
    "Zipf",
    "centres",
    "counts",
    "distribution",
    "exp2",
    "exponents",
    "flat",
    "from_cdf",
    "inverse",
    "log2",
    "logistic_pair",
    "make_room",
    "mixture_find",
    "mixture_pair",
    "mixture_tables",
    "npy",
    "pop_one",
    "push_one",
    "push_quick",
    "quantise",
    "reversible",
    "softmax",
    "table",
]


def __dir__() -> list[str]:
    return __all__
