"""The key machines of all members of a chain in one process, told of each block and of each other at once.

Where the chain goes back, so do the machines: their records of before are kept for that. So nothing is ever
forgotten here, old shares included: this is for chains that one party runs.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.chainkey.effects import Heard, Remember, SendTo
from chainstack_sdk.consensus.chainkey.machine import KeyMachine
from chainstack_sdk.consensus.chainkey.payload import NO_PAYLOAD
from chainstack_sdk.consensus.chainkey.state import load_key_state
from chainstack_sdk.consensus.chainkey.storage import CHAIN_KEY_ADDRESS
from chainstack_sdk.consensus.staking.storage import MappingStorage
from chainstack_sdk.core.engine import Broadcast, Restored
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.chainkey.effects import BlockFinal, KeyInput
    from chainstack_sdk.consensus.chainkey.payload import KeyDesk, KeyPayload
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.network.final_blocks import FinalBlocks
    from chainstack_sdk.network.hosting import Member
    from chainstack_sdk.network.record import Record

FirstShares: TypeAlias = "Callable[[ValidatorSet], Mapping[int, Mapping[int, int]]]"
"""Returns shares of a key from genesis: of a committee, by index of the member and by place."""

_ENTROPY_DOMAIN = b"chainstack member key shares"
MAX_KEPT = 256
"""Changes of the machines' records that are kept, for chains that go back."""


class LocalKeys:
    """A desk with all of a chain's key machines behind it.

    Parameters
    ----------
    make
        Makes fresh machines, one for each member; called again when the chain goes back.
    addresses
        Whose machines they are, in the same order.
    final
        The chain's final blocks.
    record
        Keeps what the machines must not lose, where the chain outlives the process.
    """

    def __init__(
        self,
        make: Callable[[], Sequence[KeyMachine]],
        addresses: Sequence[bytes],
        final: FinalBlocks,
        record: Record | None = None,
    ) -> None:
        self._make = make
        self._numbers = {address: number for number, address in enumerate(addresses)}
        self._final = final
        self._record = record
        self._queue: deque[tuple[int, KeyInput]] = deque()
        stored = None if record is None else record.load()
        self._records = [b""] * len(addresses) if stored is None else _open(stored, len(addresses))
        self._kept: list[tuple[int, list[bytes]]] = [(0, list(self._records))]
        self._machines = self._restored()

    def follow(self) -> None:
        """Tell every machine of the blocks that have become final, and carry what they say to each other.

        Where another block is final at a height than before, the chain has gone back.
        """
        if self._final.go_back():
            self._go_back(0 if self._final.told is None else self._final.told.height)
        for told in self._final.new():
            self.tell(told)

    def tell(self, told: BlockFinal) -> None:
        """Tell every machine of one final block, and carry what they say to each other."""
        before = list(self._records)
        for number in range(len(self._machines)):
            self._queue.append((number, told))
        self._run()
        if self._records != before:
            self._keep(told.height)

    def payload(self, height: int) -> KeyPayload:
        """Return what a block of this height may carry."""
        return next(filter(None, (machine.payload(height) for machine in self._machines)), NO_PAYLOAD)

    def beacon(self, slot: int) -> bytes | None:
        """Return the key's signature over a slot's number, 48 bytes, or None while there is none."""
        return next(filter(None, (machine.beacon(slot) for machine in self._machines)), None)

    def signature(self, height: int) -> bytes | None:
        """Return the key's signature over the hash of the block at a height, 48 bytes, or None."""
        return next(filter(None, (machine.signature(height) for machine in self._machines)), None)

    def _restored(self) -> list[KeyMachine]:
        machines = list(self._make())
        for machine, record in zip(machines, self._records, strict=True):
            if record:
                machine.process(Restored(record))  # what it repeats to others, they have in their records
        return machines

    def _go_back(self, height: int) -> None:
        while len(self._kept) > 1 and self._kept[-1][0] > height:
            self._kept.pop()
        self._records = list(self._kept[-1][1])
        self._machines = self._restored()

    def _keep(self, height: int) -> None:
        self._kept.append((height, list(self._records)))
        del self._kept[:-MAX_KEPT]
        if self._record is not None:
            self._record.save(rlp_encode(list(self._records)))

    def _run(self) -> None:
        while self._queue:
            number, event = self._queue.popleft()
            for output in self._machines[number].process(event):
                if isinstance(output, Remember):
                    self._records[number] = output.record
                    for message in output.then:
                        self._deliver(number, message)
                else:
                    self._deliver(number, output)

    def _deliver(self, sender: int, output: Broadcast | SendTo) -> None:
        if isinstance(output, SendTo):
            receiver = self._numbers.get(output.address)
            if receiver is not None:
                self._queue.append((receiver, Heard(output.message)))
            return
        for number in range(len(self._machines)):
            if number != sender:
                self._queue.append((number, Heard(output.message)))


def member_machines(
    members: Sequence[Member], genesis: Genesis, schedule: SlotSchedule, first_shares: FirstShares | None
) -> list[KeyMachine]:
    """Return fresh machines of some members, whose secrets follow from the members' own.

    Parameters
    ----------
    first_shares
        Where shares of a key from genesis come from; None: there are none.
    """
    scheme = Secp256k1Scheme()
    initial = {} if first_shares is None else _initial_shares(genesis, first_shares)
    return [
        KeyMachine(
            genesis.chain_id,
            member.address,
            member.account.sign,
            keccak256(_ENTROPY_DOMAIN + keccak256(genesis.encode()) + member.vrf_secret),
            schedule,
            scheme,
            initial_shares=initial.get(member.address),
        )
        for member in members
    ]


def _initial_shares(genesis: Genesis, first_shares: FirstShares) -> dict[bytes, Mapping[int, int]]:
    state = load_key_state(MappingStorage(dict(genesis.accounts[CHAIN_KEY_ADDRESS].storage)))
    if state is None or state.holders is None:
        return {}
    members = state.holders.members
    return {members.members[index].address: held for index, held in first_shares(members).items()}


def _open(stored: bytes, count: int) -> list[bytes]:
    match rlp_decode(stored):
        case [*records] if len(records) == count and all(isinstance(record, bytes) for record in records):
            return [bytes(record) for record in records if isinstance(record, bytes)]
    raise InvalidInput("not the records of this many members", expected=count)


if TYPE_CHECKING:
    _check: type[KeyDesk] = LocalKeys
