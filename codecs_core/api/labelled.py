"""Arrays of xarray: each variable and coordinate is an entry, and all else of it is in ``attrs["xarray"]``.

Of an entry that is ``dims``, ``attrs``, ``encoding``, whether it is a coordinate (``coord``) and whether that is an index
(``index``). The first entry has in ``whole`` what the Dataset or DataArray as a whole has. Text is stored as the numbers of its
characters, with one more axis.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.api.items import Held
from codecs_core.errors import ConfigError, InputError, MissingDependencyError, UnsupportedArrayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from codecs_core.api.items import Items

KEY = "xarray"
#: What of the encoding of a variable is kept: how it is packed and compressed in a file, not which file that was.
_ENCODING = (
    *("dtype", "_FillValue", "missing_value", "scale_factor", "add_offset", "units", "calendar", "coordinates"),
    *("grid_mapping", "chunksizes", "zlib", "complevel", "shuffle", "fletcher32", "compression", "compression_opts"),
    "unlimited_dims",
)
#: Kinds of numpy dtypes whose arrays can be an attribute.
_PLAIN = "biufcSUmM"


def is_labelled(data: Any) -> bool:
    """Whether `data` is a Dataset or a DataArray; nothing is imported to find out."""
    xarray = sys.modules.get("xarray")
    return xarray is not None and isinstance(data, xarray.Dataset | xarray.DataArray)


def items(data: Any) -> dict[str, Items]:
    """The variables of a Dataset or a DataArray by their names.

    Raises
    ------
    UnsupportedArrayError
        If it has something that could not be given back: a MultiIndex, values of Python objects other than text, attributes
        that are no numbers, text, arrays or lists of them.
    """
    import xarray

    whole: dict[str, Any] = {"kind": "Dataset"}
    if isinstance(data, xarray.DataArray):
        whole = {"kind": "DataArray", "name": _told(data.name, "its name"), "entry": _free(data)}
        data = data.to_dataset(name=whole["entry"])
    whole |= {"attrs": _attributes(data.attrs, "the Dataset"), "encoding": _encoding(data.encoding)}
    if not data.variables:
        raise UnsupportedArrayError("a Dataset without a variable has nothing to store")
    indexes = _indexes(data)
    found: dict[str, Items] = {}
    for name, variable in data.variables.items():
        if not isinstance(name, str) or not name:
            raise UnsupportedArrayError(f"a variable called {name!r} cannot be stored; rename it to some text")
        held, text = _held(name, variable)
        told = {
            "dims": [_told(dim, f"a dimension of {name!r}") for dim in variable.dims],
            "attrs": _attributes(variable.attrs, f"variable {name!r}"),
            "encoding": _encoding(variable.encoding),
            "coord": name in data.coords,
            "index": name in indexes,
            **text,
        }
        held.attrs[KEY] = told if found else {**told, "whole": whole}
        found[name] = held
    return found


def restore(path: str, arrays: Mapping[str, NDArray[Any]], attrs: Mapping[str, Mapping[str, Any]]) -> Any:
    """The Dataset or DataArray that was saved.

    Raises
    ------
    ConfigError
        If the file is not of one.
    InputError
        If its attributes are damaged.
    MissingDependencyError
        If xarray is missing.
    """
    if not all(isinstance(attrs[name].get(KEY), dict) for name in arrays) or not arrays:
        raise ConfigError(f"{path} was not saved from arrays of xarray; load it without xarray=True")
    try:
        import xarray
    except ImportError as error:
        raise MissingDependencyError(
            f"{path} as xarray has it takes xarray: pip install 'codecs-core[science]'"
        ) from error
    try:
        return _restored(xarray, arrays, {name: attrs[name][KEY] for name in arrays})
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the attributes of {path} make no Dataset: {error}; load it without xarray=True") from error


# --- to entries ----------------------------------------------------------------------------------


class _Lazy:
    """A variable that can be sliced; of one that is not in memory, nothing but the slice is read."""

    def __init__(self, variable: Any) -> None:
        self._variable = variable
        self.shape, self.dtype = variable.shape, variable.dtype
        self.chunks = variable.encoding.get("chunksizes") or variable.encoding.get("chunks")

    def __getitem__(self, where: Any) -> NDArray[Any]:
        return np.asarray(self._variable[where].values)


def _held(name: str, variable: Any) -> tuple[Held, dict[str, Any]]:
    """A variable, and how its text is stored if it is text."""
    dtype = variable.dtype
    if not isinstance(dtype, np.dtype):
        raise UnsupportedArrayError(f"variable {name!r} is of {dtype}, which cannot be stored; convert it first")
    if dtype.kind not in "OSUT":
        return Held(_Lazy(variable)), {}
    values = np.asarray(variable.values)
    if values.dtype.kind in "OT":
        if not all(type(one) is str for one in values.reshape(-1).tolist()):
            raise UnsupportedArrayError(
                f"variable {name!r} holds {dtype} values other than text, which cannot be stored; convert it to numbers, times or text"
            )
        kind = "object" if values.dtype.kind == "O" else "string"
        fixed = values.astype(str) if values.size else values.astype("U1")
        if (fixed.astype(object) != values.astype(object)).any():
            raise UnsupportedArrayError(f"variable {name!r} has text that ends in a NUL character, which would be lost")
        values = fixed
    else:
        kind = values.dtype.kind
    unit = np.dtype("<u4" if values.dtype.kind == "U" else "u1")
    length = max(1, values.dtype.itemsize // unit.itemsize)
    plain = np.ascontiguousarray(values, f"<{values.dtype.kind}{length}")
    return Held(plain.reshape(*values.shape, 1).view(unit)), {"text": kind}


def _free(data: Any) -> str:
    """A name for the entry of a DataArray, which is not that of a coordinate."""
    name = data.name if isinstance(data.name, str) and data.name else "data"
    while name in data.coords or name in data.dims:
        name += "-values"
    return name


def _indexes(data: Any) -> set[Any]:
    """The names of coordinates that are indexes, all of the plain kind."""
    import xarray

    for name, index in data.xindexes.items():
        if type(index) is not xarray.indexes.PandasIndex:
            raise UnsupportedArrayError(
                f"coordinate {name!r} belongs to a {type(index).__name__}, which cannot be stored; reset_index({name!r}) makes "
                "plain coordinates of it"
            )
    return set(data.xindexes)


def _attributes(attrs: Mapping[Any, Any], where: str) -> dict[str, Any]:
    if strange := [key for key in attrs if not isinstance(key, str)]:
        raise UnsupportedArrayError(f"{where} has an attribute called {strange[0]!r}, and only text can be a name here")
    return {key: _told(value, f"attribute {key!r} of {where}") for key, value in attrs.items()}


def _encoding(encoding: Mapping[Any, Any]) -> dict[str, Any]:
    """What of an encoding can be kept; the rest is about the file that it came from."""
    found = {}
    for key in _ENCODING:
        if key not in encoding:
            continue
        try:
            value = np.dtype(encoding[key]).str if key == "dtype" else encoding[key]
            found[key] = _told(sorted(value) if isinstance(value, set) else value, key)
        except (UnsupportedArrayError, TypeError):
            continue
    return found


def _told(value: Any, where: str) -> Any:
    """A value as a container holds it: what MessagePack has no type for is a map of one pair."""
    kind = type(value)
    if value is None or kind in (bool, str, bytes):
        return value
    if kind is int:
        return value if -(1 << 63) <= value < 1 << 64 else {"int": str(value)}
    if kind is float:
        return value if math.isfinite(value) else {"float": str(value)}
    if kind is list:
        return [_told(one, where) for one in value]
    if kind is tuple:
        return {"tuple": [_told(one, where) for one in value]}
    if kind is dict:
        return {"dict": _attributes(value, where)}
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in _PLAIN:
        array = np.asarray(value)
        told = [array.dtype.str, list(array.shape), array.tobytes()]
        return {"array" if isinstance(value, np.ndarray) else "scalar": told}
    raise UnsupportedArrayError(
        f"{where} is a {kind.__name__}, which cannot be stored; make it a number, text or an array"
    )


# --- and back ------------------------------------------------------------------------------------


def _restored(xarray: Any, arrays: Mapping[str, NDArray[Any]], told: dict[str, Any]) -> Any:
    variables = {
        name: xarray.Variable(
            [_value(dim) for dim in told[name]["dims"]],
            _text(array, told[name].get("text")),
            _values(told[name]["attrs"]),
            _values(told[name]["encoding"]),
        )
        for name, array in arrays.items()
    }
    coords = {name: variable for name, variable in variables.items() if told[name]["coord"]}
    data = {name: variable for name, variable in variables.items() if name not in coords}
    whole = next(one["whole"] for one in told.values() if "whole" in one)
    dataset = xarray.Dataset(data, xarray.Coordinates(coords, indexes={}), _values(whole["attrs"]))
    for name in coords:
        if told[name]["index"]:
            dataset = dataset.set_xindex(name)
        dataset[name].encoding = variables[name].encoding
    dataset.encoding = _values(whole["encoding"])
    if whole["kind"] == "Dataset":
        return dataset
    array = dataset[whole["entry"]]
    array.name = _value(whole["name"])
    return array


def _text(array: NDArray[Any], kind: Any) -> NDArray[Any]:
    """Text of the numbers that are stored for it; any other array as it is."""
    if kind is None:
        return array
    code = "S" if kind == "S" else "U"
    unit = np.dtype("u1" if code == "S" else "<u4")
    length = array.shape[-1]
    plain = np.ascontiguousarray(array, unit).view(f"<{code}{length}").reshape(array.shape[:-1])
    if kind in ("S", "U"):
        return plain.astype(plain.dtype.newbyteorder("="), copy=False)
    return plain.astype(object) if kind == "object" else plain.astype(np.dtypes.StringDType())


def _values(told: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _value(value) for key, value in told.items()}


def _value(told: Any) -> Any:
    """The inverse of `_told`."""
    if isinstance(told, list):
        return [_value(one) for one in told]
    if not isinstance(told, dict):
        return told
    ((kind, value),) = told.items()
    match kind:
        case "int":
            return int(value)
        case "float":
            return float(value)
        case "tuple":
            return tuple(_value(one) for one in value)
        case "dict":
            return _values(value)
        case "array" | "scalar":
            code, shape, data = value
            dtype = np.dtype(code)
            if dtype.kind not in _PLAIN:
                raise ValueError(f"an attribute of dtype {code}")
            array = np.frombuffer(data, dtype).reshape(shape)
            return array.copy() if kind == "array" else array[()]
    raise ValueError(f"an attribute of kind {kind!r}")
