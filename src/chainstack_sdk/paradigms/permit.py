"""Approvals by signature (EIP-2612) over typed data (EIP-712), as OpenZeppelin's ``ERC20Permit``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core import gas
from chainstack_sdk.core.native.contract import error, event, external
from chainstack_sdk.core.native.slots import mapping_slot, slot
from chainstack_sdk.paradigms.template import Paradigm
from chainstack_sdk.primitives.abi import codec
from chainstack_sdk.primitives.address import ZERO_ADDRESS
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import HALF_N, recover

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

PERMIT_TYPEHASH = keccak256(
    b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
"""Hash of the signed structure's type (EIP-2612)."""
DOMAIN_TYPEHASH = keccak256(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
"""Hash of the domain's type (EIP-712)."""
DOMAIN_VERSION = "1"
"""The version in the domain of every token here."""

_DOMAIN = codec(("bytes32", "bytes32", "bytes32", "uint256", "address"))
_PERMIT = codec(("bytes32", "address", "address", "uint256", "uint256", "uint256"))
_DOMAIN_FIELDS = b"\x0f"  # name, version, chainId and verifyingContract, but no salt (EIP-5267)
_NONCES = slot(7)
_HASHING_GAS = 3 * (gas.KECCAK + 6 * gas.KECCAK_WORD)


def domain_separator(name: str, chain_id: int, token: bytes) -> bytes:
    """Return the hash (32 bytes) that binds signatures to a token of this name on this chain."""
    return keccak256(
        _DOMAIN.encode(
            (DOMAIN_TYPEHASH, keccak256(name.encode()), keccak256(DOMAIN_VERSION.encode()), chain_id, token)
        )
    )


def permit_digest(
    separator: bytes, owner: bytes, spender: bytes, value: int, nonce: int, deadline: int
) -> bytes:
    """Return the digest (32 bytes) that an owner signs to approve a spender.

    Parameters
    ----------
    separator
        The token's ``DOMAIN_SEPARATOR()``, 32 bytes.
    nonce
        How many permits the owner has used on this token.
    deadline
        Unix time in seconds after which the permit is void.
    """
    message = keccak256(_PERMIT.encode((PERMIT_TYPEHASH, owner, spender, value, nonce, deadline)))
    return keccak256(b"\x19\x01" + separator + message)


class Permit(Paradigm):
    """Mixin of a token: ``permit``, ``nonces``, ``DOMAIN_SEPARATOR``, ``eip712Domain``."""

    EIP712DomainChanged = event("event EIP712DomainChanged()")
    ERC2612ExpiredSignature = error("error ERC2612ExpiredSignature(uint256 deadline)")
    ERC2612InvalidSigner = error("error ERC2612InvalidSigner(address signer, address owner)")
    ECDSAInvalidSignature = error("error ECDSAInvalidSignature()")
    ECDSAInvalidSignatureS = error("error ECDSAInvalidSignatureS(bytes32 s)")

    if TYPE_CHECKING:

        def set_allowance(self, call: Call, owner: bytes, spender: bytes, value: int) -> None:
            """Approve, and tell of it: what a permit leads to. The token that mixes this in defines it."""

    @external(
        "function permit(address owner, address spender, uint256 value, uint256 deadline, "
        "uint8 v, bytes32 r, bytes32 s)"
    )
    def permit(
        self, call: Call, owner: bytes, spender: bytes, value: int, deadline: int, v: int, r: bytes, s: bytes
    ) -> None:
        """Approve in the name of an owner who has signed for it, whoever sends the transaction."""
        call.require(call.block.timestamp <= deadline, self.ERC2612ExpiredSignature, deadline)
        nonces = mapping_slot(_NONCES, owner)
        nonce = call.load(nonces)
        call.store(nonces, nonce + 1)
        call.charge(gas.SIGNATURE_RECOVERY + _HASHING_GAS)
        separator = domain_separator(self.config.name, call.block.chain_id, call.address)
        signer = self._signer(call, permit_digest(separator, owner, spender, value, nonce, deadline), v, r, s)
        call.require(signer == owner, self.ERC2612InvalidSigner, signer, owner)
        self.set_allowance(call, owner, spender, value)

    @external("function nonces(address owner) view returns (uint256)")
    def nonces(self, call: Call, owner: bytes) -> int:
        """Return how many permits of an owner have been used; the next one is signed with this number."""
        return call.load(mapping_slot(_NONCES, owner))

    @external("function DOMAIN_SEPARATOR() view returns (bytes32)")
    def domain_separator(self, call: Call) -> bytes:
        """Return the hash that binds signatures to this token on this chain (EIP-712)."""
        return domain_separator(self.config.name, call.block.chain_id, call.address)

    @external(
        "function eip712Domain() view returns (bytes1 fields, string name, string version, "
        "uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)"
    )
    def eip712_domain(self, call: Call) -> tuple[bytes, str, str, int, bytes, bytes, tuple[int, ...]]:
        """Return the parts of the domain (EIP-5267)."""
        chain_id = call.block.chain_id
        return _DOMAIN_FIELDS, self.config.name, DOMAIN_VERSION, chain_id, call.address, bytes(32), ()

    def _signer(self, call: Call, digest: bytes, v: int, r: bytes, s: bytes) -> bytes:
        """Return who signed, refusing the second form that every signature has (EIP-2)."""
        call.require(int.from_bytes(s, "big") <= HALF_N, self.ECDSAInvalidSignatureS, s)
        call.require(v in (27, 28), self.ECDSAInvalidSignature)
        try:
            signer = recover(digest, r + s + bytes((v - 27,)))
        except InvalidInput as refusal:
            raise call.error(self.ECDSAInvalidSignature) from refusal
        call.require(signer != ZERO_ADDRESS, self.ECDSAInvalidSignature)
        return signer
