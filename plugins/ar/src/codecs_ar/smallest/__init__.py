"""The level smallest of ``ar.image``: the networks of a model, and around each value decisions that counters and mixers learn."""
