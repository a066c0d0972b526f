"""One shard: a chain, its operator, and what it has to do with the others.

In each block come, in this order: what other shards sent here, and their acknowledgements; the users'
transactions; and what these put on accounts of other shards, on its way home. So coin that goes to another
shard leaves in the block of its transfer, and arrives in the next block there.

**Caveats.** The operator pays for what it carries, and as proposer it gets all fees back in the same block;
its coin only has to last for one block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from chainstack_sdk.chain.facade import Chain
from chainstack_sdk.core.gas import TX_DATA_NONZERO
from chainstack_sdk.core.messages import messages_of
from chainstack_sdk.cspv.operator import OperatorKey
from chainstack_sdk.cspv.prover import prove_message
from chainstack_sdk.cspv.schemes import ChainKeyFinality
from chainstack_sdk.cspv.verify.format import Proof
from chainstack_sdk.primitives.errors import InvariantBroken
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import Account
from chainstack_sdk.primitives.units import ether, gwei
from chainstack_sdk.system.shards.bank import BANK_ADDRESS, ENTRY_BYTES, MAX_ENTRIES, ShardBank, entries
from chainstack_sdk.system.shards.consensus import ShardConsensus
from chainstack_sdk.system.shards.reports import Sealed, Shipment
from chainstack_sdk.xchain.addresses import HUB_ADDRESS
from chainstack_sdk.xchain.hub.contract import Hub
from chainstack_sdk.xchain.hub.storage import DEFAULT_CAP
from chainstack_sdk.xchain.packets import Packet, decode_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chainstack_sdk.core.blocks import Block, Header
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.cspv.verify.paths import ItemPath
    from chainstack_sdk.primitives.errors import ChainStackError
    from chainstack_sdk.system.shards.homes import Homes
    from chainstack_sdk.xchain.packets import Acknowledgement

OPERATOR_COIN = ether(10_000)
"""Wei that each shard's operator has from the start."""
_URGENT_TIP = gwei(10)
"""Wei for each gas offered for what came from others: more than wallets offer, so it runs first."""
_GAS_BASE = 600_000
_GAS_ENTRY = 16_000
"""More gas than an account in a packet takes on either side."""
_OPERATOR_DOMAIN = b"chainstack shard operator"


class ShardSpec(NamedTuple):
    """What a shard is made of."""

    homes: Homes
    shard: int
    """Which one it is."""
    seed: bytes
    """32 secret bytes, for its operator's keys."""
    supply: int
    """Wei in the whole system, operators' included."""
    funds: dict[bytes, int]
    """Wei by address, of accounts that are at home here."""


class Shard:
    """A shard in this process.

    Parameters
    ----------
    spec
        What it is made of.
    """

    def __init__(self, spec: ShardSpec) -> None:
        self._homes, self._index = spec.homes, spec.shard
        self._operator = operator_of(spec.homes, spec.shard, spec.seed)
        self._finality = _Finality(spec.homes.chain_of(spec.shard), OperatorKey(spec.seed))
        funds = dict(spec.funds)
        funds[self._operator.address] = funds.get(self._operator.address, 0) + OPERATOR_COIN
        self.chain = Chain.in_memory(
            funds,
            chain_id=spec.homes.chain_of(spec.shard),
            consensus=ShardConsensus(spec.homes, spec.shard, self._operator.address, spec.supply),
            proposer=self._operator,
            finality=self._finality,
            keep_states=1,
        )
        """The shard's chain."""
        self._under_way: dict[tuple[int, int], Packet] = {}
        """Packets that have not been acknowledged, by destination and sequence."""
        self._taken: dict[tuple[int, int], Packet] = {}
        """Packets that will be received in a block, by source and sequence."""
        self._strays: dict[bytes, None] = {}
        """Accounts of other shards that hold coin here."""

    @property
    def anchor(self) -> bytes:
        """What the other shards have to know of this one."""
        return self._finality.anchor().to_bytes()

    def meet(self, anchors: Iterable[tuple[int, bytes]]) -> None:
        """Make other shards known to the hub, and open the channels to their banks."""
        for shard, anchor in anchors:
            register = _REGISTER.encode_call(self._homes.chain_of(shard), anchor)
            self._act(HUB_ADDRESS, register, gas=_GAS_BASE)
            self._act(BANK_ADDRESS, _CONNECT.encode_call(shard), gas=_GAS_BASE)
        while len(self.chain.pool):
            self._checked(self.chain.seal())

    def admit(self, raws: Iterable[bytes]) -> Sequence[bytes | ChainStackError]:
        """Take transactions for the next block; return for each its hash, or why it is refused."""
        return self.chain.send_many(raws, strict=False)

    def seal(self, mail: Iterable[bytes]) -> Sealed:
        """Make a block.

        Parameters
        ----------
        mail
            Proofs of messages that other shards sent to this one.

        Raises
        ------
        InvariantBroken
            When one of them was refused.
        """
        for proof in mail:
            self._take(proof)
        self._sweep()
        block = self.chain.seal()
        own, failed = self._checked(block)
        messages = self._messages(block)
        self._find_strays(block.height)
        sent, received = [], []
        for message in messages:
            if isinstance(message, Packet):
                shipment = self._shipment(message)
                self._under_way[shipment.destination, shipment.sequence] = message
                sent.append(shipment)
                continue
            packet = self._taken.pop((self._shard_at(message.destination), message.sequence))
            if not message.success:
                raise InvariantBroken("a bank could not pay out", shard=self._index, actual=message.result)
            received.append(self._shipment(packet))
        header = block.header
        return Sealed(
            *(header.height, block.hash, header.state_root, len(block.transactions) - own, header.gas_used),
            *(tuple(failed), tuple(sent), tuple(received), self.astray),
            tuple(self._proofs(header, messages)),
        )

    def look(self, address: bytes) -> tuple[int, int, int]:
        """Return an account's wei, the nonce of its next transaction, and the next block's base fee."""
        chain = self.chain
        return chain.balance(address), chain.next_nonce(address), chain.next_base_fee

    def find(self, transaction_hash: bytes) -> bool | None:
        """Tell whether a transaction succeeded; None while no block has it."""
        receipt = self.chain.find_receipt(transaction_hash)
        return None if receipt is None else receipt.succeeded

    def count(self) -> int:
        """Return the wei outside of the bank: what is on this shard."""
        return self.chain.supply() - self.chain.balance(BANK_ADDRESS)

    @property
    def astray(self) -> int:
        """Wei of accounts of other shards."""
        return sum(map(self.chain.balance, self._strays))

    # What it carries

    def _take(self, proof: bytes) -> None:
        """Put another shard's message into the next block."""
        body = cast("ItemPath", Proof.from_bytes(proof).body)
        message = decode_message(body.item)
        if isinstance(message, Packet):
            packet, call = message, _RECEIVE.encode_call(proof)
            self._taken[self._shard_at(message.source), message.sequence] = packet
        else:
            packet = self._under_way.pop((self._shard_at(message.source), message.sequence))
            call = _ACKNOWLEDGE.encode_call(packet.encode(), proof)
        self._act(HUB_ADDRESS, call, gas=_gas_for(len(packet.payload) // ENTRY_BYTES, call), urgent=True)

    def _sweep(self) -> None:
        """Put coin of accounts of other shards on its way: what is there, and what this block will put there.

        The latter is left for the next block when this one is not sure to have room for everything.
        """
        chain = self.chain
        free = dict.fromkeys(range(self._homes.count), DEFAULT_CAP)
        for destination, _ in self._under_way:
            free[destination] -= 1
        self._send_home(self._strays, free, urgent=True)
        waiting = list(chain.pool)
        if sum(transaction.gas for transaction in waiting) <= chain.head.header.gas_limit // 2:
            self._send_home((cast("bytes", transaction.to) for transaction in waiting), free)

    def _send_home(self, addresses: Iterable[bytes], free: dict[int, int], *, urgent: bool = False) -> None:
        """Send the coin of accounts home, in no more packets than channels have free."""
        home_of = self._homes.shard_of
        by_home: dict[int, dict[bytes, None]] = {}
        for address in addresses:
            home = home_of(address)
            if home != self._index and not self.chain.code(address):
                by_home.setdefault(home, {})[address] = None
        for home, accounts in sorted(by_home.items()):
            listed = list(accounts)
            for start in range(0, len(listed), MAX_ENTRIES)[: free[home]]:
                some = listed[start : start + MAX_ENTRIES]
                call = _SEND.encode_call(home, b"".join(some))
                self._act(BANK_ADDRESS, call, gas=_gas_for(len(some), call), urgent=urgent)
                free[home] -= 1

    def _act(self, to: bytes, data: bytes, *, gas: int, urgent: bool = False) -> None:
        chain = self.chain
        tip = _URGENT_TIP if urgent else 0
        chain.send(chain.sign(self._operator, to, data=data, gas=gas, tip=tip))

    # What a block came to

    def _checked(self, block: Block) -> tuple[int, list[bytes]]:
        """Return how many of a block's transactions are the operator's, and the others that failed.

        Raises
        ------
        InvariantBroken
            When one of the operator's failed.
        """
        own, failed = 0, []
        receipts = self.chain.blockchain.ledger.receipts(block.height)
        for transaction, receipt in zip(block.transactions, receipts, strict=False):  # one may be left over
            if transaction.sender == self._operator.address:
                own += 1
                _require_success(self._index, receipt)
            elif not receipt.succeeded:
                failed.append(receipt.transaction_hash)
        return own, failed

    def _messages(self, block: Block) -> list[Packet | Acknowledgement]:
        return [
            decode_message(data) for data in messages_of(self.chain.blockchain.ledger.receipts(block.height))
        ]

    def _find_strays(self, height: int) -> None:
        """Look for accounts of other shards among those that a block has changed."""
        undo = self.chain.blockchain.ledger.undo(height)
        balances = () if undo is None else undo.balances
        chain, home_of, here = self.chain, self._homes.shard_of, self._index
        self._strays = {
            address: None
            for address in (*self._strays, *balances)
            if home_of(address) != here and chain.balance(address) and not chain.code(address)
        }

    def _shipment(self, packet: Packet) -> Shipment:
        amount = sum(amount for _, amount in entries(packet.payload))
        source, destination = self._shard_at(packet.source), self._shard_at(packet.destination)
        return Shipment(source, destination, packet.sequence, amount)

    def _proofs(
        self, header: Header, messages: Sequence[Packet | Acknowledgement]
    ) -> Iterator[tuple[int, bytes]]:
        for index, message in enumerate(messages):
            proof = prove_message(self.chain.blockchain, self._finality, header.height, index)
            yield self._shard_at(message.destination), proof.to_bytes()

    def _shard_at(self, chain_id: int) -> int:
        return chain_id - self._homes.first_chain


def operator_of(homes: Homes, shard: int, seed: bytes) -> Account:
    """Return the account of a shard's operator: the first out of a seed that is at home on the shard."""
    number = 0
    while True:
        secret = keccak256(b"".join((_OPERATOR_DOMAIN, number.to_bytes(8, "big"), seed)))
        account = Account.from_key(secret)
        if homes.shard_of(account.address) == shard:
            return account
        number += 1


class _Finality(ChainKeyFinality):
    """Signs each block once, however many proofs are about it."""

    def __init__(self, chain_id: int, key: OperatorKey) -> None:
        super().__init__(chain_id, lambda: key.public_key, self._sign_once)
        self._operator_key = key
        self._newest = b"", b""

    def _sign_once(self, header: Header) -> bytes:
        if self._newest[0] != header.hash:
            self._newest = header.hash, self._operator_key.sign(header.hash)
        return self._newest[1]


def _gas_for(accounts: int, call: bytes) -> int:
    return _GAS_BASE + _GAS_ENTRY * accounts + 4 * TX_DATA_NONZERO * len(call)


def _require_success(shard: int, receipt: Receipt) -> None:
    if not receipt.succeeded:
        raise InvariantBroken("a shard refused what its operator carried", shard=shard, actual=receipt.output)


_REGISTER = Hub.abi_function("registerChain")
_RECEIVE = Hub.abi_function("receivePacket")
_ACKNOWLEDGE = Hub.abi_function("acknowledge")
_CONNECT = ShardBank.abi_function("connect")
_SEND = ShardBank.abi_function("send")
