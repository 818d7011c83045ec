"""Train the models of sound this plugin ships: ``python train_voices.py OUT.safetensors NAME [--rounds N]``.

They learn from sound that `voices` makes, 8,000 samples a second.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from codecs_inr.sound.train import Settings, learn
from train import trained
from voices import voices

SETTINGS = {
    "voice-5": {"bps": 0.6, "start": "voice-10"},
    "voice-10": {"bps": 1.2},
    "voice-20": {"bps": 2.4, "start": "voice-10"},
}
#: The same for all.
NETWORK = {"samples": 320, "hidden": [16], "linear": False, "frequencies": 16, "highest": 40.0, "signals": 512}


def main() -> None:
    """Train one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("name", choices=sorted(SETTINGS))
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    settings = Settings(rounds=arguments.rounds, **NETWORK, **SETTINGS[arguments.name])
    given = f"{arguments.name}.safetensors {arguments.name} --rounds {arguments.rounds}"
    trained(
        arguments.name,
        arguments.out,
        lambda run: learn(voices(120, seed=0), settings, run),
        command=f"python plugins/inr/scripts/train_voices.py {given}",
        data="of two minutes of made-up voices",
    )


if __name__ == "__main__":
    main()
