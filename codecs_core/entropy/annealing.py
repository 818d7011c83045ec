"""Bits-back coding along a Markov chain, whose rate is a tighter bound: BB-AIS of Ruan et al. 2021, "Improving lossless compression rates
via Monte Carlo bits-back coding" (arXiv:2102.11086).

A step pops the next latent by a transition, and pushes the last one by the reverse transition, at once, as Bit-Swap does. A transition in
detailed balance is its own reverse: a step that is taken again undoes itself, and a decoder takes the steps in the opposite order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy.codec import StackCodec
from codecs_core.entropy.combinators import BitsBack
from codecs_core.entropy.distribution import integers
from codecs_core.entropy.distributions.bernoulli import Bernoulli
from codecs_core.entropy.distributions.uniform import Uniform
from codecs_core.entropy.fixed import EXP2_BITS, LOG2_BITS, exp2
from codecs_core.entropy.message import Message, seed_words
from codecs_core.errors import EntropyError

A = TypeVar("A")
B = TypeVar("B")

#: A step of a Markov chain: moves a latent with bits of the message. Taken again, with the latent that it returned, it undoes itself.
Kernel: TypeAlias = Callable[[Message, B], B]

#: Number of the first word of all pads: none that lies beneath a message.
_PADS = 1 << 62
#: Precision of a choice to move or to stay, and the most that two lengths may differ by.
_PRECISION, _LONGEST = 24, 1 << 62


class Annealed(StackCodec[A], Generic[A, B]):
    """`BitsBack` with annealed importance sampling: BB-AIS.

    A latent is drawn from the posterior, and M kernels move it. The n-th one leaves f_n(z) = q(z | x)^(1 - b_n) p(x, z)^b_n as it is,
    with 0 < b_1 < ... < b_M <= 1. On average x costs what annealed importance sampling says (Neal 2001), and that falls to -log2 p(x) as M
    grows: the sum over n = 1, ..., M + 1 of (b_n - b_(n-1)) log2(q(z | x) / p(x, z)), of the z before step n, with b_0 = 0 and b_(M+1) = 1.

    Parameters
    ----------
    codec
        The model, and its posterior.
    kernels
        Function of x: the kernels, in the order in which an encoder takes them. `reversible` and `Metropolis` make them.
    fresh
        As many bits as a kernel takes, or more. What a kernel gave back would be what the next one takes, and the chain would go back and
        forth; so before each kernel that many bits of the message are combined with a fixed pad. Initial bits are these and those of
        `codec`, however many the kernels.

    Raises
    ------
    EntropyError
        For `fresh` that is no integer, or less than 0.

    Notes
    -----
    Kernels that leave f_n only nearly as it is, and `fresh` of too few bits, cost rate and nothing else: decoding stays exact. Kernels may
    move many items at a time, as `codec` may code them.
    """

    def __init__(self, codec: BitsBack[A, B], kernels: Callable[[A], Sequence[Kernel[B]]], fresh: int) -> None:
        if type(fresh) is not int or fresh < 0:
            raise EntropyError(f"fresh must be an integer of at least 0, got {fresh!r}")
        self.codec, self.kernels, self.fresh = codec, kernels, fresh

    def push(self, message: Message, x: A) -> None:
        """Sample z from the posterior and move it, with bits of the message; then push x and z."""
        z = self.codec.posterior(x).pop(message)
        for n, kernel in enumerate(self.kernels(x)):
            self._freshen(message, n)
            z = kernel(message, z)
        self.codec.likelihood(z).push(message, x)
        self.codec.prior.push(message, z)

    def pop(self, message: Message) -> A:
        """Pop z and x, move z back, the last kernel first, and give its bits back."""
        z = self.codec.prior.pop(message)
        x = self.codec.likelihood(z).pop(message)
        for n, kernel in reversed(list(enumerate(self.kernels(x)))):
            z = kernel(message, z)
            self._freshen(message, n)
        self.codec.posterior(x).push(message, z)
        return x

    def push_counted(self, message: Message, x: A) -> float:
        """Push x and return the negative bound in bits, which is by how much the message grows."""
        before = message.bits
        self.push(message, x)
        return message.bits - before

    def _freshen(self, message: Message, n: int) -> None:
        """Combine bits on top of the message with a pad of their own for step n; done again, it undoes itself."""
        size = -(-self.fresh // 16)
        top, pad = Uniform(1 << 16, size), seed_words(_PADS + n * size, _PADS + (n + 1) * size) >> np.uint32(16)
        top.push(message, top.pop(message) ^ pad.astype(np.int64))


def reversible(transition: Callable[[B], StackCodec[B]]) -> Kernel[B]:
    """A kernel from the codec of its transitions, which must be in detailed balance: f(z) T(y | z) = f(y) T(z | y).

    Parameters
    ----------
    transition
        Function of z: codec of the latent y that follows, such as the conditional distribution of one element (Gibbs sampling).
    """

    def move(message: Message, z: B) -> B:
        following = transition(z).pop(message)
        transition(following).push(message, z)
        return following

    return move


class Metropolis:
    """A kernel that proposes a latent, and moves there or stays: involutive Markov chains (Neklyudov et al. 2020).

    Pops v given z, maps both by an involution, and pops whether to move there, by the ratio of f(z) a(v | z) there and here. Random walks
    are such kernels, and Hamiltonian steps (Duane et al. 1987), whose v is a momentum.

    Parameters
    ----------
    auxiliary
        Function of z: codec a of an array v given z.
    involution
        Function of z and v that returns others of them; exactly its own inverse.
    length
        Function of z and v: -log2 f(z) a(v | z) in integers, in units of 2^-16 bits and up to a constant, shape (items,) for z of shape
        (items, ...), or () for a single item. `Distribution.lengths` has such numbers.
    """

    def __init__(
        self,
        auxiliary: Callable[[NDArray[Any]], StackCodec[NDArray[Any]]],
        involution: Callable[[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]],
        length: Callable[[NDArray[Any], NDArray[Any]], NDArray[np.int64]],
    ) -> None:
        self.auxiliary, self.involution, self.length = auxiliary, involution, length

    def __call__(self, message: Message, z: NDArray[Any]) -> NDArray[Any]:
        """Move z, or some of its items."""
        v = self.auxiliary(z).pop(message)
        there = self.involution(z, v)
        longer = self.length(*there) - self.length(z, v)
        moves = _moving(longer).pop(message)
        # from there, the way back makes shorter what the way there makes longer
        _moving(np.where(moves, -longer, longer)).push(message, moves)
        z, v = (np.where(_along(moves, here), new, here) for new, here in zip(there, (z, v), strict=True))
        self.auxiliary(z).push(message, v)
        return z


def _moving(longer: NDArray[np.int64]) -> Bernoulli:
    """Whether to move: with probability min(1, 2^-longer)."""
    least = np.clip(-integers(longer, "a length", -_LONGEST, _LONGEST), -_PRECISION << LOG2_BITS, 0)
    octaves = least >> (LOG2_BITS - EXP2_BITS)
    return Bernoulli(np.clip(exp2(octaves, _PRECISION), 1, (1 << _PRECISION) - 1), precision=_PRECISION)


def _along(items: NDArray[Any], array: NDArray[Any]) -> NDArray[Any]:
    """An array of items with as many axes as another one."""
    return items.reshape(items.shape + (1,) * (array.ndim - items.ndim))
