"""The committed vectors of the entropy coder are what the engine makes, and the engine decodes them."""

import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from codecs_core.entropy import Message
from codecs_core.entropy.tables import table

SPEC = Path(__file__).parents[2] / "spec"
VECTORS = SPEC / "vectors/entropy"

_found = importlib.util.spec_from_file_location("entropy_vectors_generate", VECTORS / "generate.py")
generate = importlib.util.module_from_spec(_found)
sys.modules[_found.name] = generate
_found.loader.exec_module(generate)

ALL = [(name, v) for name in generate.FILES for v in json.loads((VECTORS / f"{name}.json").read_text("utf-8"))]


def test_files_are_those_of_the_script():
    assert {p.stem for p in VECTORS.glob("*.json")} == set(generate.FILES)
    assert sum(p.stat().st_size for p in VECTORS.glob("*.json")) < 300_000


@pytest.mark.parametrize("name", generate.FILES)
def test_vectors_are_generated_again(name):
    assert generate.render(name) == (VECTORS / f"{name}.json").read_text("utf-8")


def test_vectors_are_generated_again_without_compilation():
    narrow = [name for name in generate.FILES if name != "wide"]
    code = (
        f"import runpy\nscript = runpy.run_path({str(VECTORS / 'generate.py')!r})\n"
        f"for name in {narrow!r}:\n"
        "    assert script['render'](name) == (script['HERE'] / f'{name}.json').read_text('utf-8'), name\n"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("vector", [pytest.param(v, id=f"{name}: {v['name']}") for name, v in ALL])
def test_engine_decodes(vector):
    if "error" in vector:
        assert generate.error_of(vector["codec"], vector["message"]) == vector["error"]
        return
    message = Message.from_bytes(bytes.fromhex(vector["message"]))
    x = generate.build(vector["codec"]).pop(message)
    message.verify_end()
    check_same(x, generate.shaped(vector["codec"], vector["symbols"]))


def check_same(x, expected):
    if isinstance(expected, tuple):
        for a, b in zip(x, expected, strict=True):
            check_same(a, b)
    else:
        np.testing.assert_array_equal(x, expected)


def types(codec):
    """The types of a codec and of those it consists of."""
    if isinstance(codec, dict):
        return (
            {codec["type"]} | set().union(*(types(part) for part in codec.values()), set())
            if "type" in codec
            else set()
        )
    return set().union(*(types(part) for part in codec)) if isinstance(codec, list) else set()


def test_every_codec_has_a_vector():
    from codecs_core import entropy

    public = {name: getattr(entropy, name) for name in entropy.__all__}
    codecs = {
        name for name, value in public.items() if isinstance(value, type) and issubclass(value, entropy.StackCodec)
    }
    assert set().union(*(types(v["codec"]) for _, v in ALL)) == codecs - {"StackCodec", "Distribution", "Information"}


def test_tables_of_the_text_are_those_of_the_engine():
    rows = re.findall(
        r"^\| `(\w+)` \| (\d+) \|.*\| `([0-9a-f]{64})` \|$", (SPEC / "entropy.md").read_text("utf-8"), re.M
    )
    assert len(rows) == 6
    for name, size, digest in rows:
        entries = table(name)
        assert entries.size == int(size)
        assert hashlib.sha256(entries.astype("<i8").tobytes()).hexdigest() == digest
