"""Pictures of what codecs do: where the bytes are, what speed costs, and which pixels the bits go to.

Each function returns a `matplotlib.figure.Figure`, which shows itself in a notebook and has ``savefig``. Needs matplotlib:
``pip install 'codecs-core[bench]'``.
"""

from codecs_core.report.plots.album import save
from codecs_core.report.plots.drawing import check_matplotlib
from codecs_core.report.plots.heat import heat_maps
from codecs_core.report.plots.latents import buckets
from codecs_core.report.plots.sizes import bytes_by_codec, pareto, rate_and_speed
from codecs_core.report.plots.stacks import bitstreams, rate_along

__all__ = [
    "bitstreams",
    "buckets",
    "bytes_by_codec",
    "check_matplotlib",
    "heat_maps",
    "pareto",
    "rate_along",
    "rate_and_speed",
    "save",
]
