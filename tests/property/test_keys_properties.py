"""Keys, signatures and addresses against eth-account, eth-keys and eth-utils."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what other packages warn of at import is not ours
    import eth_keys
    import eth_utils
    from eth_account import Account as EthAccount
    from eth_account.messages import encode_defunct

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainstack_sdk.primitives import (
    Account,
    InvalidInput,
    N,
    contract_address,
    hash_message,
    recover,
    recover_sender,
    to_address,
    to_checksum_address,
)

secrets = st.integers(1, N - 1)
digests = st.binary(min_size=32, max_size=32)


@settings(max_examples=25)
@given(secrets, digests)
def test_signatures_are_the_oracles(secret, digest):
    account = Account.from_key(secret)
    oracle = eth_keys.keys.PrivateKey(account.secret_key)
    assert account.public_key == oracle.public_key.to_bytes()
    assert account.address == oracle.public_key.to_canonical_address()
    signature = account.sign(digest)
    assert signature == oracle.sign_msg_hash(digest).to_bytes()
    assert recover_sender(digest, signature) == recover(digest, signature) == account.address


@settings(max_examples=25)
@given(secrets, st.one_of(st.binary(), st.text(st.characters(exclude_categories=["Cs"]))))
def test_messages_are_signed_as_wallets_do(secret, message):
    account = Account.from_key(secret)
    content = message if isinstance(message, bytes) else message.encode()
    signed = EthAccount.sign_message(encode_defunct(primitive=content), account.secret_key)
    assert hash_message(message) == signed.message_hash
    assert account.sign_message(message) == signed.signature


@given(st.binary(min_size=60, max_size=70), digests)
def test_arbitrary_bytes_recover_or_are_refused(signature, digest):
    for function in (recover, recover_sender):
        try:
            assert len(function(digest, signature)) == 20
        except InvalidInput:
            continue


@given(st.data())
def test_no_changed_signature_names_the_signer(data):
    account = Account.from_key(42)
    digest = bytes(32)
    signature = bytearray(account.sign(digest))
    signature[data.draw(st.integers(0, 63))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(InvalidInput):
        assert recover_sender(digest, bytes(signature)) != account.address


@given(st.binary(min_size=20, max_size=20))
def test_checksums_are_the_oracles(address):
    text = to_checksum_address(address)
    assert text == eth_utils.to_checksum_address(address)
    assert to_address(text) == address


@given(st.binary(min_size=20, max_size=20), st.integers(0, 2**64 - 1))
def test_contract_addresses_are_the_oracles(sender, nonce):
    import rlp

    assert contract_address(sender, nonce) == eth_utils.keccak(rlp.encode([sender, nonce]))[12:]


@pytest.mark.parametrize("words", [12, 24])
@pytest.mark.parametrize("passphrase", ["", "TREZOR", "\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_mnemonics_are_the_oracles(words, passphrase):
    phrase = " ".join(["abandon"] * (words - 1)) + (" about" if words == 12 else " art")
    EthAccount.enable_unaudited_hdwallet_features()
    for index in (0, 1, 7):
        oracle = EthAccount.from_mnemonic(
            phrase, passphrase=passphrase, account_path=f"m/44'/60'/0'/0/{index}"
        )
        assert Account.from_mnemonic(phrase, index=index, passphrase=passphrase).secret_key == oracle.key
