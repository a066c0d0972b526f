"""The facade of one chain, in three steps: reading, changing, and the whole."""

from chainstack_sdk.chain.facade import Chain, Snapshot
from chainstack_sdk.chain.reader import ChainReader
from chainstack_sdk.chain.writer import DEFAULT_PROPOSER, DEFAULT_TIP, ChainWriter

__all__ = ["DEFAULT_PROPOSER", "DEFAULT_TIP", "Chain", "ChainReader", "ChainWriter", "Snapshot"]
