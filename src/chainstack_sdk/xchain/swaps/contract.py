"""The swap contract: assets under a hash and a time, claimed by the secret or refunded after the time.

One contract a chain, for coin, ERC-20 and ERC-721; it needs no hub, no anchors and no other chain. A lock is
claimed in blocks before its expiry by whoever shows 32 bytes that hash to its hash: its recipient gets the
asset, whoever sends the claim. From the expiry on anybody may have it refunded: its owner gets the asset.
Showing the secret publishes it, and that is what makes two locks under one hash, on two chains, a swap.

An id is used once for ever (:mod:`chainstack_sdk.xchain.swaps.terms`): what was claimed cannot be locked
again in the same terms under a secret that all know.

Storage: a mapping at slot 1 from the id to five slots in a row.

====  ==================================================================================
Slot  Value
====  ==================================================================================
+0    ``expiry 8 ‖ kind of asset 1 ‖ kind of hash 1 ‖ status 1 ‖ owner 20``, big-endian
+1    recipient
+2    hash
+3    token
+4    number
====  ==================================================================================

**Caveats**

- Time is that of the chain's blocks. The two clocks of a swap differ, and a claim needs time to get into a
  block: the margins of :class:`~chainstack_sdk.xchain.swaps.plan.Swap` must allow for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chainstack_sdk.core import gas
from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.core.native.slots import following, mapping_slot, slot
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.xchain.custody import FIRST_SLOT, Asset, AssetKind, Custodian
from chainstack_sdk.xchain.swaps.terms import HashKind, SwapStatus, SwapTerms, hash_secret

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

HASHING: Final = {HashKind.SHA256: 72, HashKind.KECCAK256: gas.KECCAK + gas.KECCAK_WORD}
"""Gas for hashing a secret (Yellow Paper, appendix E.1: SHA2-256, 60 and 12 for each word)."""
_SWAPS = slot(FIRST_SLOT)
_ADDRESS_MASK = (1 << 160) - 1


class SwapContract(Custodian):
    """See the module; times are in milliseconds, of blocks."""

    Locked = event(
        "event Locked(bytes32 indexed id, address indexed owner, address indexed recipient, "
        "bytes32 hash, uint64 expiresMs)"
    )
    Claimed = event("event Claimed(bytes32 indexed id, bytes32 secret)")
    Refunded = event("event Refunded(bytes32 indexed id)")

    InvalidTerms = error("error InvalidTerms(string reason)")
    AlreadyLocked = error("error AlreadyLocked(bytes32 id)")
    NotLocked = error("error NotLocked(bytes32 id, uint8 status)")
    WrongSecret = error("error WrongSecret(bytes32 id)")
    Expired = error("error Expired(uint64 expiresMs, uint64 nowMs)")
    NotExpired = error("error NotExpired(uint64 expiresMs, uint64 nowMs)")

    @external(
        "function lock(address recipient, bytes32 hash, uint8 hashKind, uint64 expiresMs, "
        "uint8 kind, address token, uint256 number) payable returns (bytes32)"
    )
    def lock(
        self,
        call: Call,
        recipient: bytes,
        digest: bytes,
        hash_kind: int,
        expires_ms: int,
        kind: int,
        token: bytes,
        number: int,
    ) -> bytes:
        """Lock the caller's asset and return the id; coin comes along, tokens must be approved before."""
        self.require_unlocked(call)
        asset = self.asset(call, kind, token, number)
        self._check(call, recipient, hash_kind, expires_ms, asset)
        terms = SwapTerms(call.caller, recipient, digest, HashKind(hash_kind), expires_ms, asset)
        call.charge(gas.KECCAK + 5 * gas.KECCAK_WORD)
        swap_id = terms.id(call.block.chain_id)
        at = mapping_slot(_SWAPS, swap_id)
        call.require(not call.load(at), self.AlreadyLocked, swap_id)
        _write(call, at, terms)
        self.take(call, asset, call.caller)
        call.emit(self.Locked, swap_id, call.caller, recipient, digest, expires_ms)
        return swap_id

    @external("function claim(bytes32 id, bytes32 secret)")
    def claim(self, call: Call, swap_id: bytes, secret: bytes) -> None:
        """Give a lock's asset to its recipient for the secret; before the expiry."""
        at, terms = self._open(call, swap_id)
        now = call.block.timestamp_ms
        call.require(now < terms.expires_ms, self.Expired, terms.expires_ms, now)
        call.charge(HASHING[terms.hash_kind])
        call.require(hash_secret(terms.hash_kind, secret) == terms.hash, self.WrongSecret, swap_id)
        call.store(at, _head(terms, SwapStatus.CLAIMED))
        self.give(call, terms.asset, terms.recipient)
        call.emit(self.Claimed, swap_id, secret)

    @external("function refund(bytes32 id)")
    def refund(self, call: Call, swap_id: bytes) -> None:
        """Give a lock's asset back to its owner; from the expiry on."""
        at, terms = self._open(call, swap_id)
        now = call.block.timestamp_ms
        call.require(now >= terms.expires_ms, self.NotExpired, terms.expires_ms, now)
        call.store(at, _head(terms, SwapStatus.REFUNDED))
        self.give(call, terms.asset, terms.owner)
        call.emit(self.Refunded, swap_id)

    @external("function statusOf(bytes32 id) view returns (uint8)")
    def status_of(self, call: Call, swap_id: bytes) -> int:
        """Return what has become of a lock: a number of :class:`~chainstack_sdk.xchain.swaps.SwapStatus`."""
        return _status(call.load(mapping_slot(_SWAPS, swap_id)))

    @external(
        "function termsOf(bytes32 id) view returns (address owner, address recipient, bytes32 hash, "
        "uint8 hashKind, uint64 expiresMs, uint8 kind, address token, uint256 number)"
    )
    def terms_of(self, call: Call, swap_id: bytes) -> tuple[bytes, bytes, bytes, int, int, int, bytes, int]:
        """Return the terms of a lock, also when it is settled; there must be one."""
        at = mapping_slot(_SWAPS, swap_id)
        head = call.load(at)
        call.require(head, self.NotLocked, swap_id, SwapStatus.UNKNOWN)
        terms = _read(call, at, head)
        return terms.owner, *terms.arguments()

    # Inside

    def _check(self, call: Call, recipient: bytes, hash_kind: int, expires_ms: int, asset: Asset) -> None:
        now = call.block.timestamp_ms
        call.require(expires_ms > now, self.Expired, expires_ms, now)
        call.require(recipient != ZERO_ADDRESS, self.InvalidTerms, "no recipient")
        call.require(hash_kind <= max(HashKind), self.InvalidTerms, "no such hash")
        some = asset.number or asset.kind is AssetKind.ERC721
        call.require(some, self.InvalidTerms, "nothing to lock")

    def _open(self, call: Call, swap_id: bytes) -> tuple[bytes, SwapTerms]:
        self.require_unlocked(call)
        at = mapping_slot(_SWAPS, swap_id)
        head = call.load(at)
        status = _status(head)
        call.require(status == SwapStatus.LOCKED, self.NotLocked, swap_id, status)
        return at, _read(call, at, head)


def _head(terms: SwapTerms, status: SwapStatus) -> int:
    kinds = terms.asset.kind << 16 | terms.hash_kind << 8 | status
    return (terms.expires_ms << 24 | kinds) << 160 | int.from_bytes(terms.owner, "big")


def _status(head: int) -> int:
    return head >> 160 & 0xFF


def _write(call: Call, at: bytes, terms: SwapTerms) -> None:
    asset = terms.asset
    rest = (terms.recipient, terms.hash, asset.token)
    call.store(at, _head(terms, SwapStatus.LOCKED))
    for place, value in enumerate(rest, 1):
        call.store(following(at, place), int.from_bytes(value, "big"))
    call.store(following(at, 4), asset.number)


def _read(call: Call, at: bytes, head: int) -> SwapTerms:
    recipient, digest, token, number = [call.load(following(at, place)) for place in range(1, 5)]
    return SwapTerms(
        owner=_address(head & _ADDRESS_MASK),
        recipient=_address(recipient),
        hash=digest.to_bytes(32, "big"),
        hash_kind=HashKind(head >> 168 & 0xFF),
        expires_ms=head >> 184,
        asset=Asset(AssetKind(head >> 176 & 0xFF), _address(token), number),
    )


def _address(number: int) -> bytes:
    return number.to_bytes(20, "big")
