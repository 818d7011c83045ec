"""The checks for authors find what is wrong, and pass what is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from codecs_core.entropy import Bijection, Conditional, Message, StackCodec, Uniform
from codecs_core.errors import CodecsError
from codecs_core.testing import Draw, check_cdf, check_stack_codec, random_network


@pytest.mark.parametrize(
    ("cdf", "says"),
    [
        (lambda k, shift: k << 4, None),
        (lambda k, shift: (k << 4) + 1, r"cdf\(0\) is 1 with the parameters 3; it must be 0"),
        (lambda k, shift: k << 3, r"cdf\(16\) is 128 .*; it must be 256"),
        (lambda k, shift: (k << 4) - 20 * (k == 5), "cdf falls from symbol 4 to 5"),
        (lambda k, shift: (k - (k == 7)) << 4, "cdf gives no count from symbol 6 to 7"),
        (lambda k, shift: k << 60 >> 56, r"cdf\(8\) is -128 .* where Python has 128; nothing may leave 64 bits"),
        (lambda k, shift: 16.0 * k, "is 0.0 .*; it must be an integer"),
    ],
)
def test_check_cdf(cdf: Callable[[int, int], Any], says: str | None) -> None:
    if says is None:
        check_cdf(cdf, 3, symbols=16, precision=8)
        return
    with pytest.raises(AssertionError, match=says):
        check_cdf(cdf, 3, symbols=16, precision=8)


def test_symbols_without_a_count_can_be_allowed() -> None:
    check_cdf(lambda k: 0 if k < 2 else 1 << 8, symbols=4, precision=8, every=False)


def test_check_stack_codec() -> None:
    check_stack_codec(Uniform(6, 3), [np.array([0, 5, 2]), np.array([1, 1, 1])])
    pair = Conditional(Uniform(6), lambda a: Uniform(int(a) + 1))
    check_stack_codec(pair, [(np.array(5), np.array(3)), (np.array(0), np.array(0))])


class Forgetful(StackCodec[Any]):
    """Pushes more than it pops."""

    def push(self, message: Message, x: Any) -> None:
        Uniform(256, 9).push(message, np.arange(9))
        Uniform(8).push(message, x)

    def pop(self, message: Message) -> Any:
        return Uniform(8).pop(message)


@pytest.mark.parametrize(
    ("codec", "says"),
    [
        (Bijection(lambda x: x + 1, lambda z: z - 2, Uniform(8)), "popped .* was pushed"),
        (Forgetful(), "what lay beneath has changed|did not return to its seed words"),
    ],
)
def test_what_is_no_stack_codec(codec: StackCodec[Any], says: str) -> None:
    with pytest.raises((AssertionError, CodecsError), match=says):
        check_stack_codec(codec, [np.array(3)])


def test_information_that_is_not_so() -> None:
    class Boastful(Forgetful):
        def pop(self, message: Message) -> Any:
            x = Uniform(8).pop(message)
            Uniform(256, 9).pop(message)
            return x

        def bits(self, x: Any) -> float:
            return 3.0

    with pytest.raises(AssertionError, match=r"grew by 75\.\d bits, and the codec says 3\.0"):
        check_stack_codec(Boastful(), [np.array(3)])


def test_draws_are_as_ever() -> None:
    draw = Draw(3)
    assert draw(0, 9, 8).tolist() == Draw(3)(0, 9, (2, 4)).reshape(-1).tolist()
    assert draw(-5, 5, 1000).min() == -5
    assert Draw(1)(0, 99, 6).tolist() != Draw(2)(0, 99, 6).tolist()


@pytest.mark.parametrize("kernel", [0, 3])
def test_random_networks(kernel: int) -> None:
    network = random_network(Draw(1), [5, 16, 4], inputs=(0, 255), low=[-100, 0, 0, -7], high=100, kernel=kernel)
    x = Draw(2)(0, 255, (20, 6, 6, 5) if kernel else (20, 5)).astype(np.int32)
    out = network(x).reshape(-1, 4)
    assert (out.min(0) >= [-100, 0, 0, -7]).all()
    assert out.max() <= 100
    assert len(np.unique(out)) > 20
    again = random_network(Draw(1), [5, 16, 4], inputs=(0, 255), low=[-100, 0, 0, -7], high=100, kernel=kernel)
    np.testing.assert_array_equal(again(x), network(x))
