"""State tries with Ethereum's roots and proofs.

:class:`MerklePatriciaTrie` keeps one state in memory and is fast; :class:`StoredTrie` keeps every
committed state in a key-value store. :func:`verify_proof` needs neither: a root and a proof will do.
"""

from chainstack_sdk.core.trie.memory import MerklePatriciaTrie
from chainstack_sdk.core.trie.proof import verify_proof
from chainstack_sdk.core.trie.stored import StoredTrie

__all__ = ["MerklePatriciaTrie", "StoredTrie", "verify_proof"]
