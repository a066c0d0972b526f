"""What a delegate's header has to satisfy, and when its block cannot be undone any more.

Turns are counted from the Unix epoch: turn number ``timestamp_ms // interval_ms``. A block's timestamp is the
beginning of a turn, and the turn's number modulo the number of delegates says whose it is, delegates in
ascending order of address. So no two blocks of a chain have the same turn, and a delegate that misses its
turn leaves a gap in time, not in heights.

The seal is the delegate's signature, 65 bytes r ‖ s ‖ v (v 0 or 1, low s), over keccak-256 of

::

    0x19 ‖ "chainstack dpos" ‖ 0x00 ‖ chain_id u64 ‖ block hash 32

A block is irreversible once more than two thirds of one epoch's delegates have built on it.

**Caveats**

- That is as strong as the clocks and the network: while blocks arrive within a turn and less than a third of
  the delegates are dishonest, no honest node sees an irreversible block undone. Delegates that were cut off
  from each other for rounds on end may have built on two branches in good faith; for finality without
  that assumption there are engines with committees.
- A delegate can seal two blocks for one turn. The longest chain takes one of them, and the two signatures
  show who did it.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.sealed import decode_branch
from chainstack_sdk.core.blocks import ZERO_HASH
from chainstack_sdk.core.validation import expect, validate_lineage
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.dpos.book import DelegateBook
    from chainstack_sdk.consensus.dpos.parameters import DelegationParameters
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.interfaces import CandidateRule, FinalityRule, HeaderRule

    Headers: TypeAlias = Callable[[bytes], Header | None]

_DOMAIN = b"\x19chainstack dpos\x00"
_PAYLOAD = Struct(f">{len(_DOMAIN)}sQ32s")
_MAX_REMEMBERED = 4_096


def seal_payload(header: Header) -> bytes:
    """Return what a delegate signs, 57 bytes: the engine's domain, the chain and the block."""
    return _PAYLOAD.pack(_DOMAIN, header.chain_id, header.hash)


class DelegateRule:
    """Header and finality rule of voted delegates; needs headers and sets of delegates, no chain.

    Parameters
    ----------
    parameters
        Those of the genesis.
    first
        The delegates of epochs 0 and 1.
    book
        Finds the sets of later epochs by the hash that a header commits to.
    headers
        Returns the header with a hash, or None; asked for ancestors up to an epoch back.
    scheme
        Recovers who signed.
    """

    def __init__(
        self,
        parameters: DelegationParameters,
        first: ValidatorSet,
        book: DelegateBook,
        headers: Headers,
        *,
        scheme: Scheme | None = None,
    ) -> None:
        self.parameters = parameters
        self.headers = headers
        self.book = book
        self._schedule = parameters.schedule
        self._first = first
        self._scheme: Scheme = Secp256k1Scheme() if scheme is None else scheme
        self._in_office: dict[bytes, bytes] = {}
        """By hash of a parent: the hash of the delegates of its children's epoch."""

    def with_headers(self, headers: Headers) -> DelegateRule:
        """Return the same rule with ancestors looked up elsewhere."""
        return DelegateRule(self.parameters, self._first, self.book, headers, scheme=self._scheme)

    # Whose turn

    def turn_of(self, header: Header) -> int:
        """Return the number of the turn that a block was made in."""
        return header.timestamp_ms // self.parameters.interval_ms

    def delegates_after(self, parent: Header) -> ValidatorSet:
        """Return the delegates of the epoch of a header's child.

        Raises
        ------
        InvalidInput
            When an ancestor or the set that it commits to is not known.
        """
        epoch = self._schedule.slot_of(parent.height + 1)
        if epoch < 2:
            return self._first
        digest = self._committed(parent, self._schedule.first_of(epoch) - 2)
        delegates = self.book.find(digest)
        if delegates is None:
            raise InvalidInput("the delegates of an epoch are not known", epoch=epoch, hash=digest)
        return delegates

    def _committed(self, parent: Header, height: int) -> bytes:
        """Return the hash of delegates that the ancestor of a height commits to.

        It is the last block but one before the epoch: the one right before it names the next epoch's.
        """
        passed = []
        header = parent
        digest = self._in_office.get(header.hash)
        while digest is None:
            passed.append(header.hash)
            before = self.headers(header.parent_hash)
            if before is None:
                raise InvalidInput("an ancestor is unknown", hash=header.parent_hash)
            header = before
            at_the_end = header.height <= height
            digest = header.next_committee_hash if at_the_end else self._in_office.get(header.hash)
        if len(self._in_office) + len(passed) > _MAX_REMEMBERED:
            self._in_office.clear()
        self._in_office.update(dict.fromkeys(passed, digest))
        return digest

    # HeaderRule

    def validate_candidate(self, header: Header, parent: Header) -> None:
        """Check everything but the seal.

        Raises
        ------
        InvalidInput
            When it is not the proposer's turn, the timestamp is not the beginning of one, a field of other
            engines is used, or the delegates are not known.
        """
        interval_ms = self.parameters.interval_ms
        expect(header.slot, self._schedule.slot_of(header.height), "slot", header)
        expect(header.timestamp_ms % interval_ms, 0, "distance from the beginning of a turn", header)
        delegates = self.delegates_after(parent)
        members = delegates.members
        expected = members[self.turn_of(header) % len(members)].address
        expect(header.proposer, expected, "delegate for this turn", header)
        expect(header.seed, ZERO_HASH, "seed", header)
        expect(header.seed_proof, b"", "seed proof", header)
        expect(header.work_commitment, b"", "work commitment", header)
        expect(header.parent_certificate_hash, ZERO_HASH, "parent certificate hash", header)

    def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
        """Check the header and that the delegate whose turn it is has signed it.

        Raises
        ------
        InvalidInput
            When the signature is not the proposer's; or as for :meth:`validate_candidate`.
        """
        self.validate_candidate(header, parent)
        signer = self._scheme.signer(keccak256(seal_payload(header)), seal)
        if signer != header.proposer:
            raise InvalidInput(
                "the seal is not the proposer's signature",
                height=header.height,
                expected=header.proposer,
                actual=signer,
            )

    def work(self, header: Header) -> int:
        """Return 1: the longest chain counts."""
        return 1

    # FinalityRule

    def validate_finality(self, header: Header, seal: bytes) -> None:
        """Check the headers that follow a block: more than two thirds of one epoch's delegates made them.

        Parameters
        ----------
        header
            The block's, validated already.
        seal
            In place of the seal, the proof: :func:`~chainstack_sdk.consensus.sealed.encode_branch` of the
            headers that follow, oldest first, at most 4,096.

        Raises
        ------
        InvalidInput
            When one of them is invalid, or too few delegates made them.
        """
        known = {header.hash: header}
        rule = self.with_headers(lambda block_hash: known.get(block_hash) or self.headers(block_hash))
        builders = Builders(rule)
        parent = header
        for one in decode_branch(seal):
            validate_lineage(one.header, parent)
            rule.validate_header(one.header, one.seal, parent)
            if builders.add(one.header, parent):
                return
            parent = known[one.header.hash] = one.header
        raise InvalidInput("too few delegates have built on the block", height=header.height)


class Builders:
    """The delegates that have built on a block, by epoch.

    Parameters
    ----------
    rule
        Knows the delegates.
    """

    def __init__(self, rule: DelegateRule) -> None:
        self._rule = rule
        self._by_epoch: dict[int, set[bytes]] = {}

    def add(self, header: Header, parent: Header) -> bool:
        """Count a block's delegate; return whether that makes more than two thirds of its epoch's.

        Raises
        ------
        InvalidInput
            When the delegates of the epoch are not known.
        """
        builders = self._by_epoch.setdefault(header.slot, set())
        builders.add(header.proposer)
        return self._rule.delegates_after(parent).is_quorum(len(builders))


if TYPE_CHECKING:
    _header_rule: type[HeaderRule] = DelegateRule
    _candidate_rule: type[CandidateRule] = DelegateRule
    _finality_rule: type[FinalityRule] = DelegateRule
