import pytest

from chainstack_sdk.paradigms.erc20 import UNLIMITED, Erc20
from chainstack_sdk.paradigms.permit import DOMAIN_TYPEHASH, PERMIT_TYPEHASH, domain_separator, permit_digest
from chainstack_sdk.primitives.address import to_checksum_address
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keys import HALF_N, N, recover

VALUE = 42


@pytest.fixture
def token(chain, alice):
    return chain.erc20.issue(alice, name="My Token", symbol="MTKN", supply=100)


def typed_data(chain, token, owner, spender, **fields):
    """The message as wallets see it (EIP-712), for the oracle."""
    return {
        "domain": {
            "name": "My Token",
            "version": "1",
            "chainId": chain.chain_id,
            "verifyingContract": to_checksum_address(token),
        },
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Permit": [
                {"name": "owner", "type": "address"},
                {"name": "spender", "type": "address"},
                {"name": "value", "type": "uint256"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ],
        },
        "primaryType": "Permit",
        "message": {
            "owner": to_checksum_address(owner),
            "spender": to_checksum_address(spender),
            "value": VALUE,
            "nonce": 0,
            "deadline": UNLIMITED,
            **fields,
        },
    }


def test_the_type_hashes_are_those_of_the_standards():
    assert PERMIT_TYPEHASH.hex() == "6e71edae12b1b97f4d1f60370fef10105fa2faae0126114a169c64845d6126c9"
    assert DOMAIN_TYPEHASH.hex() == "8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f"


def test_wallets_sign_the_same(chain, token, alice, bob):
    """eth-account is the oracle of the domain, the digest and the signature."""
    from eth_account import Account as OracleAccount
    from eth_account.messages import encode_typed_data

    message = encode_typed_data(full_message=typed_data(chain, token, alice, bob))
    assert message.header == token.read("DOMAIN_SEPARATOR")
    signed = OracleAccount.from_key(alice.secret_key).sign_message(message)
    assert token.sign_permit(alice, bob, VALUE) == bytes(signed.signature)


def test_the_domain(chain, token):
    expected = domain_separator("My Token", chain.chain_id, token.address)
    assert token.read("DOMAIN_SEPARATOR") == expected
    assert token.read("eip712Domain") == (
        b"\x0f",
        "My Token",
        "1",
        chain.chain_id,
        token.address,
        bytes(32),
        (),
    )


def test_a_permit_approves(chain, token, alice, bob, carol, emitted):
    assert token.nonce_of(alice) == 0
    receipt = token.permit(carol, alice, bob, VALUE, token.sign_permit(alice, bob, VALUE))
    assert (token.nonce_of(alice), token.allowance(alice, bob)) == (1, VALUE)
    assert emitted(receipt, Erc20) == [("Approval", (alice.address, bob.address, VALUE))]
    assert receipt.gas_used > 21_000 + 3_000
    token.transfer_from(bob, alice, bob, VALUE)


def test_each_permit_works_once(token, alice, bob, carol, reverts):
    signature = token.sign_permit(alice, bob, VALUE)
    token.permit(carol, alice, bob, VALUE, signature)
    digest = permit_digest(token.read("DOMAIN_SEPARATOR"), alice.address, bob.address, VALUE, 1, UNLIMITED)
    somebody = recover(digest, signature[:64] + bytes([signature[64] - 27]))
    with reverts(Erc20.ERC2612InvalidSigner, somebody, alice.address):
        token.permit(carol, alice, bob, VALUE, signature)
    assert token.nonce_of(alice) == 1


def test_permits_can_be_signed_ahead(token, alice, bob, carol):
    second = token.sign_permit(alice, bob, 2, nonce=1)
    token.permit(carol, alice, bob, 1, token.sign_permit(alice, bob, 1))
    token.permit(carol, alice, bob, 2, second)
    assert token.allowance(alice, bob) == 2


def test_another_signer(token, alice, bob, carol, reverts):
    digest = permit_digest(token.read("DOMAIN_SEPARATOR"), alice.address, bob.address, VALUE, 0, UNLIMITED)
    signature = carol.sign(digest)
    with reverts(Erc20.ERC2612InvalidSigner, carol.address, alice.address):
        token.permit(carol, alice, bob, VALUE, signature[:64] + bytes([signature[64] + 27]))
    assert token.nonce_of(alice) == 0


def test_another_token_or_chain(chain, make_chain, token, alice, bob, carol):
    other = chain.erc20.issue(alice, name="My Token", symbol="MTKN", supply=100)
    assert other.read("DOMAIN_SEPARATOR") != token.read("DOMAIN_SEPARATOR")
    elsewhere = make_chain(chain_id=5).erc20.issue(alice, name="My Token", symbol="MTKN", supply=100)
    assert elsewhere.address == token.address
    assert elsewhere.read("DOMAIN_SEPARATOR") != token.read("DOMAIN_SEPARATOR")


def test_the_deadline(chain, token, alice, bob, carol, reverts):
    now = chain.clock.next_block_ms(chain.head.timestamp_ms) // 1000
    for deadline in (now, now + 10):
        signature = token.sign_permit(alice, bob, VALUE, deadline=deadline)
        token.permit(carol, alice, bob, VALUE, signature, deadline=deadline)
    past = chain.head.timestamp_ms // 1000
    signature = token.sign_permit(alice, bob, VALUE, deadline=past)
    with reverts(Erc20.ERC2612ExpiredSignature, past):
        token.permit(carol, alice, bob, VALUE, signature, deadline=past)


def test_the_second_form_of_a_signature(token, alice, bob, carol, reverts):
    signature = token.sign_permit(alice, bob, VALUE)
    s = N - int.from_bytes(signature[32:64], "big")
    turned = signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])
    with reverts(Erc20.ECDSAInvalidSignatureS, s.to_bytes(32, "big")):
        token.permit(carol, alice, bob, VALUE, turned)
    half = HALF_N.to_bytes(32, "big")
    with reverts(Erc20.ECDSAInvalidSignature):
        token.permit(carol, alice, bob, VALUE, bytes(32) + half + b"\x1b")


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_other_values_of_v(token, alice, bob, carol, reverts, v):
    signature = token.sign_permit(alice, bob, VALUE)[:64] + bytes([v])
    with reverts(Erc20.ECDSAInvalidSignature):
        token.permit(carol, alice, bob, VALUE, signature)


@pytest.mark.parametrize("r", [0, N, (1 << 256) - 1, 5])
def test_points_that_are_not_on_the_curve(token, alice, bob, carol, reverts, r):
    signature = r.to_bytes(32, "big") + token.sign_permit(alice, bob, VALUE)[32:]
    with reverts(Erc20.ECDSAInvalidSignature):
        token.permit(carol, alice, bob, VALUE, signature)


def test_a_spender_that_cannot_be(token, alice, carol, reverts):
    signature = token.sign_permit(alice, bytes(20), VALUE)
    with reverts(Erc20.ERC20InvalidSpender, bytes(20)):
        token.permit(carol, alice, bytes(20), VALUE, signature)


def test_signatures_have_65_bytes(token, alice, bob, carol):
    with pytest.raises(UsageError, match="65 bytes"):
        token.permit(carol, alice, bob, VALUE, bytes(64))
