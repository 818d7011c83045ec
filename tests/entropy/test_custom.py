"""Custom distributions in fresh processes and without compilation; the cache of compiled kernels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pytest

from codecs_core.entropy import Categorical, Message, distribution
from codecs_core.errors import EntropyError
from codecs_core.jit import PLAIN, fingerprint, lanes
from codecs_core.jit.cache import _Files

SCRIPT = """
import json, sys, time
import numba
import numpy as np
import helpers
from codecs_core.entropy import Message, Uniform, distribution

TABLE = np.array([0, 1, 5, 30, 64])

@numba.njit
def none(k):
    return TABLE[k]

@numba.njit
def one(k, peak):
    return helpers.shape(k, peak)

@numba.njit
def three(k, a, b, c):
    middle = np.int64(np.sqrt(np.float64(a * a + b * b)))
    return k + (c if k > middle else 0) + (4096 - 16 - c if k == 16 else 0)

def codes():
    yield distribution(none, symbols=4, precision=6)(shape=50)
    yield distribution(one, symbols=32, precision=16)(np.arange(1, 33))
    yield distribution(three, symbols=16, precision=12)(np.arange(9)[:, None], 3, np.arange(0, 4000, 500))

result = []
for codec in codes():
    message = Message()
    Uniform(1 << 28, 30).push(message, np.arange(30) * 8765432 + 99)
    x = codec.pop(message)
    message = Message()
    codec.push(message, x)
    received = Message.from_bytes(message.to_bytes())
    assert (codec.pop(received) == x).all()
    received.verify_end()
    result.append([x.reshape(-1).tolist(), message.to_bytes().hex()])
print(json.dumps(result))
"""
HELPERS = """
import numba

@numba.njit
def shape(k, peak):
    return (k * k << 16) // (peak * peak) if k < peak else 1 << 16
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "helpers.py").write_text(HELPERS)
    return tmp_path / "script.py"


def run(script: Path, **environment: str) -> Any:
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "NUMBA_CACHE_DIR": str(script.parent / "cache"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_fresh_processes_and_plain_python_write_the_same(script: Path) -> None:
    first = run(script)
    files = sorted(p.name for p in script.parent.glob("cache/**/*.nbc"))
    assert run(script) == first
    # the second process found everything that the first had compiled
    assert sorted(p.name for p in script.parent.glob("cache/**/*.nbc")) == files
    assert run(script, NUMBA_DISABLE_JIT="1") == first


def test_a_changed_helper_changes_the_result(script: Path) -> None:
    first = run(script)
    helpers = script.with_name("helpers.py")
    times = helpers.stat()
    helpers.write_text(HELPERS.replace("(k * k << 16) // (peak * peak)", "(k * 1 << 16) // (peak * 1)"))
    # not even a file of the same age and name is taken for the same
    os.utime(helpers, ns=(times.st_atime_ns, times.st_mtime_ns))
    for pycache in script.parent.glob("__pycache__/helpers*"):
        pycache.unlink()
    second = run(script)
    assert [a == b for a, b in zip(first, second, strict=True)] == [True, False, True]
    assert run(script, NUMBA_DISABLE_JIT="1") == second


def compiled(source: str, **names: Any) -> Any:
    """The function `f` of a source text, compiled."""
    scope = {"numba": numba, "np": np, **names}
    exec(source, scope)
    return scope["f"]


PAIRS = [
    ("def f(k): return k * 1 + 23", "def f(k): return k * 12 + 3"),
    ("def f(k): return np.int32(k)", "def f(k): return np.int64(k)"),
    ("def f(k): return np.floor(k / 3)", "def f(k): return np.ceil(k / 3)"),
    ("def f(k): return one(k) - two(k)", "def f(k): return two(k) - one(k)"),
    ("def f(k): return k in (1, 2)", "def f(k): return k in (12,)"),
    ("def f(k): return k if k in {1, 2} else 0", "def f(k): return k if k in {1, 3} else 0"),
    ("def f(k, a): return k - a", "def f(k, a): return a - k"),
    ("def f(k): return one(k)", "def f(k): return two(k)"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_functions_that_say_something_else_have_another_fingerprint(one: str, other: str) -> None:
    helpers = {
        "one": numba.njit(compiled("def f(k): return k + 1")),
        "two": numba.njit(compiled("def f(k): return k + 2")),
    }
    prints = [fingerprint(numba.njit(compiled(source, **helpers))) for source in (one, other, one)]
    assert prints[0] != prints[1]
    assert prints[0] == prints[2]


@pytest.mark.parametrize(
    "source", ["def f(k): return g(k)", "def f(k): return m.g(k)", "def f(k): return h(k)", "def f(k): return m.h(k)"]
)
def test_what_a_function_calls_is_part_of_its_fingerprint(source: str) -> None:
    prints = []
    for text in ("def f(k, a=3): return k + a", "def f(k, a=4): return k + a", "def f(k, a=3): return k - a"):
        g = numba.njit(compiled(text))
        h = numba.njit(compiled("def f(k): return g(k) * 2", g=g))
        m = ModuleType("m")
        m.g, m.h = g, h  # type: ignore[attr-defined]
        prints.append(fingerprint(numba.njit(compiled(source, g=g, h=h, m=m))))
    assert len(set(prints)) == 3


@pytest.mark.parametrize("values", [([1, 2], [1, 3]), (5, 6), ((1, 23), (12, 3)), (1, 1.0), (True, 1)])
def test_what_a_function_reads_is_part_of_its_fingerprint(values: tuple[Any, Any]) -> None:
    prints = []
    for value in values:
        value = np.array(value) if isinstance(value, list) else value
        prints.append(fingerprint(numba.njit(compiled("def f(k): return x", x=value))))
    assert prints[0] != prints[1]


def test_the_file_of_an_intrinsic_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    """What it calls, and the operators beside it, are not seen otherwise."""
    intrinsic = """
from numba.core import types
from numba.extending import intrinsic
@intrinsic
def same(typing, k):
    return k(k), lambda context, builder, signature, arguments: helper(arguments[0])
def helper(value): return {}
"""
    prints = []
    for number, text in enumerate(["value", "value", "builder.neg(value)"]):
        path, scope = tmp_path / f"{number}.py", {}
        path.write_text(intrinsic.format(text))
        exec(compile(path.read_text(), str(path), "exec"), scope)
        prints.append(fingerprint(numba.njit(compiled("def f(k): return same(k)", same=scope["same"]))))
    assert prints[0] == prints[1]
    assert prints[0] != prints[2]


def test_intrinsics_that_are_made_alike_have_fingerprints_of_their_own(tmp_path: Path) -> None:
    """Of one file, one name and one shape: they differ in what they are closures over."""
    path, scope = tmp_path / "made.py", {}
    path.write_text("""
from numba.extending import intrinsic
def made(emit, count):
    def definition(typing, k):
        return k(k), lambda context, builder, signature, arguments: emit(builder, arguments[0], count)
    return intrinsic(definition)
one, same = (made(lambda builder, value, n: builder.add(value, n), 8) for _ in range(2))
other = made(lambda builder, value, n: builder.sub(value, n), 8)
wider = made(lambda builder, value, n: builder.add(value, n), 16)
""")
    exec(compile(path.read_text(), str(path), "exec"), scope)
    kernels = [
        numba.njit(compiled("def f(k): return g(k)", g=scope[name])) for name in ("one", "same", "other", "wider")
    ]
    one, same, *others = map(fingerprint, kernels)
    assert one == same
    assert len({one, *others}) == 3


@pytest.mark.skipif(PLAIN, reason="nothing is compiled")
def test_every_operation_of_vectors_has_a_name_and_a_fingerprint_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for name in lanes.__all__ if name != "Lanes"]
    assert [getattr(lanes, name)._name for name in names] == names
    prints = [fingerprint(numba.njit(compiled("def f(k): return g(k)", g=getattr(lanes, name)))) for name in names]
    assert len({*prints}) == len(names)
    kernel = numba.njit(compiled("def f(k): return g(k)", g=lanes.floored))
    before = fingerprint(kernel)
    monkeypatch.setattr(lanes.floored, "_defn", lanes.magnitude._defn)
    assert fingerprint(kernel) != before


def test_processes_that_save_at_the_same_time_do_not_mix_up_their_files(tmp_path: Path) -> None:
    # each has read the folder before the other writes: numba would give both the same file
    here, there = (_Files(str(tmp_path), "kernel", None) for _ in range(2))
    assert here.load("one") is None
    here.save("one", "code of one")
    there.save("two", "code of two")
    assert here.load("one") == there.load("one") == "code of one"
    assert here.load("two") == there.load("two") == "code of two"


def test_symbols_without_counts() -> None:
    @numba.njit
    def cdf(k, hole):
        return (k if k <= hole else k - 1) * 2 + (2 if k == 16 else 0)

    codec = distribution(cdf, symbols=16, precision=5)(5, shape=200)
    table = Categorical([2] * 5 + [0] + [2] * 9 + [4], shape=200)
    x = codec.pop(Message())
    np.testing.assert_array_equal(x, table.pop(Message()))
    assert set(x.tolist()) == set(range(16)) - {5}
    one, other = Message(), Message()
    codec.push(one, x)
    table.push(other, x)
    assert one.to_bytes() == other.to_bytes()
    with pytest.raises(EntropyError, match="outside the support"):
        codec.push(one, np.full(200, 5))
