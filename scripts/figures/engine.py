"""Tables of what codecs are made of and stand in: the entropy coder, exact networks, compiling, files, zarr."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cells import markdown, spread


def entropy_table(found: dict[str, Any]) -> str:
    """The entropy coder: a line for each distribution, then lengths."""
    rows, speeds, more = found["entropy"]["rows"], {}, []
    for row in rows:
        name, _, way = row["name"].partition(": ")
        way, _, making = way.partition(", ")
        if row["unit"] == "M symbols/s" and way in ("encode", "decode") and not name.startswith("two threads"):
            speeds.setdefault(f"{name}, {making}" if making else name, {})[way] = row
        if name == "length over information content":
            more.append(row["ours"])

    def cells(ways: dict[str, Any]) -> Iterable[str]:
        for way in ("encode", "decode"):
            row = ways.get(way)
            yield "" if row is None else f"{row['ours']:.3g}"
            yield "" if row is None or row["best"] is None else f"{row['best']:.1f}"
            yield "" if row is None or row["target"] is None else str(row["target"])

    heads = ["million symbols a second", "encode", "ratio", "target", "decode", "ratio", "target"]
    table = markdown(heads, [[name, *cells(ways)] for name, ways in sorted(speeds.items())])
    lengths = (
        f"Messages of a million symbols are {spread(more, '{:.1f}')} bytes longer than their information content, "
        f"for {len(more)} distributions."
    )
    about = found["entropy"]["machine"]
    on = f"{about['cpu']}, numpy {about['numpy']}, numba {about['numba']}, constriction {about['constriction']}."
    return f"{table}\n\n{lengths} {on}"


def exact_table(found: dict[str, Any]) -> str:
    """Exact networks: speeds, then what freezing costs."""
    ways = ("layer", "network", "in parts", "float64", "product")

    def speeds(row: dict[str, Any]) -> list[str]:
        count, side, _ = row["size"]
        torch = max(row["torch"], row["torch, channels last"])
        return [
            str(row["channels"]),
            f"{count} of {side} x {side}",
            *(f"{row[way]:.0f}" for way in ways),
            f"{torch:.0f}",
        ]

    fast = markdown(["channels", "images", *ways, "torch"], [speeds(row) for row in found["speeds"]], left=2)
    untrained = {(r["weight_bits"], r["activation_bits"]): r for r in found["frozen"] if not r["trained"]}
    frozen = markdown(
        ["weights", "activations", "untrained", "at most", "trained", "at most", "layers of the trained one"],
        [
            [
                *(f"{r['weight_bits']} bits", f"{r['activation_bits']} bits"),
                *(
                    f"{part:.1%}"
                    for of in (untrained[r["weight_bits"], r["activation_bits"]], r)
                    for part in (of["error"], of["largest"])
                ),
                r["layers"],
            ]
            for r in found["frozen"]
            if r["trained"]
        ],
    )
    return f"{fast}\n\n{frozen}"


def zarr_table(found: dict[str, Any]) -> str:
    """Integrations: a line for each figure."""
    names = {
        "read_back_identical": "read back in a fresh process, identical",
        "same_bytes_as_one_process": "files of the store, the same bytes as those that one process wrote",
        "zarr_bytes": "bytes of the store, `zarr.json` included",
        "container_bytes": "bytes of the `.ccf` file of the same chunks",
        "zarr_over_container": "the store over the file",
        "item_identical": "one image of the file, read as if it were remote, identical",
        "requests": "its requests: the start, the end, the chunk",
        "bytes_fetched": "bytes fetched, in all",
        "bytes_of_the_chunk": "bytes of the chunk",
        "bytes_of_header_and_index": "bytes of header and index, which are in the rest",
        "import_zarr_loads_nothing_of_ours": "`import zarr` loads nothing of this project",
        "one_process_seconds": "seconds to write the array, one process",
        "two_workers_seconds": "the same, two workers, which also decode the file",
    }

    def cell(value: Any) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"

    zarr = found["zarr"]
    rows = {name: f"{zarr[key]:+.2%}" if "over" in key else cell(zarr[key]) for key, name in names.items()}
    return markdown(["", ""], [list(row) for row in rows.items()])


def compiling_table(found: dict[str, Any]) -> str:
    """The first use of each codec, and the next one."""
    rows = [
        [name, f"{seconds['compiling']:.1f}", f"{seconds['encoding']:.1f}"]
        for name, codec in found.items()
        for seconds in codec.values()
    ]
    return markdown(["CPU seconds", "compiling", "encoding a sample, the start of the program included"], rows)


def entries_table(found: dict[str, Any]) -> str:
    """Bytes beside payloads, then files of many entries."""
    names = {
        "array": "one array of one chunk",
        "folded": "the same in a file of up to 4096 bytes",
        "chunk": "each further chunk",
        "entry": "each further entry of one chunk",
    }
    files = found["entries"]
    beside = markdown(
        ["bytes beside payloads", ""], [[name, f"{files['beside'][key]:.0f}"] for key, name in names.items()]
    )
    ways = {
        "write": "writing it",
        "open": "opening it",
        "find": "opening it and a hundred entries",
        "info": "`codecs info`",
    }
    kinds = {"bare": "without attributes", "pictures": "with those of pictures"}
    many = markdown(
        [f"a file of {files['entries']:,} entries: CPU seconds, MiB", *kinds.values()],
        [
            [name, *(f"{files[kind][key]['seconds']:.1f}, {files[kind][key]['mib']:.0f}" for kind in kinds)]
            for key, name in ways.items()
        ],
    )
    return f"{beside}\n\n{many}"
