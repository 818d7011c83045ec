"""Bits-back coding with several particles, whose rate is a tighter bound: Ruan et al. 2021, "Improving lossless compression rates via
Monte Carlo bits-back coding" (arXiv:2102.11086).
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy.codec import StackCodec
from codecs_core.entropy.combinators import BitsBack
from codecs_core.entropy.distributions.categorical import Categorical
from codecs_core.entropy.distributions.softmax import softmax
from codecs_core.entropy.distributions.uniform import Uniform
from codecs_core.entropy.fixed import LOG2_BITS, log2
from codecs_core.entropy.message import Message
from codecs_core.errors import EntropyError

A = TypeVar("A")
B = TypeVar("B")

#: Bits by which a unit of a length is smaller than one of a logit, 1/64.
_FINER = LOG2_BITS - 6


class ImportanceWeighted(StackCodec[A], Generic[A, B]):
    """`BitsBack` with importance sampling: section 3.2, BB-IS.

    N latents are drawn from the posterior, and one of them is chosen in proportion to its weight p(x, z) / q(z | x). On average x costs
    -log2 of the mean weight, which falls to -log2 p(x) as N grows (Burda et al. 2016, importance weighted autoencoders). The initial bits
    are those of N latents, so a `Chain` pays for them once. The particles of a symbol share one choice: code items one by one.

    Parameters
    ----------
    codec
        The model, and its posterior.
    particles
        N, from 1 to 2^12. With 1 it is `codec` itself.

    Raises
    ------
    EntropyError
        For another number of particles.

    Notes
    -----
    A weight is by how much a latent and x lengthen new messages, in units of 1/64 bit: integers, so that a decoder has the same. A weight
    that is a little wrong costs the divergence of the choice from the ideal one, which is far below a thousandth of a bit.
    """

    def __init__(self, codec: BitsBack[A, B], particles: int) -> None:
        if type(particles) is not int or not 1 <= particles <= 1 << 12:
            raise EntropyError(f"particles must be an integer from 1 to {1 << 12}, got {particles!r}")
        self.codec, self.particles = codec, particles

    def push(self, message: Message, x: A) -> None:
        """Sample N latents and a choice with bits of the message; push the others back, then x, the chosen one and the choice."""
        self._sample(message, x)

    def pop(self, message: Message) -> A:
        """Pop the choice, its latent and x; pop the other latents, and give the bits of all back."""
        choice = int(Uniform(self.particles).pop(message))
        chosen = self.codec.prior.pop(message)
        x = self.codec.likelihood(chosen).pop(message)
        posterior = self.codec.posterior(x)
        latents = [posterior.pop(message) for _ in range(self.particles - 1)]
        latents.insert(choice, chosen)
        self._choices(posterior, x, latents).push(message, choice)
        for z in reversed(latents):
            posterior.push(message, z)
        return x

    def information(self, x: A) -> NDArray[np.float64]:
        """The negative bound in bits, of shape (), with the latents that a new message gives."""
        return np.asarray(self.push_counted(Message(), x))

    def push_counted(self, message: Message, x: A) -> float:
        """Push x and return the negative bound in bits."""
        posterior, chosen, gained = self._sample(message, x)
        spent = self.codec.likelihood(chosen).bits(x) + self.codec.prior.bits(chosen) + float(np.log2(self.particles))
        return spent - posterior.bits(chosen) - gained

    def _sample(self, message: Message, x: A) -> tuple[StackCodec[B], B, float]:
        """As `push`; returns the posterior, the chosen latent, and the bits of the choice."""
        posterior = self.codec.posterior(x)
        latents = [posterior.pop(message) for _ in range(self.particles)]
        choices = self._choices(posterior, x, latents)
        choice = int(choices.pop(message))
        gained, chosen = choices.bits(np.asarray(choice)), latents.pop(choice)
        for z in reversed(latents):
            posterior.push(message, z)
        self.codec.likelihood(chosen).push(message, x)
        self.codec.prior.push(message, chosen)
        Uniform(self.particles).push(message, choice)
        return posterior, chosen, gained

    def _choices(self, posterior: StackCodec[B], x: A, latents: list[B]) -> Categorical:
        """Each latent in proportion to p(x, z) / q(z | x)."""
        if self.particles == 1:
            return Categorical([2])
        prior, likelihood = self.codec.prior, self.codec.likelihood
        logits = [(_length(posterior, z) - _length(likelihood(z), x) - _length(prior, z)) >> _FINER for z in latents]
        worst = max(logits) - (1 << 20)
        weights = softmax(np.array([[max(logit, worst) - worst for logit in logits]], np.int32))
        return Categorical(weights[0].tolist(), precision=16)


def _length(codec: StackCodec[Any], x: Any) -> int:
    """By how much a symbol lengthens a new message, in units of 2^-16 bits and by integers alone."""
    message = Message()
    before = _units(message)
    codec.push(message, x)
    return _units(message) - before


def _units(message: Message) -> int:
    """Length of a message, up to a constant."""
    words, head = message.extent
    return (32 * words << LOG2_BITS) + int(log2(head >> 2))
