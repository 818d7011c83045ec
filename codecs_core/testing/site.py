"""Plugins that are installed only on paper: a folder of ``.dist-info`` and modules on the path, no pip."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import DistributionFinder, EntryPoint, MetadataPathFinder
from pathlib import Path

from codecs_core.registry import Registry
from codecs_core.registry.hooks import PROJECT


class Site:
    """A folder of installed distributions. It is found once it is on ``sys.path``; the fixture `codecs_site` puts it there.

    Parameters
    ----------
    path
        An existing folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def install(
        self,
        distribution: str,
        module: str,
        source: str,
        *,
        version: str = "1.0",
        name: str | None = None,
        requires: Sequence[str] = (),
    ) -> None:
        """Install a distribution of one module, which its entry point names.

        Parameters
        ----------
        distribution, version
            As `pip list` would show them.
        module, source
            Name and code of the module.
        name
            Of the entry point; by default that of the module.
        requires
            What it depends on, in the form of PEP 508, such as ``"codecs-core>=0.2"``.
        """
        info = self.path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        fields = {"Metadata-Version": "2.1", "Name": distribution, "Version": version}
        lines = [f"{key}: {value}" for key, value in fields.items()] + [f"Requires-Dist: {one}" for one in requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n", "utf-8")
        (info / "entry_points.txt").write_text(f"[{PROJECT}]\n{name or module} = {module}\n", "utf-8")
        self.module(module, source)

    def module(self, name: str, source: str) -> None:
        """Write one more module."""
        (self.path / f"{name}.py").write_text(source, "utf-8")

    def entry_points(self) -> list[EntryPoint]:
        """Those of the distributions here, in the order of the folder."""
        found = MetadataPathFinder.find_distributions(DistributionFinder.Context(path=[str(self.path)]))
        return [point for distribution in found for point in distribution.entry_points]

    def registry(self) -> Registry:
        """A registry that knows the plugins here and no other."""
        return Registry(self.entry_points())
