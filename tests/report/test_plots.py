"""Pictures: what is drawn is what was measured, and every picture comes out as a file."""

import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core import media
from codecs_core.cli.app import app
from codecs_core.errors import ConfigError, OutputError
from codecs_core.report import bench, plots

rng = np.random.Generator(np.random.Philox(11))
DIGITS = (rng.random((40, 8, 7)) < 0.2).astype(np.uint8)
PHOTO = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
PHOTO[:, :16] = 7


def codecs(*ids):
    return {id: cc.get_codec(id) for id in ids}


@pytest.fixture
def digits(tmp_path):
    np.save(tmp_path / "digits.npy", DIGITS)
    return tmp_path / "digits.npy"


def test_all_of_them_from_the_command_line(tmp_path, digits):
    Image.fromarray(PHOTO).save(tmp_path / "photo.png")
    args = ["bench", str(digits), str(tmp_path / "photo.png"), "--plots", str(tmp_path / "plots")]
    args += ["--codec", "classic.zlib", "--codec", "classic.png"]
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in (tmp_path / "plots").iterdir())
    kinds = {"digits": ("bitstreams", "bytes", "chain", "speed"), "photo": ("bytes", "heat", "speed")}
    assert names == [f"{name}-{kind}.png" for name, some in kinds.items() for kind in some]
    for name in names:
        assert str(tmp_path / "plots" / name) in result.stdout
        with Image.open(tmp_path / "plots" / name) as image:
            assert len(image.convert("L").getcolors(256)) > 2


def test_bars_are_as_long_as_files(digits):
    result = bench.run(media.read([digits]), codecs=["classic.zlib", "classic.raw"])
    [group] = result.groups
    bars = plots.bytes_by_codec(group).axes[0].patches
    rows = group.rows[::-1]
    assert [bar.get_width() for bar in bars] == [r.payload for r in rows] + [r.bytes - r.payload for r in rows]
    points = plots.rate_and_speed(group).axes[1].collections[0].get_offsets()
    assert np.allclose(points, [(row.decode_mb_s, row.bits_per_value) for row in group.rows])


def test_the_front():
    speeds, rates = [1, 2, 3, 4, 2], [1.0, 3.0, 2.0, 5.0, 1.0]
    assert plots.pareto(speeds, rates) == [3, 2, 4]


def test_rate_along_a_stack():
    figure = plots.rate_along(DIGITS, codecs("classic.raw", "classic.zlib"), window=10)
    raw, zlib = figure.axes[0].lines
    assert set(raw.get_ydata()) == {8.0}
    codec = cc.get_codec("classic.zlib")
    last = 8 * (len(codec.encode(DIGITS)) - len(codec.encode(DIGITS[:30]))) / DIGITS[30:].size
    assert zlib.get_ydata()[-1] == last


def test_heat_maps_share_out_the_bits_of_the_image():
    figure = plots.heat_maps(PHOTO, codecs("classic.png", "classic.zlib"))
    for axes, id in zip(figure.axes[1:], ("classic.png", "classic.zlib"), strict=False):
        drawn = axes.images[0].get_array()
        assert drawn.shape == (2, 2)
        assert drawn.mean() == pytest.approx(8 * len(cc.get_codec(id).encode(PHOTO)) / 600)
        assert drawn[0, 0] < 0.1 < drawn[0, 1]


def test_heat_maps_of_a_codec_that_tells():
    told = np.zeros(PHOTO.shape)
    told[5, 7] = 3.0

    class Teller(type(cc.get_codec("classic.raw"))):
        def _information(self, chunk):
            return told

    drawn = plots.heat_maps(PHOTO, {"teller": Teller()}).axes[1].images[0].get_array()
    assert drawn.shape == (20, 30)
    assert np.allclose(drawn[4:7, 6:9], 1.0)
    assert drawn.sum() == pytest.approx(told.sum())


def test_bitstreams_have_a_pixel_for_each_bit():
    figure = plots.bitstreams(DIGITS, codecs("classic.raw", "classic.zlib"), count=30)
    sheet, raw, zlib = (axes.images[0].get_array() for axes in figure.axes[:3])
    assert sheet.shape == (24, 70)
    assert sheet.sum() == DIGITS[:30].sum()
    assert raw.sum() == np.unpackbits(DIGITS[:30]).sum()
    bits = 8 * len(cc.get_codec("classic.zlib").encode(DIGITS[:30]))
    assert f"{bits:,} bits" in figure.axes[2].get_title(loc="left")
    assert zlib.size - zlib.shape[0] < bits <= zlib.size


def test_codecs_that_do_not_take_the_data_are_left_out():
    floats = codecs("classic.png")
    for draw in (plots.rate_along, plots.heat_maps):
        with pytest.raises(ConfigError, match="none of the codecs"):
            draw(np.zeros((9, 9), np.float32), floats)


def test_without_matplotlib(monkeypatch, tmp_path, digits):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr(bench, "run", lambda *a, **k: pytest.fail("measured in vain"))
    result = CliRunner().invoke(app, ["bench", str(digits), "--plots", str(tmp_path / "plots")])
    assert result.exit_code == 3
    assert "pip install 'codecs-core[bench]'" in result.stderr


def test_a_folder_that_cannot_be(tmp_path, digits):
    sources = media.read([digits])
    result = bench.run(sources, codecs=["classic.raw"])
    with pytest.raises(OutputError, match="cannot be written"):
        plots.save(digits / "plots", result, sources)


def test_information_is_refused_or_checked():
    codec = cc.get_codec("classic.png")
    with pytest.raises(ConfigError, match=r"classic\.png does not tell"):
        codec.information(PHOTO)
    with pytest.raises(cc.CodecsError, match="takes"):
        codec.information(np.zeros(3, np.float32))


def test_buckets_are_those_of_the_prior_and_chances_those_of_the_posterior():
    figure = plots.buckets(3, mean=0.0, scale=1.0)
    density, masses = figure.axes
    heights = [bar.get_height() for bar in masses.patches]
    assert heights == pytest.approx([1 / 8] * 8, abs=1e-3)  # the prior itself
    edges = [segment[0][0] for segment in density.collections[0].get_segments()]
    assert edges == pytest.approx([-1.1503, -0.6745, -0.3186, 0, 0.3186, 0.6745, 1.1503], abs=1e-4)
    narrow = [bar.get_height() for bar in plots.buckets(3, mean=2.0, scale=0.25).axes[1].patches]
    assert narrow[7] > 0.99


@pytest.mark.parametrize("arguments", [{"bits": 0}, {"bits": 7}, {"bits": 2.0}, {"mean": 9.0}, {"scale": 0.0}])
def test_buckets_out_of_range_are_refused(arguments):
    with pytest.raises(ConfigError, match="must be"):
        plots.buckets(**arguments)
