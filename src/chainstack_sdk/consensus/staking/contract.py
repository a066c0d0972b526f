"""The staking contract: deposits, registrations, penalties; a system contract with a standard ABI.

A validator registers with a deposit and a key for verifiable randomness, which it proves to hold: nobody can
register the key of another first. It stands for election from the next slot on, each time with the deposit
that it had when the slot before ended. It unregisters, serves out what it was elected for, and has its
deposit back when two whole slots have passed: the one after, in which it may still sit, and another, in which
what it did may still be reported. Whoever proves that it signed two messages that exclude each other takes
the deposit instead.

**Caveats**

- An offender that sees its accusation coming can report itself through another account, and so keep its
  deposit; it is out of the registry all the same.
- A slashed validator keeps the seats to which it has been elected, at most to the end of the next slot:
  headers have committed to these committees.
- Evidence is the pair of signatures alone. A registered validator must not sign such a pair even for
  heights at which it has no seat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.evidence import Evidence, validate_evidence
from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.octets import exact_bytes, uint_bytes
from chainstack_sdk.consensus.reputation import INITIAL_PERFORMANCE
from chainstack_sdk.consensus.staking import registry
from chainstack_sdk.consensus.staking.committees import read_hash, read_members
from chainstack_sdk.consensus.staking.registry import Status, ValidatorRecord
from chainstack_sdk.consensus.staking.storage import BURNT, MINIMUM_DEPOSIT, MINTED
from chainstack_sdk.consensus.vrf import vrf_verify
from chainstack_sdk.core import gas
from chainstack_sdk.core.native.contract import NativeContract, error, event, external
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.core.call import Call

UNBONDING_SLOTS = 2
"""Whole slots between the one in which a validator unregisters and the first in which it may withdraw."""
KEY_PROOF = 50_000
"""Gas for checking a VRF key and its proof, which takes as long as recovering 16 signatures or so."""
_KEY_DOMAIN = b"chainstack vrf key"


def key_alpha(chain_id: int, validator: bytes) -> bytes:
    """Return what a validator proves with the VRF key that it registers: 46 bytes.

    ``"chainstack vrf key" ‖ chain_id u64 ‖ address 20``, integers big-endian: the proof is worth nothing on
    another chain or in another's hands.

    Parameters
    ----------
    chain_id
        Below 2^64.
    validator
        The address that registers, 20 bytes.

    Raises
    ------
    UsageError
        When an argument does not fit.
    """
    return _KEY_DOMAIN + uint_bytes(chain_id, 8, "chain id") + exact_bytes(validator, 20, "address")


class StakingContract(NativeContract):
    """See the module; amounts are in wei, slots are those of the chain's committees.

    Parameters
    ----------
    scheme
        Checks the signatures of evidence.
    """

    Registered = event("event Registered(address indexed validator, bytes32 vrfKey, uint256 deposit)")
    Deposited = event("event Deposited(address indexed validator, uint256 amount, uint256 deposit)")
    Unregistered = event("event Unregistered(address indexed validator, uint256 unlockSlot)")
    Withdrawn = event("event Withdrawn(address indexed validator, uint256 amount)")
    Slashed = event("event Slashed(address indexed validator, address indexed reporter, uint256 amount)")

    DepositTooSmall = error("error DepositTooSmall(uint256 deposit, uint256 minimum)")
    AlreadyRegistered = error("error AlreadyRegistered(address validator)")
    NotRegistered = error("error NotRegistered(address validator)")
    BarredValidator = error("error BarredValidator(address validator)")
    InvalidVrfProof = error("error InvalidVrfProof(bytes32 vrfKey, address validator)")
    VrfKeyTaken = error("error VrfKeyTaken(bytes32 vrfKey, address owner)")
    DepositLocked = error("error DepositLocked(uint256 unlockSlot)")
    NothingToWithdraw = error("error NothingToWithdraw(address validator)")
    InvalidEvidence = error("error InvalidEvidence()")
    NothingToForfeit = error("error NothingToForfeit(address validator)")
    StaleEvidence = error("error StaleEvidence(uint256 height, uint256 registeredAt)")
    UnknownCommittee = error("error UnknownCommittee(uint256 slot)")

    def __init__(self, scheme: Scheme | None = None) -> None:
        super().__init__()
        self._scheme: Scheme = Secp256k1Scheme() if scheme is None else scheme

    # A validator's life

    @external("function register(bytes32 vrfKey, bytes proof) payable")
    def register(self, call: Call, vrf_key: bytes, proof: bytes) -> None:
        """Stand for election with the coin that comes along as deposit.

        The proof, 80 bytes, is what the VRF key makes of :func:`key_alpha` of the caller.
        """
        validator = call.caller
        record = registry.read_validator(call, validator)
        call.require(not record.is_liable, self.AlreadyRegistered, validator)
        call.require(record.status != Status.SLASHED, self.BarredValidator, validator)
        minimum = call.load(MINIMUM_DEPOSIT)
        call.require(call.value >= minimum, self.DepositTooSmall, call.value, minimum)
        self._take_key(call, vrf_key, proof, validator)
        performance = INITIAL_PERFORMANCE if record.status == Status.UNKNOWN else record.performance
        record = ValidatorRecord(call.value, vrf_key, performance, Status.REGISTERED, since=call.block.height)
        registry.add_candidate(call, validator, record)
        registry.write_validator(call, validator, record)
        call.emit(self.Registered, validator, vrf_key, call.value)

    @external("function deposit() payable")
    def deposit(self, call: Call) -> None:
        """Add the coin that comes along to the caller's deposit."""
        validator = call.caller
        record = registry.read_validator(call, validator)
        call.require(record.status == Status.REGISTERED, self.NotRegistered, validator)
        record.deposit += call.value
        registry.write_deposit(call, validator, record.deposit)
        call.emit(self.Deposited, validator, call.value, record.deposit)

    @external("function unregister()")
    def unregister(self, call: Call) -> None:
        """Stand for election no more."""
        validator = call.caller
        record = registry.read_validator(call, validator)
        call.require(record.status == Status.REGISTERED, self.NotRegistered, validator)
        record.status = Status.UNREGISTERED
        record.unlock_slot = call.block.slot + 1 + UNBONDING_SLOTS
        registry.remove_candidate(call, record)
        registry.write_standing(call, validator, record)
        call.emit(self.Unregistered, validator, record.unlock_slot)

    @external("function withdraw()")
    def withdraw(self, call: Call) -> None:
        """Send the deposit back to the caller, once two whole slots have passed."""
        validator = call.caller
        record = registry.read_validator(call, validator)
        call.require(record.status != Status.REGISTERED, self.AlreadyRegistered, validator)
        call.require(record.status == Status.UNREGISTERED, self.NothingToWithdraw, validator)
        call.require(call.block.slot >= record.unlock_slot, self.DepositLocked, record.unlock_slot)
        amount = self._close(call, validator, record, Status.WITHDRAWN)
        call.transfer(validator, amount)
        call.emit(self.Withdrawn, validator, amount)

    @external("function report(bytes evidence)")
    def report(self, call: Call, evidence: bytes) -> None:
        """Prove that a validator signed two messages that exclude each other, and take its deposit."""
        call.charge(2 * gas.SIGNATURE_RECOVERY)
        try:
            proof = Evidence.decode(evidence)
            culprit = validate_evidence(proof, call.block.chain_id, self._scheme)
        except InvalidInput as refusal:
            raise call.error(self.InvalidEvidence) from refusal
        record = registry.read_validator(call, culprit)
        call.require(record.is_liable, self.NothingToForfeit, culprit)
        call.require(proof.height >= record.since, self.StaleEvidence, proof.height, record.since)
        registry.remove_candidate(call, record)
        amount = self._close(call, culprit, record, Status.SLASHED)
        call.transfer(call.caller, amount)
        call.emit(self.Slashed, culprit, call.caller, amount)

    # Questions

    @external(
        "function validator(address account) view returns "
        "(uint256 deposit, bytes32 vrfKey, uint256 performance, uint256 status, uint256 unlockSlot)"
    )
    def validator(self, call: Call, account: bytes) -> tuple[int, bytes, int, int, int]:
        """Return what is known of an address; the status is a number of :class:`Status`."""
        record = registry.read_validator(call, account)
        return record.deposit, record.vrf_key, record.performance, record.status, record.unlock_slot

    @external("function validators() view returns (address[])")
    def validators(self, call: Call) -> list[bytes]:
        """Return who stands for election, in no particular order."""
        return registry.candidates(call)

    @external("function committee(uint256 slot) view returns (address[])")
    def committee(self, call: Call, slot: int) -> list[bytes]:
        """Return the committee of a slot, addresses ascending."""
        members = read_members(call, slot)
        call.require(members, self.UnknownCommittee, slot)
        return members

    @external("function committeeHash(uint256 slot) view returns (bytes32)")
    def committee_hash(self, call: Call, slot: int) -> bytes:
        """Return the hash that headers commit to for the committee of a slot; zeros when there is none."""
        return read_hash(call, slot)

    @external("function minimumDeposit() view returns (uint256)")
    def minimum_deposit(self, call: Call) -> int:
        """Return the least deposit with which one may register and be elected."""
        return call.load(MINIMUM_DEPOSIT)

    @external("function currentSlot() view returns (uint256)")
    def current_slot(self, call: Call) -> int:
        """Return the slot of the block."""
        return call.block.slot

    @external("function minted() view returns (uint256)")
    def minted(self, call: Call) -> int:
        """Return the coin made since genesis, as of the block's parent."""
        return call.load(MINTED)

    @external("function burnt() view returns (uint256)")
    def burnt(self, call: Call) -> int:
        """Return the coin destroyed since genesis, as of the block's parent."""
        return call.load(BURNT)

    # Inside

    def _take_key(self, call: Call, vrf_key: bytes, proof: bytes, validator: bytes) -> None:
        """Let a key be the validator's for good, if it proves to hold it."""
        call.charge(KEY_PROOF)
        try:
            vrf_verify(vrf_key, key_alpha(call.block.chain_id, validator), proof)
        except InvalidInput as refusal:
            raise call.error(self.InvalidVrfProof, vrf_key, validator) from refusal
        owner = registry.key_owner(call, vrf_key)
        call.require(owner in (None, validator), self.VrfKeyTaken, vrf_key, owner)
        if owner is None:
            registry.take_key(call, vrf_key, validator)

    @staticmethod
    def _close(call: Call, validator: bytes, record: ValidatorRecord, status: Status) -> int:
        """Take a deposit off the books and return what it was."""
        amount, record.deposit, record.status = record.deposit, 0, status
        record.unlock_slot = 0
        registry.write_deposit(call, validator, 0)
        registry.write_standing(call, validator, record)
        return amount
