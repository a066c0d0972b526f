"""Attributes that are proven one by one: salted leaves, their root, disclosures.

The tree is that of :mod:`chainstack_sdk.core.merkle`, with whole words in front of what is hashed, so that
machines and contracts compute it with words only::

    leaf   keccak(0 ‖ keccak(name) ‖ keccak(value) ‖ salt)     four words of 32 bytes
    node   keccak(1 ‖ left ‖ right)                            three words

The leaves stand in the order of the attributes' names. Each has a salt of its own, so that nobody finds out
by trying what has not been shown. How many attributes there are shows up to the next power of two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from chainstack_sdk.core.merkle import BinaryMerkleProof, BinaryMerkleTree, MerkleDomain
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DEPTH = 16
"""Levels of a tree: at most 2^16 attributes."""
MAX_NAME = 64
"""Bytes of an attribute's name."""
MAX_VALUE = 256
"""Bytes of its value."""
WORDS = MerkleDomain(bytes(32), (1).to_bytes(32, "big"))
"""What tells leaves and nodes apart."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One attribute of a record, with the proof that it belongs to it and nothing else of the record.

    Whoever has seen it can show it to others: a verifier who wants to know that it is the holder who shows it
    has the holder sign something new.

    Raises
    ------
    InvalidInput
        On construction, when the parts cannot belong to a record.
    """

    name: str
    value: str
    salt: bytes
    """32 bytes."""
    proof: BinaryMerkleProof

    def __post_init__(self) -> None:
        if len(self.salt) != 32:
            raise InvalidInput("a salt is 32 bytes", actual=len(self.salt))
        if self.proof.depth > MAX_DEPTH:
            raise InvalidInput("the tree of a record is not so deep", actual=self.proof.depth)
        if not _fits(self.name, self.value):
            raise InvalidInput("an attribute is too long, or no text", actual=self.name[:MAX_NAME])

    @property
    def root(self) -> bytes:
        """The root of the record that has this attribute, 32 bytes."""
        return self.proof.root_of(_item(self.name, self.value, self.salt), WORDS)

    @property
    def path(self) -> tuple[bytes, ...]:
        """The siblings, filled up with zeros to as many as a machine takes."""
        siblings = self.proof.siblings
        return (*siblings, *[bytes(32)] * (MAX_DEPTH - len(siblings)))

    def verify(self, root: bytes) -> None:
        """Check that a record with this root has this attribute.

        Raises
        ------
        InvalidInput
            When it has not.
        """
        if self.root != root:
            raise InvalidInput("the record has no such attribute", expected=root, actual=self.root)

    def to_bytes(self) -> bytes:
        """Return the encoding: the RLP of name, value, salt (32 bytes) and the encoded Merkle proof."""
        return rlp_encode([self.name.encode(), self.value.encode(), self.salt, self.proof.to_bytes()])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode what :meth:`to_bytes` made; it is not verified by that.

        Raises
        ------
        InvalidInput
            When it is no such encoding.
        """
        match rlp_decode(data):
            case [bytes() as name, bytes() as value, bytes() as salt, bytes() as proof]:
                try:
                    texts = name.decode(), value.decode()
                except UnicodeDecodeError as error:
                    raise InvalidInput("the text of an attribute is not UTF-8") from error
                return cls(*texts, salt, BinaryMerkleProof.from_bytes(proof))
        raise InvalidInput("not a disclosure")


class Credential:
    """All attributes of one record, as issuer and holder have them.

    Parameters
    ----------
    attributes
        Text by name: names of at most 64 bytes, values of at most 256, and at most 2^16 of them.
    seed
        32 secret bytes that no other record is made with: all salts follow from it.

    Raises
    ------
    UsageError
        When there are no attributes, too many or too long ones, or the seed has another length.
    """

    def __init__(self, attributes: Mapping[str, str], seed: bytes) -> None:
        if len(seed) != 32:
            raise UsageError("a seed is 32 bytes", actual=len(seed))
        if not 0 < len(attributes) <= 1 << MAX_DEPTH:
            raise UsageError("a record has from 1 to 2^16 attributes", actual=len(attributes))
        for name, value in attributes.items():
            if not _fits(name, value):
                raise UsageError("an attribute is too long, or no text", actual=name[:MAX_NAME])
        self.attributes = dict(sorted(attributes.items()))
        """By name, in the order of the leaves."""
        self._salts = [keccak256(seed + keccak256(name.encode())) for name in self.attributes]
        texts = zip(self.attributes.items(), self._salts, strict=True)
        self._tree = BinaryMerkleTree([_item(*pair, salt) for pair, salt in texts], WORDS)

    @property
    def root(self) -> bytes:
        """What is registered: 32 bytes."""
        return self._tree.root

    def disclose(self, name: str) -> Disclosure:
        """Return one attribute with its proof.

        Raises
        ------
        UsageError
            When there is none of this name.
        """
        if name not in self.attributes:
            raise UsageError("no such attribute", actual=name, expected=", ".join(self.attributes))
        at = list(self.attributes).index(name)
        return Disclosure(name, self.attributes[name], self._salts[at], self._tree.prove(at))


def _fits(name: str, value: str) -> bool:
    """Tell whether these can be an attribute; half of a surrogate pair has no bytes."""
    try:
        return len(name.encode()) <= MAX_NAME and len(value.encode()) <= MAX_VALUE
    except UnicodeEncodeError:
        return False


def _item(name: str, value: str, salt: bytes) -> bytes:
    """Return what a leaf hashes after its first word."""
    return keccak256(name.encode()) + keccak256(value.encode()) + salt
