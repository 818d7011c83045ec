"""Samplers: from a target, a proposal and a key to an index, and back to a sample."""

from __future__ import annotations

from codecs_rec.samplers.astar import AStar
from codecs_rec.samplers.base import ESCAPE, Sampler, escaped
from codecs_rec.samplers.blocks import MinimalRandom, OrderedRandom, PoissonFunctional
from codecs_rec.samplers.branch import BranchAndBound
from codecs_rec.samplers.dithered import OFFSET, Dithered, ScaledDithered
from codecs_rec.samplers.greedy import GreedyPoisson
from codecs_rec.samplers.lattice import LatticeDithered
from codecs_rec.samplers.leech import LeechDithered
from codecs_rec.samplers.partition import Partitioned, cuts_for
from codecs_rec.samplers.rejection import GreedyRejection, Rejection

__all__ = [
    "ESCAPE",
    "OFFSET",
    "AStar",
    "BranchAndBound",
    "Dithered",
    "GreedyPoisson",
    "GreedyRejection",
    "LatticeDithered",
    "LeechDithered",
    "MinimalRandom",
    "OrderedRandom",
    "Partitioned",
    "PoissonFunctional",
    "Rejection",
    "Sampler",
    "ScaledDithered",
    "cuts_for",
    "escaped",
]
