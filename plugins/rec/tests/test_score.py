"""The energy score knows a distribution from others."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from codecs_rec.lossy.score import Eye, distance, energy_score  # noqa: E402


def drawn(sigma: float, n: int, *, alike: bool = False) -> torch.Tensor:
    """Noise of a deviation, of each value for itself or the same for squares of 2 x 2 of them."""
    noise = sigma * torch.randn(n, 3, 8, 8)
    return noise[..., ::2, ::2].repeat_interleave(2, 2).repeat_interleave(2, 3) if alike else noise


@pytest.mark.parametrize("alike", [False, True])
def test_the_right_distribution_has_the_smallest_score(alike: bool) -> None:
    """Among narrower and wider ones, the middle alone, and one whose values go together otherwise."""
    torch.manual_seed(0)
    eye, n = Eye(3), 600
    x = drawn(30, n, alike=alike)

    def score(sigma: float, alike: bool) -> float:
        return float(energy_score(eye, drawn(sigma, n, alike=alike), drawn(sigma, n, alike=alike), x).mean())

    right = score(30, alike)
    assert right < min(score(20, alike), score(45, alike), score(0, alike), score(30, not alike))


def test_distance_of_an_image_to_itself_is_next_to_nothing() -> None:
    torch.manual_seed(1)
    eye, x = Eye(1), torch.randn(4, 1, 5, 6)
    assert distance(eye(x), eye(x)).max() <= 0.5
    assert distance(eye(x), eye(x + 50)).min() > 5
