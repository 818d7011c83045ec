"""The clauses, by what they are about. The first line of each docstring says which clause of `codecs_core.Codec` it holds a codec to."""
