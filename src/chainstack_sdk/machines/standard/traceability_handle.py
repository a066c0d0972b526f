"""Lines of traced products on a chain as Python objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from chainstack_sdk.core.native.slots import mapping_slot, slot
from chainstack_sdk.machines.handle import MachineEvent
from chainstack_sdk.machines.standard.handle import StandardHandle
from chainstack_sdk.machines.standard.traceability import Traceability
from chainstack_sdk.machines.storage import first_slots
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer

    Label = str | bytes

Condition = Traceability.Condition
Status = Traceability.Status

PROVABLE = ("status", "batch", "holder", "receiver", "condition", "recalled", "opened", "best_before")
"""Fields of things and batches whose slots :meth:`ProductLine.slot_of` finds."""


def label_id(label: Label) -> bytes:
    """Return the 32 bytes by which the chain knows a thing or a batch.

    Parameters
    ----------
    label
        Text as it is printed on the thing, of which the Keccak-256 hash is taken; or the 32 bytes themselves.

    Raises
    ------
    UsageError
        When the text is empty or holds lone surrogates, or there are not 32 bytes.
    """
    if isinstance(label, str) and label:
        try:
            return keccak256(label.encode())
        except UnicodeEncodeError:
            raise UsageError("a label does not hold lone surrogates") from None
    if isinstance(label, bytes) and len(label) == 32:
        return label
    raise UsageError("a label is a text, or 32 bytes", actual=label)


@dataclass(frozen=True, slots=True)
class Item:
    """A thing as it stands."""

    status: Status
    batch: bytes
    """32 bytes."""
    holder: bytes
    """Who has it, or its certificate, 20 bytes; nobody's address when it was sold to nobody named."""
    receiver: bytes
    """To whom it is offered, 20 bytes; nobody's address when it is not."""
    condition: Condition
    """The worse of its own and its batch's."""
    recalled: bool
    """Whether it, or its batch, is recalled."""
    best_before: int
    """Unix seconds; 0: for ever."""
    may_be_sold: bool

    @property
    def is_genuine(self) -> bool:
        """Whether the maker has registered it."""
        return self.status is not Status.unknown

    @property
    def is_offered(self) -> bool:
        """Whether it is on its way to a receiver who has not accepted it yet."""
        return self.receiver != ZERO_ADDRESS


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it stands."""

    opened: int
    """Unix seconds; 0: there is no such batch."""
    best_before: int
    """Unix seconds; 0: for ever."""
    condition: Condition
    recalled: bool


class ProductLine(StandardHandle):
    """A line of traced products on a chain.

    Things and batches go by their labels, see :func:`label_id`. Whoever is named first signs the transaction
    and pays its fee. What the machine refuses raises :class:`~chainstack_sdk.primitives.errors.Reverted` with
    the reason.

    Parameters
    ----------
    host
        The chain.
    address
        Where the machine is; nothing is checked.
    """

    machine_class = Traceability

    @classmethod
    def issue(
        cls,
        host: ContractHost,
        maker: Signer,
        *,
        product: str,
        regulators: Sequence[AddressLike],
        temperature: tuple[int, int],
        humidity: tuple[int, int],
        gas: int | None = None,
    ) -> Self:
        """Issue a line of products by one transaction.

        Parameters
        ----------
        maker
            Who signs, and is the maker from then on.
        product
            What it is, at most 64 bytes.
        regulators
            Three accounts, none of them the maker, of whom two appoint inspectors and may recall.
        temperature, humidity
            Lowest and highest within which things are to be kept, in the unit of the sensors.
        gas
            Gas limit; found by the chain when not given.

        Raises
        ------
        UsageError
            When the arguments do not fit, or the chain has no deployer of machines.
        Reverted
            When the machine refuses them.
        """
        made = Traceability.deploy(
            host,
            maker,
            gas=gas,
            regulators=list(regulators),
            product=product,
            coldest=temperature[0],
            warmest=temperature[1],
            driest=humidity[0],
            dampest=humidity[1],
        )
        return cls(host, made.address)

    # Questions

    def item(self, label: Label, *, block: int | None = None) -> Item:
        """Return how a thing stands, at a block or now; one that is unknown was not made by the maker."""
        status, batch, holder, receiver, condition, *rest = self.read("thing", label_id(label), block=block)
        parties = bytes(holder), bytes(receiver)
        return Item(Status(status), bytes(batch), *parties, Condition(condition), *rest)

    def batch(self, label: Label, *, block: int | None = None) -> Batch:
        """Return how a batch stands, at a block or now."""
        opened, until, condition, recalled = self.read("batch_of", label_id(label), block=block)
        return Batch(opened, until, Condition(condition), recalled)

    def history(self, label: Label) -> list[MachineEvent]:
        """Return all that happened to a thing and to its batch, or to a batch, in chain order."""
        thing = label_id(label)
        batch = bytes(self.read("thing", thing)[1])
        found = self.events(topics=(None, (thing, batch)))
        return [each for each in found if "thing" in each.args]  # an account may have the same number

    def holders(self, label: Label) -> list[bytes]:
        """Return who has had a thing, 20 bytes each, the maker first; empty for a batch."""
        names = {"Registered": "", "HandedOver": "receiver", "Sold": "buyer"}
        found = [each for each in self.history(label) if each.name in names]
        maker = self.read("line")[0]
        return [bytes(each.args.get(names[each.name], maker)) for each in found]

    def slot_of(self, field: str, label: Label) -> int:
        """Return the number of the slot where the chain keeps something about a thing or a batch.

        With it a light client asks for a proof, and needs to trust no node.

        Parameters
        ----------
        field
            One of :data:`PROVABLE`. A slot holds the number of the status or condition, 0 or 1 for recalls,
            20 bytes for accounts, Unix seconds for times.
        """
        if field not in PROVABLE:
            raise UsageError("nothing is kept under this name", actual=field, expected=", ".join(PROVABLE))
        names = [each.name for each in self.machine.fields]
        base = slot(first_slots(self.machine)[names.index(field)])
        return int.from_bytes(mapping_slot(base, label_id(label)))

    # Transactions of maker and regulators

    def admit(
        self, maker: Signer, who: AddressLike, *, dealer: bool = False, sensor: bool = False
    ) -> Receipt:
        """Say whether an account is a dealer, a sensor, both or neither."""
        return self.send(maker, "admit", who, dealer, sensor)

    def appoint(self, regulator: Signer, who: AddressLike, inspector: bool = True) -> Receipt:
        """Say whether an account is an inspector; happens when a second regulator says the same."""
        return self.send(regulator, "appoint", who, inspector, self.read("changes_of", who))

    def open_batch(self, maker: Signer, batch: Label, *, best_before: int = 0) -> Receipt:
        """Open a batch; its things may be sold until a time, Unix seconds, or for ever."""
        return self.send(maker, "open_batch", label_id(batch), best_before)

    def register(self, maker: Signer, batch: Label, labels: Sequence[Label]) -> list[Receipt]:
        """Register things of a batch, 16 in each transaction."""
        return [
            self.send(maker, "register", label_id(batch), things)
            for things in _in_portions([label_id(each) for each in labels], Traceability.AT_ONCE)
        ]

    def discontinue(self, maker: Signer) -> Receipt:
        """Make no more of it; what there is lives on."""
        return self.send(maker, "discontinue")

    def recall(self, who: Signer, label: Label, reason: str) -> Receipt:
        """Call a thing or a batch back for ever.

        Parameters
        ----------
        who
            The maker, by whom it is recalled at once; or a regulator, of whom two must say the same.
        reason
            At most 64 bytes.
        """
        maker = bytes(self.read("line")[0])
        function = "recall" if who.address == maker else "order_recall"
        return self.send(who, function, label_id(label), reason)

    def sweep(self, maker: Signer) -> Receipt:
        """Take coin that somebody has sent to the machine by mistake."""
        return self.send(maker, "sweep")

    # Transactions of those who have a thing

    def offer(self, holder: Signer, label: Label, to: AddressLike) -> Receipt:
        """Offer a thing to a dealer or the maker, or the certificate of a sold one to anybody."""
        return self.send(holder, "offer", label_id(label), to)

    def cancel(self, who: Signer, label: Label) -> Receipt:
        """Take an offer back as its holder, or decline it as its receiver."""
        return self.send(who, "cancel", label_id(label))

    def accept(self, receiver: Signer, label: Label) -> Receipt:
        """Take a thing over."""
        return self.send(receiver, "accept", label_id(label))

    def sell(self, dealer: Signer, label: Label, buyer: AddressLike = ZERO_ADDRESS) -> Receipt:
        """Sell a thing out of the trade; a buyer who is named has its certificate."""
        return self.send(dealer, "sell", label_id(label), buyer)

    def destroy(self, holder: Signer, label: Label) -> Receipt:
        """Say that a thing is no more."""
        return self.send(holder, "destroy", label_id(label))

    # Transactions of sensors and inspectors

    def measure(self, sensor: Signer, label: Label, *, temperature: int, humidity: int) -> Receipt:
        """Tell how a thing or a batch is kept."""
        return self.send(sensor, "measure", label_id(label), temperature, humidity)

    def inspect(self, inspector: Signer, label: Label, *, passed: bool, report: bytes = b"") -> Receipt:
        """Pass or fail a thing or a batch; of the report, the chain keeps the Keccak-256 hash."""
        return self.send(inspector, "inspect", label_id(label), passed, keccak256(report))


def _in_portions(things: Sequence[bytes], size: int) -> Iterator[list[bytes]]:
    for first in range(0, len(things), size):
        portion = list(things[first : first + size])
        yield portion + [bytes(32)] * (size - len(portion))
