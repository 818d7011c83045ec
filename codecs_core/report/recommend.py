"""Which codec to take for some data, from what a bench measured: what it gains, what it costs, and the line that uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codecs_core.report.result import Group, Result, Row

#: A codec is fast if it encodes and decodes this number of megabytes a second.
FAST = 20.0
#: Sizes are compared with the first of these codecs that was measured.
USUAL = ("classic.zstd", "classic.zlib", "classic.lzma")


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """A codec for a kind of array.

    Parameters
    ----------
    data
        Name of the kind.
    purpose
        ``"smallest"``, or ``"smallest of the fast"``: those of 20 MB/s and more, both ways.
    codec, settings, model
        What to take.
    bytes, bits_per_value
        Of the whole file.
    against, saved
        What the size is compared with, and the share of its bytes that the recommended codec saves; negative if it needs more.
    encode_mb_s, decode_mb_s
        Megabytes (10^6) of array a second.
    command, python, zarr
        How to use it: on the command line, from Python, and as arguments of ``zarr.create_array``.
    """

    data: str
    purpose: str
    codec: str
    settings: dict[str, Any]
    model: str
    bytes: int
    bits_per_value: float
    against: str
    saved: float
    encode_mb_s: float
    decode_mb_s: float
    command: str
    python: str
    zarr: str

    def __str__(self) -> str:
        name = " ".join([self.codec, *(f"{key}={value}" for key, value in self.settings.items())])
        model = f" with model {self.model}" if self.model else ""
        change = f"{abs(self.saved):.1%} {'smaller' if self.saved >= 0 else 'larger'} than {self.against}"
        return "\n".join(
            [
                f"{self.data}, {self.purpose}: {name}{model}",
                f"  {self.bytes:,} bytes, {self.bits_per_value:.3f} bits/value, {change};"
                f" encodes {self.encode_mb_s:.3g} MB/s, decodes {self.decode_mb_s:.3g} MB/s",
                f"  shell:  {self.command}",
                f"  python: {self.python}",
                f"  zarr:   {self.zarr}",
            ]
        )


def recommendations(result: Result) -> list[Recommendation]:
    """For each kind of array the smallest codec, and the smallest of the fast ones if that is another.

    Only codecs whose files decoded to the arrays are recommended.
    """
    found = []
    for group in result.groups:
        rows = sorted((row for row in group.rows if row.identical), key=lambda row: row.bytes)
        fast = [row for row in rows if min(row.encode_mb_s, row.decode_mb_s) >= FAST]
        if rows:
            found.append(_recommend(group, rows[0], "smallest"))
        if fast and fast[0] is not rows[0]:
            found.append(_recommend(group, fast[0], "smallest of the fast"))
    return found


def _recommend(group: Group, row: Row, purpose: str) -> Recommendation:
    against, size = _usual(group)
    chunk = 1 if row.layout == "per item" and row.chunks > group.arrays else None
    arguments = [repr(row.codec), *(f"{key}={value!r}" for key, value in row.settings.items())]
    model = row.model.rpartition("/")[2]
    arguments += [f"model={model!r}"] if model else []
    options = [f"--codec {row.codec}", *(f"--set {key}={value}" for key, value in row.settings.items())]
    options += [f"--model {model}"] if model else []
    options += [f"--chunk {chunk}"] if chunk else []
    chunks = f", chunk={chunk}" if chunk else ""
    return Recommendation(
        data=group.name,
        purpose=purpose,
        codec=row.codec,
        settings=row.settings,
        model=row.model,
        bytes=row.bytes,
        bits_per_value=row.bits_per_value,
        against=against,
        saved=1 - row.bytes / size,
        encode_mb_s=row.encode_mb_s,
        decode_mb_s=row.decode_mb_s,
        command=f"codecs encode DATA DATA.ccf {' '.join(options)}",
        python=f"codecs_core.save('DATA.ccf', array, codec=codecs_core.get_codec({', '.join(arguments)}){chunks})",
        zarr=f"serializer=codecs_core.adapters.zarr.CodecsCore({', '.join(arguments)}), compressors=None",
    )


def _usual(group: Group) -> tuple[str, int]:
    """The codec that sizes are compared with, and its size; without one the values as they are."""
    for id in USUAL:
        if sizes := [row.bytes for row in group.rows if row.codec == id and row.identical]:
            return id, min(sizes)
    return "the values as they are", group.nbytes
