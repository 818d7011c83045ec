"""Config, copies and pickles."""

from __future__ import annotations

import copy
import json
import pickle

from codecs_core.errors import ConfigError
from codecs_core.testing.subject import Subject, require


class Settings(Subject):
    """Clauses 5 and 2."""

    def test_config(self) -> None:
        """Clause 5: `config` goes through JSON and back to an equal codec, and holds what is not default alone."""
        cls, model = self.codec_class(), self.found_model()
        plain = cls.from_config({}, model=model)
        require(plain.config() == {}, f"the config of a codec without settings is {plain.config()!r}")
        for given, codec in zip(self.configs, self.codecs(), strict=True):
            config = codec.config()
            try:
                back = json.loads(json.dumps(config, allow_nan=False))
            except (TypeError, ValueError) as error:
                require(False, f"config {config!r} is not JSON: {error}")
            require(
                cls.from_config(back, model=codec.model) == codec, f"config {config!r} does not come back from JSON"
            )
            require({*config} <= {*given}, f"config has {sorted({*config} - {*given})}, which nobody set")
            for key, value in config.items():
                require(getattr(plain, key) != value, f"config has {key}={value!r}, which is its default")
        self.detail = f"{len(self.configs)} tried"

    def test_unknown_setting(self) -> None:
        """Clause 5: a setting that the codec does not have is refused by name."""
        try:
            self.codec_class().from_config({"no_such_setting": 1}, model=self.found_model())
        except ConfigError as error:
            require("no_such_setting" in str(error), f"the error does not name the setting: {error}")
        else:
            require(False, "the setting no_such_setting is taken")

    def test_copies(self) -> None:
        """Clause 2: a codec that was pickled or copied, used or not, is equal and gives the same bytes."""
        for used in (False, True):
            for codec in self.codecs():
                arrays = self.taken(codec)[:1]
                if used:
                    for array in arrays:
                        codec.encode(array)
                for how, clone in ("a pickle", pickle.loads(pickle.dumps(codec))), ("a copy", copy.deepcopy(codec)):  # noqa: S301
                    require(clone == codec, f"{how} of the codec is not equal to it")
                    for array in arrays:
                        require(clone.encode(array) == codec.encode(array), f"{how} of the codec gives other bytes")
