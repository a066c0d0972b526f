from collections.abc import Callable

from chainstack_sdk.core.trie.merge import MergeBranch
from chainstack_sdk.core.trie.nodes import Branch, Node

merge_branch: MergeBranch

def configure(
    branch_type: type[Branch],
    merge: Callable[[Node | None, list[bytes], list[bytes], int, int, int], tuple[Node | None, bytes]],
    merge_slots: MergeBranch,
    put_off: Callable[[Branch, list[tuple[int, Node | None, bytes]], int], tuple[Node | None, bytes]],
    encoded_leaf: Callable[[bytes, bytes, int], bytes],
    /,
) -> None: ...
