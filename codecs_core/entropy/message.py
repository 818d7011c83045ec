"""The message: a stack that symbols are pushed on and popped from, and at the same time one large number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy.rans import BAD_SYMBOL, EXHAUSTED, GUARD, LANE_WORDS, LOWER, MAX_PRECISION, wide_part
from codecs_core.errors import CorruptDataError, EntropyError, ExhaustedMessageError, LongMessageError

if TYPE_CHECKING:
    from collections.abc import Callable


def seed_words(start: int, stop: int) -> NDArray[np.uint32]:
    """Words `start` to `stop` of the fixed sequence beneath every message: high halves of SplitMix64 (Steele et al. 2014)."""
    z = np.arange(start + 1, stop + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(32)).astype(np.uint32)


_LOWER = int(LOWER)
_FIRST_HEAD = _LOWER | int(seed_words(0, 1)[0])


class Message:
    """A stack of symbols, coded as tightly as their probabilities say.

    What is pushed last is popped first. Beneath a new message lies an endless, fixed sequence of seed words: a pop that
    goes deeper than what was pushed takes from them, as bits-back coding must with its first item. They are the same in every
    message, so they cost nothing to store but what they add to its length, and a decoder that has undone everything finds
    them back: `verify_end` checks it.

    Parameters
    ----------
    seeds
        Whether pops may draw seed words; if not, `ExhaustedMessageError` is raised instead.
    most
        Bytes after which a push raises `LongMessageError`, so that nobody goes on with what is too long; None: any number.

    Examples
    --------
    >>> message = Message()
    >>> Uniform(6, shape=3).push(message, [1, 5, 2])
    >>> Uniform(6, shape=3).pop(Message.from_bytes(message.to_bytes()))
    array([1, 5, 2])
    """

    def __init__(self, *, seeds: bool = True, most: int | None = None) -> None:
        self._seeds = seeds
        self._most = math.inf if most is None else most
        self._first = 0  # number of the first seed word
        self._drawn = 0  # seed words laid out so far, at the bottom of `_words`
        self._words = np.zeros(64, np.uint32)
        # head, words in use, fewest words in use so far
        self._state = np.array([_FIRST_HEAD, GUARD, GUARD], np.uint64)

    @classmethod
    def random(cls, seed: int) -> Message:
        """A message to pop samples off: the words beneath it are those of a new one from number seed * 2^32 on.

        Parameters
        ----------
        seed
            From 0 to 2^31 - 1.
        """
        message = cls()
        message._first = seed << 32
        message._state[0] = _LOWER | int(seed_words(message._first, message._first + 1)[0])
        return message

    @classmethod
    def from_bytes(cls, data: bytes) -> Message:
        """Inverse of `to_bytes`; raises `CorruptDataError` for bytes that are no message."""
        if len(data) < 5 or data[-1] == 0:
            raise CorruptDataError(
                f"{len(data)} bytes{' that end in a zero byte' if data and data[-1] == 0 else ''} are no message; "
                "expected at least 5 bytes, the last one not zero"
            )
        count = (len(data) - 5) // 4
        message = cls(seeds=False)
        message._words = np.empty(GUARD + count + 64, np.uint32)
        message._words[GUARD : GUARD + count] = np.frombuffer(data, "<u4", count)
        head = int.from_bytes(data[4 * count :], "little")
        message._state[:] = (head, GUARD + count, GUARD)
        return message

    def to_bytes(self) -> bytes:
        """The number, little endian, without leading zero bytes; seed words that were not drawn are left out.

        Returns
        -------
        bytes
            At least 5 bytes, the last one not zero.
        """
        head, n, low = (int(v) for v in self._state)
        return self._words[low:n].astype("<u4").tobytes() + head.to_bytes(8, "little").rstrip(b"\0")

    def __len__(self) -> int:
        """Length of `to_bytes` in bytes."""
        return 4 * int(self._state[1] - self._state[2]) + -(-int(self._state[0]).bit_length() // 8)

    @property
    def bits(self) -> float:
        """What was pushed less what was popped, in bits; 0 for a new message, negative once it digs into the seeds."""
        return 32.0 * (int(self._state[1]) - GUARD - self._drawn) + math.log2(int(self._state[0]) / _FIRST_HEAD)

    @property
    def extent(self) -> tuple[int, int]:
        """The length exactly: words more than a new message has, and the head, from 2^32 to 2^64 - 1."""
        return int(self._state[1]) - GUARD - self._drawn, int(self._state[0])

    def copy(self) -> Message:
        """An independent copy."""
        twin = Message(seeds=self._seeds)
        twin._first, twin._drawn, twin._most = self._first, self._drawn, self._most
        twin._words, twin._state = self._words.copy(), self._state.copy()
        return twin

    def verify_end(self) -> None:
        """Raise `CorruptDataError` unless everything pushed was popped and every seed word is back in its place."""
        head, n, _ = (int(v) for v in self._state)
        left = self._words[GUARD:n]
        if head != _FIRST_HEAD or not np.array_equal(left, seed_words(1, 1 + left.size)[::-1]):
            raise CorruptDataError("a message did not return to its seed words after the last symbol: it is damaged")

    # --- what distributions call -----------------------------------------------------------------

    def push_interval(self, start: int, freq: int, precision: int) -> None:
        """Push the one symbol that has the `freq` counts from `start` on, of 2^precision.

        For a single symbol this is quicker than a kernel, whose arguments take longer to hand over than the symbol to code.
        Raises `EntropyError` for a symbol without counts.
        """
        if freq < 1:
            raise EntropyError("the symbol is outside the support of its distribution and cannot be coded")
        head, n, _ = self._state.tolist()
        if head >> (64 - precision) >= freq:
            if n >= self._words.size:
                self._reserve(1, 0)
            self._words[n] = head & 0xFFFFFFFF
            self._state[1] = n + 1
            head >>= 32
        quotient, rest = divmod(head, freq)
        self._state[0] = (quotient << precision) + rest + start

    def pop_interval(self, find: Callable[[int], tuple[int, int, int]], precision: int) -> int:
        """Pop one symbol; the inverse of `push_interval`.

        Parameters
        ----------
        find
            Function of a number below 2^precision: the symbol whose counts include it, their start and how many they are.
        precision
            Bits.

        Raises
        ------
        ExhaustedMessageError
            If the message ends before; it is then as it was.
        """
        head, n, low = self._state.tolist()
        count = head & ((1 << precision) - 1)
        symbol, start, freq = find(count)
        head = freq * (head >> precision) + count - start
        if head < _LOWER:
            if n == GUARD:
                self._reserve(0, 1)
                _, n, low = self._state.tolist()
                if n == GUARD:
                    self._check(EXHAUSTED, 0)
            n -= 1
            head = head << 32 | int(self._words[n])
            self._state[1] = n
            if n < low:
                self._state[2] = n
        self._state[0] = head
        return symbol

    def push_symbols(
        self,
        kernel: Callable[..., Any],
        symbols: NDArray[Any],
        precision: int,
        params: tuple[Any, ...],
        *,
        thin: bool = False,
    ) -> None:
        """Push a flat array by a kernel that `rans.make_push` made, the last symbol first; by one head if it is `thin`.

        Raises `EntropyError` for a symbol without probability; the message is then as before. Raises `LongMessageError` once the
        message is longer than it may be.
        """
        self._reserve(symbols.size + LANE_WORDS, LANE_WORDS)
        status, index = kernel(
            self._state, self._words, symbols, 0 if thin else wide_part(symbols.size), precision, params
        )
        self._check(status, index)
        if len(self) > self._most:
            raise LongMessageError(f"a message has {len(self)} bytes, more than the {self._most} that it may have")

    def pop_symbols(
        self,
        kernel: Callable[..., Any],
        out: NDArray[Any],
        precision: int,
        params: tuple[Any, ...],
        *,
        thin: bool = False,
    ) -> NDArray[Any]:
        """Fill the flat array `out` by a kernel that `rans.make_pop` made; by one head if it is `thin`.

        Raises `ExhaustedMessageError` if the message ends before; it is then as before.
        """
        self._reserve(LANE_WORDS, out.size + LANE_WORDS)
        status, index = kernel(self._state, self._words, out, 0 if thin else wide_part(out.size), precision, params)
        self._check(status, index)
        return out

    def _reserve(self, above: int, below: int) -> None:
        """Make room for `above` words on the stack and, where seeds are allowed, lay out `below` words to draw."""
        n = int(self._state[1])
        missing = below - (n - GUARD) if self._seeds else 0
        if missing > 0:
            missing = max(missing, self._drawn, 64)
            laid = self._first + 1 + self._drawn
            seeds = seed_words(laid, laid + missing)[::-1]
            body = self._words[GUARD:n]
            words = np.empty(GUARD + missing + body.size + above + 1, np.uint32)
            words[GUARD : GUARD + missing] = seeds
            words[GUARD + missing : GUARD + missing + body.size] = body
            self._words = words
            self._state[1:] += np.uint64(missing)
            self._drawn += missing
            n = int(self._state[1])
        if self._words.size < n + above + 1:
            words = np.empty(n + max(above + 1, n), np.uint32)
            words[:n] = self._words[:n]
            self._words = words

    def _check(self, status: int, index: int) -> None:
        if status == EXHAUSTED:
            raise ExhaustedMessageError(
                f"the message ends before symbol {index}: more is popped than was pushed, or it is damaged"
            )
        if status == BAD_SYMBOL:
            raise EntropyError(
                f"symbol {index} of an array is outside the support of its distribution and cannot be coded"
            )


def check_precision(precision: int, symbols: int = 2) -> int:
    """Raise `EntropyError` unless 2^precision counts suffice for `symbols` and the coder takes them."""
    if not isinstance(precision, int) or not 1 <= precision <= MAX_PRECISION or symbols > 1 << precision:
        raise EntropyError(
            f"precision {precision!r} cannot be used for {symbols} symbols; "
            f"expected an integer from {max(1, (symbols - 1).bit_length())} to {MAX_PRECISION}"
        )
    return precision
