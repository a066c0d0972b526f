import copy
import pickle

import pytest

from chainstack_sdk.primitives import (
    HALF_N,
    Account,
    InvalidInput,
    N,
    UsageError,
    hash_message,
    keccak256,
    keys,
    recover,
    recover_sender,
)

DIGEST = keccak256(b"digest")
JUNK = "test test test test test test test test test test test junk"


@pytest.fixture(scope="module")
def account():
    return Account.from_key("0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")


class TestAccount:
    def test_known_addresses(self, account):
        assert account.checksum_address == "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
        assert str(Account.from_key(1)) == "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
        assert str(Account.from_key(N - 1)) == "0x80C0dbf239224071c59dD8970ab9d542E3414aB2"

    def test_public_key_is_the_point(self):
        generator = Account.from_key(1).public_key
        assert generator[:32].hex() == "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        assert generator[32:].hex() == "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"

    def test_forms_of_a_key(self, account):
        secret = account.secret_key
        for form in (secret, secret.hex(), "0x" + secret.hex().upper(), int.from_bytes(secret, "big")):
            assert Account.from_key(form) == account

    @pytest.mark.parametrize(
        "secret",
        [
            0,
            N,
            -1,
            2**256,
            b"",
            bytes(32),
            bytes(31) + b"",
            b"\xff" * 32,
            b"\1" * 33,
            "",
            "0xzz",
            "12" * 31,
            None,
            1.5,
        ],
    )
    def test_keys_out_of_range(self, secret):
        with pytest.raises(UsageError):
            Account.from_key(secret)

    def test_errors_do_not_tell_the_secret(self):
        secret = "ab" * 33
        with pytest.raises(UsageError) as caught:
            Account.from_key(secret)
        assert "abab" not in str(caught.value)

    def test_create(self):
        made = {Account.create() for _ in range(20)}
        assert len(made) == 20
        assert all(0 < int.from_bytes(one.secret_key, "big") < N for one in made)

    def test_create_draws_again_when_the_number_is_no_key(self, monkeypatch):
        draws = [bytes(32), b"\xff" * 32, (7).to_bytes(32, "big")]
        monkeypatch.setattr(keys, "urandom", lambda size: draws.pop(0))
        assert Account.create() == Account.from_key(7)

    def test_equality_and_hash_are_the_address(self, account):
        same = Account.from_key(account.secret_key)
        assert {account: 1}[same] == 1
        assert account != Account.from_key(2)
        assert account != account.address

    def test_only_the_address_is_shown(self, account):
        assert repr(account) == "Account(0x2c7536E3605D9C16a7a3D7b1898e529396a65c23)"
        assert f"{account}" == "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"

    def test_copies_and_pickles(self, account):
        account.sign(DIGEST)
        for other in (copy.deepcopy(account), pickle.loads(pickle.dumps(account))):
            assert other == account
            assert other.sign(DIGEST) == account.sign(DIGEST)


class TestMnemonic:
    def test_known_accounts(self):
        assert str(Account.from_mnemonic(JUNK)) == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
        assert str(Account.from_mnemonic(JUNK, index=9)) == "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"

    def test_spaces_do_not_matter(self):
        assert Account.from_mnemonic("  " + JUNK.replace(" ", "\n")) == Account.from_mnemonic(JUNK)

    def test_passphrase_and_index_matter(self):
        made = {Account.from_mnemonic(JUNK, index=i, passphrase=p) for i in (0, 1) for p in ("", "x")}
        assert len(made) == 4

    @pytest.mark.parametrize(
        ("phrase", "index"), [("", 0), ("test " * 11, 0), ("test " * 13, 0), (JUNK, -1), (JUNK, 2**31)]
    )
    def test_refused(self, phrase, index):
        with pytest.raises(UsageError):
            Account.from_mnemonic(phrase, index=index)

    def test_a_step_without_a_key(self, monkeypatch):
        """One in 2**127: HMAC gives a number beyond the group, and BIP-32 has no such child."""
        from chainstack_sdk.primitives import _mnemonic

        monkeypatch.setattr(_mnemonic.hmac, "digest", lambda key, message, digest: b"\xff" * 64)
        with pytest.raises(UsageError, match="no key at this index"):
            _mnemonic._child((1).to_bytes(32, "big"), bytes(32), 1 << 31)


class TestSign:
    def test_known_signature(self):
        """RFC 6979 with SHA-256, as published for this key and SHA-256 of this text in bitcoin's tests."""
        import hashlib

        digest = hashlib.sha256(b"Satoshi Nakamoto").digest()
        assert Account.from_key(1).sign(digest).hex()[:128] == (
            "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
            "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"
        )

    def test_form(self, account):
        for number in range(50):
            signature = account.sign(keccak256(bytes([number])))
            assert len(signature) == 65
            assert signature[64] in (0, 1)
            assert int.from_bytes(signature[32:64], "big") <= HALF_N

    @pytest.mark.parametrize("size", [0, 31, 33, 64])
    def test_only_digests_are_signed(self, account, size):
        with pytest.raises(UsageError):
            account.sign(bytes(size))

    def test_message(self, account):
        signature = account.sign_message("Some data")
        assert signature.hex() == (
            "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"
            "6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a029"
            "1c"
        )
        assert account.sign_message(b"Some data") == signature
        assert recover_sender(hash_message("Some data"), signature) == account.address


BROKEN = {
    "empty": lambda s: b"",
    "short": lambda s: s[:64],
    "long": lambda s: s + b"\0",
    "v 2": lambda s: s[:64] + b"\2",
    "v 3": lambda s: s[:64] + b"\3",
    "v 26": lambda s: s[:64] + b"\x1a",
    "v 29": lambda s: s[:64] + b"\x1d",
    "v 255": lambda s: s[:64] + b"\xff",
    "r 0": lambda s: bytes(32) + s[32:],
    "s 0": lambda s: s[:32] + bytes(32) + s[64:],
    "r N": lambda s: N.to_bytes(32, "big") + s[32:],
    "s N": lambda s: s[:32] + N.to_bytes(32, "big") + s[64:],
    "r not on the curve": lambda s: (5).to_bytes(32, "big") + s[32:],
}


class TestRecover:
    def test_fresh_process_loads_the_library_on_first_use(self, account):
        """The first recovery goes through the loader; later ones do not."""
        signature = account.sign(DIGEST)
        assert keys._first_recovery(DIGEST, signature) == account.public_key
        assert keys._recover_key is not keys._first_recovery
        assert recover(DIGEST, signature) == account.address

    @pytest.mark.parametrize("offset", [0, 27])
    def test_both_conventions_of_v(self, account, offset):
        signature = account.sign(DIGEST)
        shifted = signature[:64] + bytes([signature[64] + offset])
        assert recover_sender(DIGEST, shifted) == account.address

    def test_high_s_is_refused_by_recover_sender_alone(self, account):
        signature = account.sign(DIGEST)
        s = N - int.from_bytes(signature[32:64], "big")
        high = signature[:32] + s.to_bytes(32, "big") + bytes([1 - signature[64]])
        assert recover(DIGEST, high) == account.address
        with pytest.raises(InvalidInput, match="upper half"):
            recover_sender(DIGEST, high)

    def test_the_bound_of_s(self, account):
        """s = HALF_N itself is allowed: it recovers somebody."""
        signature = account.sign(DIGEST)[:32] + HALF_N.to_bytes(32, "big") + b"\0"
        assert len(recover_sender(DIGEST, signature)) == 20
        with pytest.raises(InvalidInput):
            recover_sender(DIGEST, signature[:32] + (HALF_N + 1).to_bytes(32, "big") + b"\0")

    @pytest.mark.parametrize("break_it", BROKEN.values(), ids=BROKEN)
    @pytest.mark.parametrize("function", [recover, recover_sender])
    def test_broken_signatures(self, account, function, break_it):
        with pytest.raises(InvalidInput):
            function(DIGEST, break_it(account.sign(DIGEST)))

    @pytest.mark.parametrize("function", [recover, recover_sender])
    def test_digest_of_another_size(self, account, function):
        with pytest.raises(InvalidInput):
            function(DIGEST[:31], account.sign(DIGEST))
