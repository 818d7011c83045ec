"""A container as one page of HTML: entries, thumbnails, codecs, models, and where the bytes go.

The page holds everything it shows and no script; its content security policy forbids scripts and every address. All text of the file is
escaped.
"""

from __future__ import annotations

import base64
import html
import json
import math
from typing import TYPE_CHECKING, Any

from codecs_core.errors import CodecsError
from codecs_core.report.html import SHOWN, table
from codecs_core.report.thumbnail import of_array, png

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codecs_core.api.opening.file import File

#: Entries that get a picture, and bytes that may be decoded for all of them together.
PICTURES, DECODED = 100, 1 << 28
#: Characters of attributes that are shown of an entry.
_ATTRS = 4000
_COLOURS = {"payload": "#3b6ea8", "models": "#c98b2b", "header": "#7a9e5a", "index": "#a8a8a8"}
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #222; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
caption { font-weight: 600; padding-bottom: .3rem; white-space: nowrap; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd; vertical-align: top; overflow-wrap: anywhere; }
.bar { display: flex; height: 1.6rem; border-radius: .3rem; overflow: hidden; margin: 1rem 0 .3rem; }
.key span { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; margin: 0 .3rem 0 1rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; }
figure { margin: 0; font-size: .8rem; overflow-wrap: anywhere; }
img { image-rendering: pixelated; max-width: 100%; min-width: 4rem; border: 1px solid #ccc; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b; } th, td { border-color: #444; } }
"""


def page(file: File) -> str:
    """The page of an open file, as text of HTML."""
    info = file.info()
    body = "\n".join(
        [_head(info), _bytes(info), _codecs(info), _entries(info), _pictures(file, info), _models(info), _attrs(info)]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(info['path'])}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _head(info: dict[str, Any]) -> str:
    rate = "" if info["bits_per_value"] is None else f", {info['bits_per_value']:.3f} bits per value, all included"
    arrays = f"{len(info['entries']):,} array{'s' * (len(info['entries']) != 1)}"
    text = f"{info['format']}, {arrays}, {info['values']:,} values, {info['bytes']['total']:,} bytes{rate}"
    return f"<h1>{html.escape(info['path'])}</h1>\n<p>{html.escape(text)}</p>"


def _bytes(info: dict[str, Any]) -> str:
    """A bar of where the bytes go, and its key."""
    total = max(1, info["bytes"]["total"])
    parts = [(name, info["bytes"][name], colour) for name, colour in _COLOURS.items() if info["bytes"][name]]
    bar = "".join(f'<div style="width: {100 * n / total:.3f}%; background: {colour}"></div>' for _, n, colour in parts)
    key = "".join(
        f'<span style="background: {colour}"></span>{name} {n:,} ({100 * n / total:.1f} %)' for name, n, colour in parts
    )
    return f'<div class="bar">{bar}</div>\n<p class="key">{key}</p>'


def _codecs(info: dict[str, Any]) -> str:
    sums: dict[tuple[str, str], list[int]] = {}
    for entry in info["entries"]:
        one = sums.setdefault((entry["codec"], _model_name(entry)), [0, 0, 0])
        for k, n in enumerate((1, math.prod(entry["shape"]), entry["bytes"])):
            one[k] += n
    rows = [
        (codec, model, f"{n:,}", f"{values:,}", f"{stored:,}", f"{8 * stored / values:.3f}" if values else "-")
        for (codec, model), (n, values, stored) in sums.items()
    ]
    return table("Codecs", ("codec", "model", "arrays", "values", "bytes", "bits/value"), rows, right="llrrrr")


def _entries(info: dict[str, Any]) -> str:
    largest = sorted(info["entries"], key=lambda entry: -entry["bytes"])
    rows = [
        (
            entry["name"] or "(unnamed)",
            " × ".join(f"{n:,}" for n in entry["shape"]) or "one value",
            entry["dtype"],
            entry["codec"],
            _model_name(entry),
            f"{entry['chunks']:,}" + f", {entry['missing']:,} missing" * bool(entry["missing"]),
            f"{entry['bytes']:,}",
            "-" if entry["bits_per_value"] is None else f"{entry['bits_per_value']:.3f}",
        )
        for entry in largest[: 5 * SHOWN]
    ]
    more = len(largest) - len(rows)
    caption = "Arrays, the largest first" + f"; {more:,} smaller ones are not listed" * bool(more)
    heads = ("entry", "shape", "dtype", "codec", "model", "chunks", "bytes", "bits/value")
    return table(caption, heads, rows, right="lllllrrr")


def _pictures(file: File, info: dict[str, Any]) -> str:
    figures = list(_figures(file, info))
    return f'<h2>Pictures</h2>\n<div class="grid">{"".join(figures)}</div>' if figures else ""


def _figures(file: File, info: dict[str, Any]) -> Iterator[str]:
    left = DECODED
    for entry in info["entries"][:PICTURES]:
        view = file[entry["name"]]
        chunk = view.nbytes // max(1, view.n_chunks)
        if view.ndim < 2 or not view.size or chunk > left:
            continue
        left -= chunk
        caption = html.escape(entry["name"] or "(unnamed)")
        try:
            # the first chunk
            pixels = of_array(view[tuple(slice(n) for n in view.chunks)])
        except CodecsError as error:
            yield f"<figure>{caption}: {html.escape(str(error)[:200])}</figure>"
            continue
        data = base64.b64encode(png(pixels)).decode("ascii")
        yield f'<figure><img alt="" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'


def _models(info: dict[str, Any]) -> str:
    rows = [
        (
            model["name"] or "(unnamed)",
            model["sha256"],
            f"{model['bytes']:,} bytes" if model["embedded"] else "not in the file",
        )
        for model in info["models"]
    ]
    return table("Models", ("model", "SHA-256", "embedded"), rows) if rows else ""


def _attrs(info: dict[str, Any]) -> str:
    """Attributes of the file and of its first entries, folded."""
    found = [("the file", info["attrs"])] + [
        (entry["name"] or "(unnamed)", entry["attrs"]) for entry in info["entries"][:PICTURES]
    ]
    return "\n".join(
        f"<details><summary>Attributes of {html.escape(name)}</summary>"
        f"<pre>{html.escape(json.dumps(attrs, indent=1, ensure_ascii=False)[:_ATTRS])}</pre></details>"
        for name, attrs in found
        if attrs
    )


def _model_name(entry: dict[str, Any]) -> str:
    model = entry["model"]
    return "-" if model is None else str(model["name"] or model["sha256"][:12])
