"""Discovery, isolation, conflicts and look-up, with plugins that are installed only on paper."""

import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import numpy as np
import pytest

from codecs_core import Codec, CodecInfo, CodecSpec, ModelSpec, hookimpl
from codecs_core.errors import CodecConflictError, PluginLoadError, UnknownCodecError
from codecs_core.registry import Registry, default
from codecs_core.testing import Site

GOOD = """
from dataclasses import dataclass
import numpy as np
from codecs_core import Codec, CodecInfo, CodecSpec, ModelSpec, hookimpl
INFO = CodecInfo(summary="s")
@hookimpl
def codecs_register():
    return [CodecSpec(id="{id}", implementation="{module}_impl:Raw", info=INFO)]
"""
IMPLEMENTATION = """
from dataclasses import dataclass
from codecs_core import Codec
from {module} import INFO
@dataclass(frozen=True, kw_only=True)
class Raw(Codec):
    id = "{id}"
    info = INFO
    def _encode(self, chunk): return chunk.tobytes()
    def _decode(self, payload, spec): ...
"""


class Zoo(Site):
    """With plugins that have one codec each."""

    def good(self, distribution, module, id):
        self.install(distribution, module, GOOD.format(module=module, id=id))
        self.module(f"{module}_impl", IMPLEMENTATION.format(module=module, id=id))


@pytest.fixture
def site(codecs_site):
    return Zoo(codecs_site.path)


def plugin(*specs, models=None):
    """A plugin object whose hooks return what they are given."""

    class Plugin:
        @hookimpl
        def codecs_register(self):
            return list(specs)

        if models is not None:

            @hookimpl
            def codecs_register_models(self):
                return models

    return Plugin()


def spec(id="test.raw", **changes):
    return CodecSpec(**{"id": id, "implementation": "nowhere:Raw", "info": CodecInfo(summary="s"), **changes})


def test_discovery_finds_installed_plugins_and_imports_no_implementation(site):
    site.good("codecs-zoo", "zoo", "zoo.raw")
    registry = site.registry()
    assert list(registry.codecs) == ["zoo.raw"]
    [record] = registry.plugins
    assert (record.name, record.distribution, record.version, record.value) == ("zoo", "codecs-zoo", "1.0", "zoo")
    assert (record.state, record.error, record.codecs) == ("loaded", None, ("zoo.raw",))
    assert record.seconds > 0
    assert "zoo_impl" not in sys.modules
    cls = registry.codec_class("zoo.raw")
    assert issubclass(cls, Codec)
    assert registry.codec_class("zoo.raw") is cls
    assert registry.provider("zoo.raw") == "codecs-zoo"


def test_installed_entry_points_are_found_by_default(site):
    site.good("codecs-zoo", "zoo", "zoo.raw")
    assert "zoo.raw" in Registry().codecs


def test_order_is_by_distribution_then_name(site):
    for name in ("b", "c", "a"):
        site.good(f"Codecs_Z-{name}", f"z{name}", f"z.{name}")
    assert [record.distribution[-1] for record in site.registry().plugins] == ["a", "b", "c"]
    assert list(site.registry().codecs) == ["z.a", "z.b", "z.c"]


BROKEN = {
    "import": ("raise RuntimeError('no\\nluck')", "RuntimeError: no luck"),
    "exit": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "missing": ("import not_there_at_all", "No module named 'not_there_at_all'"),
    "syntax": ("def", "SyntaxError"),
    "empty": ("", "implements no hook"),
    "mistyped": (
        "from codecs_core import hookimpl\n@hookimpl\ndef codecs_registr(): return []",
        "unknown hook 'codecs_registr'",
    ),
    "argument": (
        "from codecs_core import hookimpl\n@hookimpl\ndef codecs_register(colour): return []",
        "colour",
    ),
    "raises": ("from codecs_core import hookimpl\n@hookimpl\ndef codecs_register(): 1/0", "ZeroDivisionError"),
    "returns": (
        "from codecs_core import hookimpl\n@hookimpl\ndef codecs_register(): return 5",
        "codecs_register must return a list of CodecSpec, got a int",
    ),
    "items": (
        "from codecs_core import hookimpl\n@hookimpl\ndef codecs_register(): return ['x']",
        "codecs_register returned a list with a str, not a CodecSpec",
    ),
    "models": (
        "from codecs_core import hookimpl\n@hookimpl\ndef codecs_register_models(): return {}",
        "codecs_register_models must return a list of ModelSpec, got a dict",
    ),
    "id": (GOOD.format(module="x", id="Not An Id"), "codec id 'Not An Id' is not of the form"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_recorded_and_stops_no_other(site, kind):
    source, text = BROKEN[kind]
    site.good("codecs-a", "aa", "aa.raw")
    site.install("codecs-bad", "bad", source, version="2.1")
    site.good("codecs-z", "zz", "zz.raw")
    registry = site.registry()
    assert list(registry.codecs) == ["aa.raw", "zz.raw"]
    assert registry.codec_class("zz.raw").id == "zz.raw"
    states = {record.distribution: record for record in registry.plugins}
    assert states["codecs-bad"].state == "failed"
    assert states["codecs-bad"].version == "2.1"
    assert text in states["codecs-bad"].error
    assert "\n" not in states["codecs-bad"].error
    with pytest.raises(UnknownCodecError, match=r"failed to load: codecs-bad 2\.1"):
        registry.spec("bad.raw")
    with pytest.raises(UnknownCodecError) as caught:
        registry.spec("bad.raw", package="codecs-bad")
    assert f"{caught.value}".endswith(f"but it failed to load: {states['codecs-bad'].error}")


def test_ctrl_c_in_a_plugin_is_still_ctrl_c(site):
    site.install("codecs-bad", "bad", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        _ = site.registry().codecs


@pytest.mark.parametrize(
    ("requirement", "text"),
    [
        ("codecs-core>=99,<100", "good 1.0 needs codecs-core 99 or newer and older than 100, this is"),
        ("Codecs.Core[images]==0.0.1", "good 1.0 needs codecs-core 0.0.1, this is"),
        ("codecs-core>=0.0.1; python_version > '2'", None),
        ("codecs-core>=99; extra == 'train'", None),
        ("numpy>=99", None),
    ],
)
def test_a_plugin_for_another_version_of_the_core_says_so(site, requirement, text):
    source = GOOD.format(module="zg", id="z.g")
    site.install("good", "zg", source, requires=[requirement])
    record = site.registry().plugins[0]
    assert record.state == ("loaded" if text is None else "failed")
    if text is not None:
        assert text in record.error.replace("  ", " ")
        assert "pip install -U codecs-core good" in record.error
        with pytest.raises(UnknownCodecError, match="needs codecs-core"):
            site.registry().spec("z.g", package="good")


def test_an_id_claimed_twice_is_an_error_at_look_up_only(site):
    site.good("codecs-one", "one", "zoo.raw")
    site.good("codecs-two", "two", "zoo.raw")
    site.good("codecs-three", "three", "zoo.other")
    registry = site.registry()
    assert list(registry.codecs) == ["zoo.other"]
    assert registry.conflicts == {"zoo.raw": ("codecs-one", "codecs-two")}
    for ask in (registry.spec, registry.codec_class, registry.provider):
        with pytest.raises(CodecConflictError, match=r"codecs-one 1\.0 .* and codecs-two 1\.0"):
            ask("zoo.raw")
    registry.spec("zoo.other")


def test_the_environment_limits_what_is_loaded(site, monkeypatch):
    site.good("codecs-one", "one", "one.raw")
    site.good("codecs-two", "two", "two.raw")
    monkeypatch.setenv("CODECS_PLUGINS", "Codecs_Two, codecs-none")
    registry = site.registry()
    assert list(registry.codecs) == ["two.raw"]
    assert [record.state for record in registry.plugins] == ["disabled", "loaded"]
    assert "one" not in sys.modules
    with pytest.raises(UnknownCodecError, match="codecs-one provides it, but CODECS_PLUGINS leaves it out"):
        registry.spec("one.raw", package="codecs-one")
    monkeypatch.setenv("CODECS_PLUGINS", "")
    assert site.registry().codecs == {}


@pytest.mark.parametrize(
    ("id", "package", "text"),
    [
        ("test.rav", None, "did you mean test.raw"),
        ("idf.flow", None, "codecs-idf provides it: pip install codecs-idf"),
        (
            "acme.deep",
            "acme-codecs",
            "the file claims that the package acme-codecs provides it, which nobody has checked",
        ),
        ("idf.flow", "acme-codecs", "codecs-idf provides it: pip install codecs-idf"),
        ("acme.deep", "codecs-rec", "codecs-rec provides it: pip install codecs-rec"),
        ("acme.deep", None, "`codecs list` shows"),
        ("test.old", "here", "here is installed and has none of that id: pip install -U here"),
    ],
)
def test_unknown_ids_say_what_to_do(id, package, text):
    registry = Registry([])
    registry.register(plugin(spec()), name="here")
    with pytest.raises(UnknownCodecError) as caught:
        registry.spec(id, package=package)
    assert text in str(caught.value)


@pytest.mark.parametrize("package", ["x; rm -rf /", "--index-url http://evil x", "a\x1b[2J", "-e.", ""])
def test_a_package_name_from_a_hostile_file_is_not_repeated(package):
    with pytest.raises(UnknownCodecError) as caught:
        Registry([]).spec("acme.deep", package=package)
    assert "pip" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"id": "raw"}, "codec id 'raw'"),
        ({"id": "Test.raw"}, "codec id"),
        ({"id": "test.raw\n"}, "codec id"),
        ({"id": 5}, "codec id"),
        ({"implementation": "module.Class"}, "'package.module:Class'"),
        ({"info": "none"}, "must be a CodecInfo"),
        ({"format_version": 0}, "positive"),
        ({"format_version": True}, "positive"),
    ],
)
def test_codec_specs_are_checked(changes, text):
    with pytest.raises(PluginLoadError, match=text):
        spec(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "a/b"},
        {"codec": "x"},
        {"resource": "package/path"},
        {"sha256": "AB" * 32},
        {"sha256": "ab"},
        {"nbytes": 0},
    ],
)
def test_model_specs_are_checked(changes):
    good = {"name": "m", "codec": "a.b", "resource": "p:q", "sha256": "0" * 64, "summary": "", "nbytes": 1}
    ModelSpec(**good)
    with pytest.raises(PluginLoadError):
        ModelSpec(**{**good, **changes})


class Right(Codec):
    id = "test.raw"
    info = CodecInfo(summary="s")


class OtherId(Right):
    id = "test.other"


class OtherVersion(Right):
    format_version = 2


class OtherInfo(Right):
    info = CodecInfo(summary="t")


NOT_A_CODEC = np.zeros(1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("OtherId", "has id 'test.other'"),
        ("OtherVersion", "has format_version 2"),
        ("OtherInfo", "has info"),
        ("NOT_A_CODEC", "no class derived from"),
        ("Missing", "cannot be imported.*Missing"),
    ],
)
def test_an_implementation_must_be_what_its_spec_says(name, text):
    registry = Registry([])
    registry.register(plugin(spec(implementation=f"{__name__}:{name}")))
    with pytest.raises(PluginLoadError, match=text):
        registry.codec_class("test.raw")


def test_an_implementation_that_fails_to_import_leaves_the_rest(site):
    site.good("codecs-zoo", "zoo", "zoo.raw")
    (site.path / "zoo_impl.py").write_text("import torch_that_is_missing")
    registry = site.registry()
    registry.register(plugin(spec(implementation=f"{__name__}:Right")))
    with pytest.raises(
        PluginLoadError, match=r"zoo\.raw cannot be imported from zoo_impl:Raw of codecs-zoo 1\.0.*torch_that"
    ):
        registry.codec_class("zoo.raw")
    assert registry.codec_class("test.raw") is Right


def test_register_replaces_by_name_and_raises_at_once():
    registry = Registry([])
    registry.register(plugin(spec("test.one")), name="mine")
    registry.register(plugin(spec("test.two")), name="mine")
    assert list(registry.codecs) == ["test.two"]
    with pytest.raises(PluginLoadError, match=r"test\.x twice"):
        registry.register(plugin(spec("test.x"), spec("test.x")), name="other")
    with pytest.raises(PluginLoadError, match="implements no hook"):
        registry.register(SimpleNamespace(), name="other")
    assert [record.name for record in registry.plugins] == ["mine"]


def test_models_are_listed_once():
    model = ModelSpec(name="m", codec="a.b", resource="p:q", sha256="0" * 64, summary="", nbytes=1)
    registry = Registry([])
    registry.register(plugin(models=[model]), name="one")
    registry.register(plugin(models=[model]), name="two")
    assert registry.models == [model]


def test_nothing_is_discovered_before_it_is_asked_for(site):
    site.install("codecs-bad", "bad", "raise RuntimeError")
    Registry(site.entry_points())
    assert "bad" not in sys.modules
    assert default() is default()


def test_entry_points_without_a_distribution():
    [record] = Registry([EntryPoint(name="x", value="not_there_at_all", group="codecs_core")]).plugins
    assert (record.distribution, record.state) == ("unknown", "failed")
