"""What was written once decodes for ever."""

from __future__ import annotations

from unittest import SkipTest

from codecs_core.arrays import ArraySpec
from codecs_core.errors import UnsupportedFeatureError
from codecs_core.testing import vectors
from codecs_core.testing.subject import Subject, require


class Lasting(Subject):
    """Clause 6."""

    def test_unknown_version(self) -> None:
        """Clause 6: a format version that never was is refused as such."""
        codec = self.codec()
        array = self.taken(codec)[0]
        payload = codec.encode(array)
        try:
            codec.decode(payload, ArraySpec.of(array), version=codec.format_version + 1)
        except UnsupportedFeatureError:
            return
        require(False, f"a payload of format version {codec.format_version + 1} is decoded, which there is not")

    def test_golden_vectors(self) -> None:
        """Clause 6: payloads kept from the day they were first written decode to the same values."""
        how = "`pytest --codecs-write-vectors` writes them once the stream is settled"
        if self.vectors is None:
            raise SkipTest("there is no folder of golden vectors")
        written = self._write() if vectors.writing else 0
        cls, versions = self.codec_class(), set()
        for vector, model in vectors.read(self.vectors, self.codec_id):
            codec = cls.from_config(vector.config, model=model)
            decoded = codec.decode(vector.payload, vector.spec, version=vector.format_version)
            require(vectors.sha256(decoded) == vector.sha256, f"{vector.stem} decodes otherwise than it did")
            versions.add(vector.format_version)
        if not versions:
            raise SkipTest(f"there are no golden vectors yet; {how}")
        require(cls.format_version in versions, f"format version {cls.format_version} has no golden vector; {how}")
        self.detail = f"of versions {sorted(versions)}" + (f", {written} of them new" if written else "")

    def _write(self) -> int:
        folder, written = self.vectors, 0
        if folder is not None:
            for codec in self.codecs():
                for array in self.taken(codec):
                    written += vectors.Vector.of(codec, array).save(folder, codec.model)
        return written
