"""Registries of identities and rights as Python objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.machines.standard.handle import StandardHandle
from chainstack_sdk.machines.standard.registry import RightsRegistry
from chainstack_sdk.primitives.address import ZERO_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from chainstack_sdk.core.native.host import ContractHost
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.machines.handle import MachineEvent
    from chainstack_sdk.machines.standard.credential import Credential, Disclosure
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer

FOREVER = (1 << 256) - 1
"""A time that never comes."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a registry says under an id. Addresses are 20 bytes, times Unix seconds."""

    id: bytes
    """32 bytes."""
    holder: bytes
    issuer: bytes
    root: bytes
    """Of the tree over its attributes, 32 bytes."""
    until: int
    """The last second in which it stands."""
    transferable: bool
    revoked: bool
    offered: bytes
    """To whom; the zero address for nobody."""
    granted: int
    """How many licences have been granted or made longer, those that are over included."""


class RegistryHandle(StandardHandle):
    """A registry of identities and rights on a chain.

    Ids are 32 bytes: the hash of a work, a number, whatever the issuer chooses. What a registrar does happens
    when a second one has done the same.
    """

    machine_class = RightsRegistry

    @classmethod
    def issue(
        cls,
        host: ContractHost,
        sender: Signer,
        *,
        registrars: Sequence[AddressLike],
        gas: int | None = None,
    ) -> Self:
        """Open a registry by one transaction.

        Parameters
        ----------
        host
            A chain with the deployer of machines.
        sender
            Who signs and pays.
        registrars
            Three different accounts, of which two must agree.
        gas
            Gas limit; found by the chain when not given.

        Raises
        ------
        UsageError
            When the arguments do not fit, or the chain has no deployer.
        Reverted
            When a registrar is nobody, or stands twice.
        """
        return cls(host, RightsRegistry.deploy(host, sender, gas=gas, registrars=registrars).address)

    # Questions

    def record(self, id: bytes, *, block: int | None = None) -> Record | None:
        """Return what is registered under an id, at a block or now; None when nothing ever was."""
        found = Record(id, *self.read("record", id, block=block))
        return None if found.holder == ZERO_ADDRESS else found

    def stands(self, id: bytes) -> bool:
        """Tell whether a record is there, in time and not revoked."""
        return bool(self.read("stands", id))

    def is_issuer(self, who: AddressLike) -> bool:
        """Tell whether somebody may register."""
        return bool(self.read("issues", who))

    def registrars(self) -> tuple[bytes, ...]:
        """Return the three registrars, 20 bytes each."""
        return tuple(self.read("members"))

    def licence(self, id: bytes, who: AddressLike) -> int | None:
        """Return until when somebody may use it, Unix seconds; None when not at all, or not any more."""
        return int(self.read("licence", id, who)) or None

    def proves(self, id: bytes, shown: Disclosure) -> bool:
        """Ask the chain whether a record stands and has an attribute."""
        proof = shown.proof
        return bool(
            self.read("proves", id, shown.name, shown.value, shown.salt, proof.index, proof.depth, shown.path)
        )

    def history(self, id: bytes) -> list[MachineEvent]:
        """Return all that has happened to a record, in chain order."""
        return [each for each in self.events() if each.args.get("id") == id]

    # What registrars do

    def admit(self, registrar: Signer, issuer: AddressLike) -> Receipt:
        """Let somebody register."""
        return self.send(registrar, "admit", issuer, self.read("changes_of", issuer))

    def dismiss(self, registrar: Signer, issuer: AddressLike) -> Receipt:
        """Let somebody neither register nor revoke any more; what they have registered stands."""
        return self.send(registrar, "dismiss", issuer, self.read("changes_of", issuer))

    def strike(self, registrar: Signer, id: bytes) -> Receipt:
        """Revoke a record that should never have been made."""
        return self.send(registrar, "strike", id)

    def appoint(self, registrar: Signer, registrars: Sequence[AddressLike]) -> Receipt:
        """Replace all three registrars."""
        return self.send(registrar, "appoint", registrars)

    # What issuers, holders and licensees do

    def register(
        self,
        sender: Signer,
        id: bytes,
        holder: AddressLike,
        credential: Credential | bytes,
        *,
        until: int = FOREVER,
        transferable: bool = False,
    ) -> Receipt:
        """Make a record.

        Parameters
        ----------
        sender
            An issuer.
        id
            32 bytes, never used before.
        holder
            For whom.
        credential
            The attributes, or their root (32 bytes); only the root goes to the chain.
        until
            The last second in which it stands, Unix time; by default for ever.
        transferable
            Whether the holder may pass it on.
        """
        root = credential if isinstance(credential, bytes) else credential.root
        return self.send(sender, "register", id, holder, root, until, transferable)

    def revoke(self, sender: Signer, id: bytes) -> Receipt:
        """End a record for ever; its issuer may, unless dismissed, and its holder."""
        return self.send(sender, "revoke", id)

    def offer(self, sender: Signer, id: bytes, to: AddressLike) -> Receipt:
        """Offer a record to somebody, its holder may; to the zero address: take the offer back."""
        return self.send(sender, "offer", id, to)

    def accept(self, sender: Signer, id: bytes, *, granted: int | None = None) -> Receipt:
        """Become the holder of what was offered, and of the licences on it.

        Parameters
        ----------
        granted
            :attr:`Record.granted` when one decided to accept: a holder who grants another licence meanwhile
            is found out, and the record not accepted. By default as many as there are now.
        """
        seen = self.read("record", id)[-1] if granted is None else granted
        return self.send(sender, "accept", id, seen)

    def grant(self, sender: Signer, id: bytes, licensee: AddressLike, *, until: int) -> Receipt:
        """License somebody until a second of Unix time, or for longer than before; the holder may."""
        return self.send(sender, "grant", id, licensee, until)

    def surrender(self, sender: Signer, id: bytes) -> Receipt:
        """Give one's licence up."""
        return self.send(sender, "surrender", id)
