"""The engine of `codecs bench`: each codec on the same arrays, as whole files, decoded again and compared.

Sizes are those of files, with everything that is in them. Speeds are of the whole way from arrays in memory to a file
and back, in a warm process: a run on a small part comes first, so that neither imports nor compilation count.
"""

from __future__ import annotations

import re
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core import api, models
from codecs_core.api.chunks import usual
from codecs_core.arrays import ArraySpec, normalise
from codecs_core.errors import CodecsError, ConfigError, OutputError, UnsupportedArrayError
from codecs_core.media.kinds import is_image
from codecs_core.registry import Registry, default
from codecs_core.report.result import Group, Result, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from codecs_core.codec import Codec, Progress
    from codecs_core.media import Source

#: About how many bytes a codec is warmed up on.
_WARM_UP = 1 << 15
#: Levels of codecs that have a setting ``effort``, where all are asked for.
_EFFORTS = ("fast", "standard", "smallest")
#: "solid" is one chunk an array, up to this many bytes.
_SOLID = 1 << 30


@dataclass(frozen=True, kw_only=True)
class _Contender:
    codec: Codec
    layout: str
    chunk: int | None


def run(
    sources: Mapping[str, Source],
    *,
    codecs: Sequence[str] = (),
    model: str | None = None,
    limit: int | None = None,
    efforts: bool = False,
    keep: Path | None = None,
    progress: Progress | None = None,
    registry: Registry | None = None,
) -> Result:
    """Measure codecs on arrays.

    Parameters
    ----------
    sources
        The arrays. Those of one dtype and number of axes are measured together.
    codecs
        Ids; by default every installed lossless codec that takes the arrays. Codecs without a model are measured
        per item and solid, codecs with one as they like it, once for each model that ships for them.
    model
        The model of the codecs that take one, instead of those.
    limit
        Measure only this number of first items of each array.
    efforts
        Measure codecs that have a setting ``effort`` at each of its levels.
    keep
        Folder to keep the files in.
    progress
        Called with the fraction done and a message.
    registry
        Where codecs come from; by default the installed plugins.

    Raises
    ------
    CodecsError
        If a codec or model that was named cannot be had, or no codec takes any of the arrays.
    """
    if keep is not None:
        there = keep.exists()
        try:
            keep.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"folder {keep} cannot be made: {error.strerror or error}") from error
    try:
        return _run(sources, codecs, model, limit, efforts, registry, keep, progress)
    finally:
        if keep is not None and not there:
            with suppress(OSError):  # it holds files
                keep.rmdir()


def _run(
    sources: Mapping[str, Source],
    codecs: Sequence[str],
    model: str | None,
    limit: int | None,
    efforts: bool,
    registry: Registry | None,
    keep: Path | None,
    progress: Progress | None,
) -> Result:
    """What `run` does, in a folder that is there."""
    known = registry or default()
    if model is not None and codecs and not any(known.spec(id).info.needs_model for id in codecs):
        raise ConfigError(f"a model is given, but {' and '.join(codecs)} takes none; drop --model")
    result = Result(groups=[])
    found = list(kinds(sources, limit))
    if not found:
        raise UnsupportedArrayError("the data has no values that a codec could be measured on")
    for k, (group, arrays, whole) in enumerate(found):
        result.groups.append(group)
        contenders = _contenders(group, arrays, whole, codecs, model, known, efforts=efforts)
        for n, contender in enumerate(contenders):
            if progress is not None:
                progress((k + n / len(contenders)) / len(found), f"{contender.codec.id}, {contender.layout}")
            _measure_into(group, contender, arrays, keep, known)
        group.rows.sort(key=lambda row: (row.bytes, row.codec, row.layout))
    if not result.rows:
        reasons = "; ".join(sorted({one["why"] for group in result.groups for one in group.left_out})[:3])
        raise UnsupportedArrayError(f"no codec could be measured on this data{': ' + reasons if reasons else ''}")
    return result


# --- what is measured ---------------------------------------------------------------------------


def kinds(
    sources: Mapping[str, Source], limit: int | None = None
) -> Iterator[tuple[Group, dict[str, NDArray[Any]], bool]]:
    """The arrays by kind; the flag says that each is one item (an image), not items along an axis."""
    kinds: dict[tuple[Any, ...], list[Source]] = {}
    for source in sources.values():
        image = is_image(source.attrs)
        colour = source.spec.shape[2:] if image else ()
        kinds.setdefault((source.spec.dtype, len(source.spec.shape), image, colour), []).append(source)
    for (dtype, _, image, _), members in kinds.items():
        if image and limit is not None:
            members = members[:limit]
        cut = slice(None) if image or limit is None else slice(limit)
        arrays = {s.name: normalise(s.read()[cut] if s.spec.shape else s.read()) for s in members}
        values = sum(array.size for array in arrays.values())
        if not values:
            continue
        first = next(iter(arrays.values()))
        group = Group(
            name=members[0].name or members[0].path.name
            if len(members) == 1
            else members[0].path.parent.name or "data",
            dtype=dtype,
            arrays=len(arrays),
            shape=first.shape if len({array.shape for array in arrays.values()}) == 1 else None,
            values=values,
            nbytes=sum(array.nbytes for array in arrays.values()),
        )
        yield group, arrays, image or not first.ndim


def _contenders(
    group: Group,
    arrays: Mapping[str, NDArray[Any]],
    whole: bool,
    ids: Sequence[str],
    model: str | None,
    known: Registry,
    *,
    efforts: bool,
) -> list[_Contender]:
    specs = [ArraySpec.of(array) for array in arrays.values()]
    found: list[_Contender] = []
    for id in ids or sorted(known.codecs):
        try:
            info = known.spec(id).info
            if not ids and (info.kind != "lossless" or not all(info.accepts(spec) for spec in specs)):
                continue
            for codec in _levels(_instances(id, model, known, named=bool(ids)), all_of_them=efforts):
                try:
                    layouts = _layouts(codec, specs, whole)
                    for _, chunk in layouts:
                        for spec in specs:
                            codec.check(_first_chunk(spec, chunk or usual(codec, spec)))
                except UnsupportedArrayError as error:  # another model of the same codec may take them
                    _leave_out(group, id, "unsupported", error)
                else:
                    found += [_Contender(codec=codec, layout=layout, chunk=chunk) for layout, chunk in layouts]
        except CodecsError as error:
            if ids:
                raise
            _leave_out(group, id, "unsupported" if isinstance(error, ConfigError) else "failed", error)
    return found


def _instances(id: str, model: str | None, known: Registry, *, named: bool) -> Iterator[Codec]:
    info = known.spec(id).info
    if not info.needs_model:
        yield api.get_codec(id, registry=known)
        return
    if model is not None:
        loaded = models.resolve(model, codec=known.models_of(id) if named else None, registry=known)
        if loaded.codec == known.models_of(id):
            yield api.get_codec(id, model=loaded, registry=known)
        return
    specs = known.models_for(id)
    if not specs:
        raise ConfigError(f"codec {id} needs a model and none ships with it; name one with --model")
    for spec in specs:
        yield api.get_codec(id, model=models.installed(spec), registry=known)


def _levels(codecs: Iterable[Codec], *, all_of_them: bool) -> Iterator[Codec]:
    """Each codec, or if it has levels of effort and all are asked for, the codec at each level."""
    for codec in codecs:
        found = []
        if all_of_them and any(field.name == "effort" for field in fields(codec)):
            for effort in _EFFORTS:
                with suppress(ConfigError):  # a third-party codec may have other levels
                    found.append(type(codec).from_config({**codec.config(), "effort": effort}, model=codec.model))
        yield from found or [codec]


def _layouts(codec: Codec, specs: Sequence[ArraySpec], whole: bool) -> list[tuple[str, int | None]]:
    """Names of layouts and items a chunk."""
    longest = max(spec.shape[0] if spec.shape else 1 for spec in specs)
    room = min(_SOLID // max(1, spec.nbytes // max(1, spec.shape[0] if spec.shape else 1)) for spec in specs)
    solid = max(1, min(longest, room))
    if codec.info.needs_model:
        chunk = max(usual(codec, spec) for spec in specs)
        return [("solid" if chunk >= longest else f"{chunk:,} a chunk", None)]
    if whole:
        return [("per item", solid)]
    return [("per item", 1), ("solid", solid)] if solid > 1 else [("per item", 1)]


def _first_chunk(spec: ArraySpec, chunk: int) -> ArraySpec:
    return ArraySpec((min(chunk, spec.shape[0]), *spec.shape[1:]), spec.dtype) if spec.shape else spec


# --- measuring ----------------------------------------------------------------------------------


def _measure_into(
    group: Group, contender: _Contender, arrays: Mapping[str, NDArray[Any]], keep: Path | None, known: Registry
) -> None:
    codec = contender.codec
    try:
        with tempfile.TemporaryDirectory(prefix="codecs-bench-") as folder:
            set_to = [str(value) for value in settings(codec).values()]
            name = "-".join(filter(None, [group.name, codec.id, *set_to, _model_name(codec), contender.layout]))
            file = re.sub(r"[^\w.-]+", "-", name).strip("-.") + ".ccf"
            path = (keep or Path(folder)) / file
            _warm_up(contender, arrays, Path(folder) / "warm-up.ccf", known)
            group.rows.append(_measure(contender, arrays, path, known, kept=keep is not None))
    except UnsupportedArrayError as error:
        _leave_out(group, codec.id, "unsupported", error)
    except OutputError:  # a full disk is no codec's fault
        raise
    except Exception as error:  # one broken codec does not end the comparison
        _leave_out(group, codec.id, "failed", error)


def _measure(
    contender: _Contender, arrays: Mapping[str, NDArray[Any]], path: Path, known: Registry, *, kept: bool
) -> Row:
    codec = contender.codec
    start = time.perf_counter()
    info = api.save(path, arrays, codec=codec, chunk=contender.chunk, registry=known)
    encoded = time.perf_counter()
    decoded = api.load(path, models=codec.model, registry=known)
    ended = time.perf_counter()
    back = decoded if isinstance(decoded, dict) else {"": decoded}
    values, nbytes = sum(a.size for a in arrays.values()), sum(a.nbytes for a in arrays.values())
    return Row(
        codec=codec.id,
        settings=settings(codec),
        layout=contender.layout,
        model=_model_name(codec),
        bytes=path.stat().st_size,
        payload=info["bytes"]["payload"],
        model_bytes=len(codec.model.data) if codec.model is not None else 0,
        chunks=sum(entry["chunks"] for entry in info["entries"]),
        bits_per_value=8 * path.stat().st_size / values,
        payload_bits_per_value=8 * info["bytes"]["payload"] / values,
        encode_seconds=encoded - start,
        decode_seconds=ended - encoded,
        encode_mb_s=nbytes / 1e6 / (encoded - start),
        decode_mb_s=nbytes / 1e6 / (ended - encoded),
        identical=back.keys() == arrays.keys() and all(_same(back[name], arrays[name]) for name in arrays),
        path=str(path) if kept else None,
    )


def _warm_up(contender: _Contender, arrays: Mapping[str, NDArray[Any]], path: Path, known: Registry) -> None:
    array = next(iter(arrays.values()))
    items = max(1, len(array) * _WARM_UP // max(1, array.nbytes)) if array.ndim else 1
    try:
        api.save(path, array[:items] if array.ndim else array, codec=contender.codec, registry=known)
        api.load(path, models=contender.codec.model, registry=known)
    except CodecsError:
        # A part of an array may be nothing that the codec takes; the whole will tell.
        return


def _same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """To the last bit: NaNs and signs of zero count."""
    return a.shape == b.shape and a.dtype == b.dtype and bool((_bytes(a) == _bytes(b)).all())


def _bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def settings(codec: Codec) -> dict[str, Any]:
    """The settings of a codec that are not what they are by default."""
    usual = {field.name: field.default for field in fields(codec)}
    return {name: value for name, value in codec.config().items() if value != usual.get(name)}


def _model_name(codec: Codec) -> str:
    return "" if codec.model is None else codec.model.name or codec.model.sha256[:12]


def _leave_out(group: Group, id: str, kind: str, error: Exception) -> None:
    why = str(error) if isinstance(error, CodecsError) else f"{type(error).__name__}: {error}"
    one = {"codec": id, "kind": kind, "why": why}
    if one not in group.left_out:
        group.left_out.append(one)
