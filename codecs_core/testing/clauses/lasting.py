"""What was written once decodes for ever."""

from __future__ import annotations

from unittest import SkipTest

from codecs_core.arrays import ArraySpec
from codecs_core.codec import Codec
from codecs_core.errors import CodecsError, UnsupportedFeatureError
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

    def test_older_versions(self) -> None:
        """Clause 6: a codec whose format version was raised has a decoder of the older ones."""
        cls = self.codec_class()
        if cls.format_version == 1:
            raise SkipTest("there is no older format version")
        require(
            cls._decode_older is not Codec._decode_older,
            f"format_version is {cls.format_version}, yet {cls.__name__} has no _decode_older: files of version 1 are lost",
        )

    def test_golden_vectors(self) -> None:
        """Clause 6: payloads kept from the day they were first written decode to the same values."""
        how = "`pytest --codecs-write-vectors` writes them once the stream is settled"
        if self.vectors is None:
            raise SkipTest("there is no folder of golden vectors")
        written = self._write() if vectors.writing else 0
        cls, versions = self.codec_class(), set()
        for vector, model in vectors.read(self.vectors, self.codec_id):
            codec = cls.from_config(vector.config, model=model)
            try:
                decoded = codec.decode(vector.payload, vector.spec, version=vector.format_version)
            except CodecsError as error:
                require(False, f"{vector.stem} cannot be decoded any more ({error}); {_remedy(cls, vector)}")
            require(
                vectors.sha256(decoded) == vector.sha256,
                f"{vector.stem} decodes to other values than it did; {_remedy(cls, vector)}",
            )
            versions.add(vector.format_version)
        if not versions:
            raise SkipTest(f"there are no golden vectors yet; {how}")
        require(cls.format_version in versions, f"format version {cls.format_version} has no golden vector; {how}")
        lost = sorted({*range(1, cls.format_version)} - versions)
        old = ", ".join(map(str, lost))
        require(
            not lost, f"format version {old} has no golden vector; keep those that were written when it was current"
        )
        self.detail = f"of versions {sorted(versions)}" + (f", {written} of them new" if written else "")

    def _write(self) -> int:
        folder, written = self.vectors, 0
        if folder is not None:
            for codec in self.codecs():
                for array in self.taken(codec):
                    written += vectors.Vector.of(codec, array).save(folder, codec.model)
        return written


def _remedy(cls: type[Codec], vector: vectors.Vector) -> str:
    """What an author does who changed the payload."""
    if vector.format_version < cls.format_version:
        return f"decode version {vector.format_version} in _decode_older as it was decoded then"
    return f"a changed payload needs format_version = {cls.format_version + 1}, and _decode_older for version {cls.format_version}"
