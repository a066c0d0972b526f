"""All targets, and how many inputs each gets."""

from __future__ import annotations

from fuzzing import contracts, decoders, entrances, light, rpc, verifiers

TARGETS = (
    *decoders.TARGETS,
    *verifiers.TARGETS,
    *entrances.TARGETS,
    *contracts.TARGETS,
    *rpc.TARGETS,
    *light.TARGETS,
)
QUICK_INPUTS = 15
"""Inputs per share of a target in the default mode…"""
LONG_INPUTS = 300
"""…and in the long one."""
