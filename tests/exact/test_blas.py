"""Products of exact networks stay on their thread, and the process gets its threads back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from codecs_core.exact import blas
from codecs_core.exact.blas import one_thread


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of threads that a BLAS was set to, the last one the current one."""
    history = [4]
    functions = {"get_num_threads": lambda: history[-1], "set_num_threads": history.append}
    monkeypatch.setattr(blas, "_openblas", functions.get)
    return history


def test_one_thread_while_inside(threads: list[int]) -> None:
    with one_thread():
        assert threads[-1] == 1
        with one_thread():
            assert threads[-1] == 1
        assert threads[-1] == 1
    assert threads == [4, 1, 4]


def test_the_last_one_out_restores(threads: list[int]) -> None:
    first, second = one_thread(), one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert threads[-1] == 1
    second.__exit__(None, None, None)
    assert threads == [4, 1, 4]


def test_an_error_restores(threads: list[int]) -> None:
    with pytest.raises(ZeroDivisionError), one_thread():
        1 / 0  # noqa: B018
    assert threads == [4, 1, 4]


def test_another_blas_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_openblas", lambda name: None)
    with one_thread():
        pass
    assert blas.core.__wrapped__() == ""


def test_the_openblas_of_numpy() -> None:
    if "openblas" not in np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]:
        pytest.skip("numpy has another BLAS here")
    threads = blas._openblas("get_num_threads")
    before = threads()

    def work(n: int) -> int:
        with one_thread():
            np.ones((n, n)) @ np.ones((n, n))
            return threads()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(1, 200))) == {1}
    assert threads() == before


@pytest.mark.parametrize(("core", "terms"), [("SkylakeX", 10**6), ("Haswell", 0), ("", 0)])
def test_small_products(monkeypatch: pytest.MonkeyPatch, core: str, terms: int) -> None:
    monkeypatch.setattr(blas, "core", lambda: core)
    assert blas.small_terms() == terms
