"""Hosts: what drives consensus engines and proof of work with clocks, keys, processes and peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.network.asyncio_host import AsyncioHost
    from chainstack_sdk.network.chain_application import ChainApplication
    from chainstack_sdk.network.fork import ForkNode
    from chainstack_sdk.network.full_node import FullNode, full_node
    from chainstack_sdk.network.hosting import FollowedConsensus, HostedConsensus, Member, local_members
    from chainstack_sdk.network.local import local_consensus
    from chainstack_sdk.network.loop_host import LoopHost
    from chainstack_sdk.network.mining import Miner
    from chainstack_sdk.network.node import Timing
    from chainstack_sdk.network.pool import ExecutorPool, SoloPool
    from chainstack_sdk.network.record import FileRecord, MemoryRecord
    from chainstack_sdk.network.validator import ValidatorNode
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "AsyncioHost": "asyncio_host",
            "ChainApplication": "chain_application",
            "ExecutorPool": "pool",
            "SoloPool": "pool",
            "FileRecord": "record",
            "FollowedConsensus": "hosting",
            "ForkNode": "fork",
            "HostedConsensus": "hosting",
            "LoopHost": "loop_host",
            "Member": "hosting",
            "MemoryRecord": "record",
            "Miner": "mining",
            "Timing": "node",
            "ValidatorNode": "validator",
            "FullNode": "full_node",
            "full_node": "full_node",
            "local_consensus": "local",
            "local_members": "hosting",
        },
    )

__all__ = [
    "AsyncioHost",
    "ChainApplication",
    "ExecutorPool",
    "SoloPool",
    "FileRecord",
    "FollowedConsensus",
    "ForkNode",
    "HostedConsensus",
    "LoopHost",
    "Member",
    "MemoryRecord",
    "Miner",
    "Timing",
    "ValidatorNode",
    "FullNode",
    "full_node",
    "local_consensus",
    "local_members",
]
