"""What `codecs doctor` tells: what is installed, on what it runs, and whether it computes here what it must compute everywhere."""

from __future__ import annotations

import dataclasses
import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from codecs_core.api.parallel import job_count
from codecs_core.arrays import ArraySpec
from codecs_core.errors import CodecsError, DecodeMismatchError, UnsupportedArrayError
from codecs_core.fields import alternatives
from codecs_core.models import available, installed
from codecs_core.registry import default

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from codecs_core.codec import Codec
    from codecs_core.models import Model
    from codecs_core.registry import Registry

#: Distributions whose versions tell most of what a file depends on, and what may be missing.
PACKAGES = (
    *("codecs-core", "numpy", "numba", "llvmlite", "msgpack", "google-crc32c", "xxhash", "safetensors", "pluggy"),
    *("torch", "Pillow", "imagecodecs", "zstandard"),
)
#: Of the message that `_entropy` makes; a change of it is a change of the bitstream.
MESSAGE = "e3c10ce2a29f07b18ccb5a1120232abf"

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def diagnose(*, registry: Registry | None = None) -> dict[str, Any]:
    """Look at the installation and put it to the test; takes a few seconds, and raises for nothing that a plugin does.

    Parameters
    ----------
    registry
        Where codecs and models come from; by default the installed plugins.

    Returns
    -------
    dict
        ``{"ok", "faults": [text], "versions": {package: version | None}, "platform": {...}, "plugins": [...], "models":
        [...], "threads": {...}, "simd": {...}, "accelerator": {...}, "exactness": {"ok", "tests": [{"test", "ok",
        "error", "seconds"}]}}``.
    """
    registry = registry if registry is not None else default()
    plugins = [
        {"name": p.name, "distribution": p.distribution, "version": p.version, "state": p.state, "error": p.error}
        for p in registry.plugins
    ]
    models = _models(registry)
    tests = [timed(name, trial) for name, _, trial in trials(registry)]
    faults = [f"plugin {p['name']} of {p['distribution']} failed: {p['error']}" for p in plugins if p["error"]]
    faults += [f"codec {id} is claimed by {' and '.join(who)}" for id, who in registry.conflicts.items()]
    faults += [f"model {m['name']}: {m['error']}" for m in models if m["error"]]
    faults += [f"{t['test']}: {t['error']}" for t in tests if t["error"]]
    return {
        "ok": not faults,
        "faults": faults,
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "platform": {"system": platform.platform(), "machine": platform.machine()},
        "plugins": plugins,
        "models": models,
        "threads": {
            "usable": job_count(None),
            "cpus": os.cpu_count(),
            "variables": {name: os.environ[name] for name in _THREADS if name in os.environ},
        },
        "simd": _simd(),
        "accelerator": _accelerator(),
        "exactness": {"ok": all(t["ok"] for t in tests), "tests": tests},
    }


# --- what there is -------------------------------------------------------------------------------


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _models(registry: Registry) -> list[dict[str, Any]]:
    """The models that ship with plugins or lie in the store, each read and its hash compared."""
    plugged = {spec.resource: spec for spec in registry.models}
    found = []
    for record in available(registry):
        # a damaged one in the store has no codec, and says why in its summary
        error = None if record.codec else record.summary
        if record.source == "plugin":
            error = _caught(lambda where=record.where: installed(plugged[where]))  # type: ignore[misc]
        found.append(
            {
                "name": record.name,
                "codec": record.codec,
                "sha256": record.sha256,
                "source": record.source,
                "ok": error is None,
                "error": error,
            }
        )
    return found


def _simd() -> dict[str, Any]:
    """What numpy, its BLAS and numba compute with."""
    from llvmlite import binding  # type: ignore[import-untyped]

    from codecs_core.exact import blas

    shown: Any = np.show_config(mode="dicts")
    extensions = shown.get("SIMD Extensions", {})
    return {
        "baseline": extensions.get("baseline", []),
        "dispatched": extensions.get("found", []),
        "blas": shown.get("Build Dependencies", {}).get("blas", {}).get("name", ""),
        "blas_kernels": blas.core(),
        "numba_cpu": os.environ.get("NUMBA_CPU_NAME") or binding.get_host_cpu_name(),
    }


def _accelerator() -> dict[str, Any]:
    """What torch sees; a third-party plugin may use it."""
    from codecs_core.exact.accelerator import describe

    try:
        return describe()
    except Exception as error:  # a broken installation of torch is its own affair, until something is trained
        return {"devices": [], "error": f"{type(error).__name__}: {error}"}


# --- the test of exactness -----------------------------------------------------------------------


def trials(
    registry: Registry, use: Callable[[Codec, Model | None], None] | None = None
) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """What is tried out: its name, the id of the codec, and the trial; `use` is what it does with codec and model."""
    yield "entropy coder", "", _entropy
    use = use or _round_trip
    for id, spec in registry.codecs.items():
        models = registry.models_for(id)
        if not spec.info.needs_model:
            yield f"codec {id}", id, lambda id=id: use(registry.codec_class(id).from_config({}), None)  # type: ignore[misc]
        elif not models:
            yield f"codec {id}", id, lambda id=id: _import(id, registry)  # type: ignore[misc]
        for one in models:
            yield (
                f"codec {id} with model {one.name}",
                id,
                lambda id=id, one=one: use(*_with_model(id, installed(one), registry)),  # type: ignore[misc]
            )


def _import(id: str, registry: Registry) -> None:
    registry.codec_class(id)


def _with_model(id: str, model: Model, registry: Registry) -> tuple[Codec, Model]:
    """The networks of a model carry probes, which are compared when the codec loads them."""
    return registry.codec_class(id).from_config({}, model=model), model


def _entropy() -> None:
    """A message under every kind of distribution has the bytes that it has on every machine."""
    from codecs_core import entropy as e

    n, wide = 200, 17_000  # more than 2^14 are coded by sixteen heads
    ramp = np.arange(n)
    message = e.Message()
    for codec in (
        e.Uniform(1000, n),
        e.Bernoulli.from_log_odds(np.arange(wide) % 2048 - 1024, precision=22),
        e.CategoricalMixture(np.stack([ramp, 99 - ramp], 1), np.array([[1 << 17] * 2, [1, (1 << 18) - 1]])),
        e.BetaBinomial(255, 1 << ramp % 36, 1 << ramp % 31, precision=24),
        e.BucketedGaussian((ramp - 100) << 8, ramp - 200),
        e.DiscretizedGaussian(ramp << 8, ramp - 100),
        e.DiscretizedLaplace(ramp << 8, ramp - 100),
        e.LogisticMixture(np.stack([ramp, 99 - ramp], 1), np.stack([ramp << 7] * 2, 1), np.stack([ramp, ramp], 1)),
        e.FineGaussian(ramp << 20, ramp << 3),
        e.Zipf(90, n),
    ):
        drawn = codec.pop(e.Message())
        codec.push(message, drawn)
        copy = e.Message.from_bytes(message.to_bytes())
        if (np.asarray(codec.pop(copy)) != drawn).any():
            raise DecodeMismatchError(f"{type(codec).__name__} pops other symbols than were pushed")
    found = xxhash.xxh3_128_hexdigest(message.to_bytes())
    if found != MESSAGE:
        raise DecodeMismatchError(
            f"this machine makes another message, {found}, than all others, {MESSAGE}; do not encode here, and report it "
            f"with what `codecs doctor --json` prints"
        )


def _round_trip(codec: Codec, model: Model | None) -> None:
    """Something that the codec takes comes back; from a lossy codec, the same each time."""
    codec = dataclasses.replace(codec, **next(alternatives(codec)))
    for array in _samples(model):
        try:
            codec.check(ArraySpec.of(array))
        except UnsupportedArrayError:
            continue
        spec = ArraySpec.of(array)
        payload = codec.encode(array)
        decoded = codec.decode(payload, spec)
        expected = array if codec.info.kind == "lossless" else codec.decode(payload, spec)
        if codec.encode(array) != payload or decoded.tobytes() != expected.tobytes():
            raise DecodeMismatchError(f"codec {codec.id} does not decode what it encoded, or encodes it differently")
        return


def _samples(model: Model | None) -> Iterator[np.ndarray[Any, np.dtype[Any]]]:
    """Small arrays; every codec takes at least one of them."""
    item = model.config.get("item_shape") if model is not None else None
    shapes: list[tuple[int, ...]] = [(3, *item)] if isinstance(item, list) else []
    shapes += [(3, 8, 9, 3), (8, 9, 3), (8, 9), (3, 28, 28), (2, 32, 32, 3), (50,)]
    for shape in shapes:
        ramp = np.arange(np.prod(shape)).reshape(shape)
        for dtype in ("uint8", "uint16", "int32", "int64", "float32", "float64"):
            yield (ramp % 2).astype(dtype)


def timed(name: str, test: Callable[[], None]) -> dict[str, Any]:
    """The result of a trial, and how long it took."""
    start = time.perf_counter()
    error = _caught(test)
    return {
        "test": name,
        "ok": error is None,
        "error": error,
        "seconds": round(time.perf_counter() - start, 3),
    }


def _caught(action: Callable[[], object]) -> str | None:
    """What went wrong, whatever foreign code raised; Ctrl-C stays Ctrl-C."""
    try:
        action()
    except CodecsError as error:
        return str(error)
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {error}"
    return None
