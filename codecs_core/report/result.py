"""What a bench finds, and how it looks in a notebook."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from codecs_core.report.html import table


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured file.

    Parameters
    ----------
    codec, model
        Id, and the name of the model or ``""``.
    settings
        Those of the codec's settings that are not what they are by default.
    layout
        ``"per item"`` (a chunk an item), ``"solid"`` (one chunk an array) or ``"N a chunk"`` (as the codec likes it).
    bytes, payload
        Size of the file, and of the compressed data in it.
    model_bytes
        Size of the model, which the file names and does not hold.
    bits_per_value, payload_bits_per_value
        Of `bytes` and of `payload`.
    encode_mb_s, decode_mb_s
        Megabytes (10^6) of array a second.
    identical
        Whether the file decodes to the arrays, to the last bit.
    path
        Where the file was kept.
    """

    codec: str
    settings: dict[str, Any]
    layout: str
    model: str
    bytes: int
    payload: int
    model_bytes: int
    chunks: int
    bits_per_value: float
    payload_bits_per_value: float
    encode_seconds: float
    decode_seconds: float
    encode_mb_s: float
    decode_mb_s: float
    identical: bool
    path: str | None

    @property
    def name(self) -> str:
        """The codec with its settings, such as ``ar.array effort=fast``."""
        return " ".join([self.codec, *(f"{key}={value}" for key, value in self.settings.items())])


@dataclass(kw_only=True)
class Group:
    """Arrays of one kind, which every codec is measured on together; `rows` are sorted by size."""

    name: str
    dtype: str
    arrays: int
    shape: tuple[int, ...] | None
    values: int
    nbytes: int
    rows: list[Row] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)


@dataclass(kw_only=True)
class Result:
    """What `run` found."""

    groups: list[Group]

    @property
    def rows(self) -> list[Row]:
        """The rows of all groups."""
        return [row for group in self.groups for row in group.rows]

    @property
    def ok(self) -> bool:
        """Whether every file decoded to its arrays and no codec failed in a way it should not."""
        return all(row.identical for row in self.rows) and not any(
            one["kind"] == "failed" for group in self.groups for one in group.left_out
        )

    def report(self) -> dict[str, Any]:
        """As JSON: ``{"groups": [{"name", "dtype", "shape", "values", "bytes", "rows": [...], "left_out": [...]}]}``."""
        described = [asdict(group) for group in self.groups]
        for one in described:
            one["bytes"] = one.pop("nbytes")
        return {"groups": described, "ok": self.ok}

    def _repr_html_(self) -> str:
        return "".join(_html(group) for group in self.groups)


def _html(group: Group) -> str:
    heads = ("codec", "layout", "model", "bytes", "bits/value", "payload", "encode MB/s", "decode MB/s", "identical")
    rows = [
        (
            row.name,
            row.layout,
            row.model or "-",
            f"{row.bytes:,}",
            f"{row.bits_per_value:.3f}",
            f"{row.payload_bits_per_value:.3f}",
            f"{row.encode_mb_s:.3g}",
            f"{row.decode_mb_s:.3g}",
            "yes" if row.identical else "NO",
        )
        for row in group.rows
    ]
    arrays = f"{group.arrays:,} arrays" if group.arrays > 1 else "one array"
    return table(f"{group.name}: {arrays}, {group.dtype}, {group.nbytes:,} bytes", heads, rows, right="lllrrrrrl")
