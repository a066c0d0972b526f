"""Following the heaviest branch: what engines without committees have in common.

Engines announce sealed headers to each other. A header that follows a known one and passes the rule joins a
:class:`~chainstack_sdk.consensus.tree.HeaderTree`; when that makes another branch heavier than the one where
the chain stands, the host is asked to go over.

What the host does
------------------
- ``FetchBlock``: asks its peers for the block with this hash, and hands its announcement, as
  :func:`~chainstack_sdk.consensus.sealed.encode_announcement` makes it of header and seal, to the engine as a
  message.
- ``SwitchHead``: fetches the blocks on the way (:meth:`ForkChoice.branch` lists them), goes over by
  :func:`~chainstack_sdk.core.reorganise.reorganise`, and answers ``BlockCommitted`` for the new tip only. It
  stays silent while it cannot get a block, or while a block's timestamp lies ahead of its clock: engines
  have no clock, so this check is the host's. The engine asks again when the head has moved.
- ``BlockRefused``: said of a block whose content is what its header commits to, and is invalid all the same.
  Content that does not match the header is the fault of whoever sent it and says nothing of the block.
- ``BlockCommitted`` for an ancestor of the head: the chain went back on purpose, and the blocks above are
  forgotten until they are heard of again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from chainstack_sdk.consensus.sealed import decode_announcement
from chainstack_sdk.consensus.tree import HeaderTree
from chainstack_sdk.core.engine import FetchBlock, SwitchHead
from chainstack_sdk.core.interfaces import HeaderRule
from chainstack_sdk.core.validation import validate_lineage
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from chainstack_sdk.consensus.sealed import SealedHeader
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.engine import EngineOutput

    Headers: TypeAlias = Callable[[bytes], Header | None]
    """Returns the header with a hash of 32 bytes, or None when it is not known."""

MAX_BANNED = 1_024
"""Hashes of invalid blocks that are remembered, the oldest forgotten first."""

Rule = TypeVar("Rule", bound=HeaderRule)


class ForkChoice(Generic[Rule]):
    """Keeps the branches, and says which one the chain should be on.

    Parameters
    ----------
    rule_over
        Makes the engine's rule, which looks up ancestors by the function it is given.
    headers
        Returns the headers of the chain's own blocks.
    depth
        How many blocks a chain goes back at most to reach another branch; at least 1.

    Raises
    ------
    UsageError
        When the depth is less than 1.
    """

    def __init__(self, rule_over: Callable[[Headers], Rule], headers: Headers, *, depth: int) -> None:
        if depth < 1:
            raise UsageError("a chain that never goes back needs no choice between branches", actual=depth)
        self._headers = headers
        self._depth = depth
        self._banned: dict[bytes, None] = {}
        self._asked: bytes | None = None
        self.tree: HeaderTree | None = None
        """The branches; None until the first block is committed."""
        self.rule = rule_over(self.header)
        """The engine's rule, which sees the headers of all branches."""
        self.refused = 0
        """How many messages, and orphans kept earlier, were of no use because they were wrong."""

    def header(self, block_hash: bytes) -> Header | None:
        """Return a header of any branch or of the chain below, or None when it is not known."""
        if self.tree is not None:
            sealed = self.tree.get(block_hash)
            if sealed is not None:
                return sealed.header
        return self._headers(block_hash)

    @property
    def head(self) -> Header | None:
        """The header of the block where the chain stands; None before the first one is committed."""
        return None if self.tree is None else self.tree.head

    def branch(self, tip_hash: bytes) -> tuple[SealedHeader, ...]:
        """Return the sealed headers that lead from the chain to a tip, oldest first.

        The parent of the first is the newest block that chain and branch have in common.

        Raises
        ------
        UsageError
            When the tip is not in the tree.
        """
        if self.tree is None:
            raise UsageError("no block has been committed")
        return self.tree.path(self.tree.fork(self.tree.head.hash, tip_hash).hash, tip_hash)

    # Events

    def follow(self, block_hash: bytes) -> HeaderTree:
        """Take note that the chain stands at a block now; return the tree with all of it that is kept.

        Raises
        ------
        UsageError
            When the host does not have the block's header.
        """
        before = self.head
        tree = self.tree = self._tree_with(block_hash)
        tree.stand_at(block_hash)
        if before is not None and before.hash in tree:
            _forget_undone(tree, before)
        tree.prune(self._depth)
        if before is None or before.hash != block_hash:
            self._asked = None
        return tree

    def hear(self, message: bytes) -> tuple[EngineOutput, ...]:
        """Take the message of another engine; anything wrong is counted and changes nothing else."""
        tree = self.tree
        try:
            sealed = decode_announcement(message)
            header = sealed.header
            if header.hash in self._banned or header.parent_hash in self._banned:
                raise InvalidInput("a block of an invalid branch", hash=header.hash)
        except InvalidInput:
            self.refused += 1
            return ()
        if tree is None or header.hash in tree:
            return ()
        if header.parent_hash not in tree:
            return self._keep_orphan(tree, sealed)
        self._grow(tree, sealed)
        return self.switch(tree)

    def ban(self, block_hash: bytes) -> tuple[EngineOutput, ...]:
        """Remove an invalid block and all on top of it, and remember not to take them again."""
        tree = self.tree
        if tree is None:
            return ()
        if any(header.hash == block_hash for header in tree.ancestors(tree.head.hash)):
            return ()  # the chain stands on it, so it is valid
        self._banned[block_hash] = None
        if block_hash in tree:
            self._banned.update((header.hash, None) for header in tree.remove(block_hash))
        while len(self._banned) > MAX_BANNED:
            del self._banned[next(iter(self._banned))]
        return self.switch(tree)

    def offer(self, header: Header, seal: bytes) -> None:
        """Add a block that was sealed here, on the head, and that the host is told to append."""
        if self.tree is not None and self.tree.add(header, seal, self.rule.work(header)):
            self._asked = self.tree.best.hash

    def switch(self, tree: HeaderTree) -> tuple[EngineOutput, ...]:
        """Ask the host to go over to the best tip, once, when it is heavier than the head."""
        best = tree.best
        if best.hash == self._asked or tree.weight(best.hash) <= tree.weight(tree.head.hash):
            return ()
        self._asked = best.hash
        return (SwitchHead(best.height, best.hash),)

    # Inside

    def _tree_with(self, block_hash: bytes) -> HeaderTree:
        """Return the tree with a block of the chain in it, or a new tree of the blocks below it."""
        tree = self.tree
        if tree is not None and block_hash in tree:
            return tree
        header = self._headers(block_hash)
        if header is None:
            raise UsageError("the host does not know the header of a block of its chain", hash=block_hash)
        on_tree = tree is not None and header.parent_hash in tree
        if tree is not None and on_tree and tree.add(header, b"", self.rule.work(header)):
            return tree
        return self._new_tree(header)

    def _new_tree(self, header: Header) -> HeaderTree:
        path = [header]
        while len(path) <= self._depth and path[-1].height:
            below = self._headers(path[-1].parent_hash)
            if below is None:
                break
            path.append(below)
        tree = HeaderTree(path.pop())
        while path:
            above = path.pop()
            tree.add(above, b"", self.rule.work(above))
        return tree

    def _keep_orphan(self, tree: HeaderTree, sealed: SealedHeader) -> tuple[EngineOutput, ...]:
        header = sealed.header
        if header.height <= tree.root.height + 1:
            return ()  # its branch leaves the chain below what is settled
        tree.add_orphan(header, sealed.seal)
        return (FetchBlock(header.height - 1, header.parent_hash),)

    def _grow(self, tree: HeaderTree, sealed: SealedHeader) -> None:
        """Validate a header on one in the tree, add it, then all orphans that have waited for it."""
        waiting = [sealed]
        for one in waiting:  # which grows meanwhile
            header = one.header
            parent = tree.get(header.parent_hash)
            if parent is None:
                continue  # there was no room for it
            try:
                validate_lineage(header, parent.header)
                self.rule.validate_header(header, one.seal, parent.header)
            except InvalidInput:
                self.refused += 1
                continue
            if tree.add(header, one.seal, self.rule.work(header)):
                waiting.extend(tree.take_orphans(header.hash))


class BranchEngine(Generic[Rule]):
    """What engines that choose between branches show of their choice.

    Parameters
    ----------
    fork
        Keeps the branches.
    """

    def __init__(self, fork: ForkChoice[Rule]) -> None:
        self._fork = fork
        self._refused = 0

    @property
    def header_rule(self) -> Rule:
        """The rule by which headers are checked; it sees the headers of all branches."""
        return self._fork.rule

    @property
    def finality_rule(self) -> Rule:
        """The rule by which it is checked that a block is final."""
        return self._fork.rule

    @property
    def head(self) -> Header | None:
        """The header of the block where the chain stands; None before the first ``BlockCommitted``."""
        return self._fork.head

    @property
    def refused(self) -> int:
        """How many messages, candidates, nonces and signatures were of no use because they were wrong."""
        return self._refused + self._fork.refused

    def branch(self, tip_hash: bytes) -> tuple[SealedHeader, ...]:
        """Return the sealed headers that lead from the chain to a tip, oldest first.

        Raises
        ------
        UsageError
            When the engine does not know the tip.
        """
        return self._fork.branch(tip_hash)


def _forget_undone(tree: HeaderTree, before: Header) -> None:
    """Drop the blocks that the chain has gone back from, if it has gone back to an ancestor."""
    head = tree.head
    if before.height > head.height and tree.fork(head.hash, before.hash).hash == head.hash:
        tree.remove(tree.path(head.hash, before.hash)[0].header.hash)
