"""What pegs say to each other."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_encode
from chainstack_sdk.xchain.custody import Asset, AssetKind
from chainstack_sdk.xchain.peg import Metadata, PeggedClass, Transfer
from chainstack_sdk.xchain.peg.transfer import cut

TOKEN, ALICE, BOB = b"\x11" * 20, b"\xaa" * 20, b"\xbb" * 20

assets = st.one_of(
    st.builds(Asset.coin, st.integers(1, (1 << 256) - 1)),
    st.builds(Asset.erc20, st.just(TOKEN), st.integers(1, (1 << 256) - 1)),
    st.builds(Asset.erc721, st.just(TOKEN), st.integers(0, (1 << 256) - 1)),
)
texts = st.text(st.characters(codec="utf-8"), max_size=8)
metadata = st.builds(Metadata, texts, texts, st.integers(0, 255), texts)
transfers = st.builds(
    Transfer, assets, st.binary(min_size=20, max_size=20), st.just(BOB), st.none() | metadata
)


@given(transfers)
def test_what_is_encoded_is_decoded(transfer):
    assert Transfer.decode(transfer.encode()) == transfer


@given(transfers, st.integers(0, 10_000), st.integers(1, 255))
def test_another_encoding_is_another_transfer_or_none(transfer, place, flip):
    data = bytearray(transfer.encode())
    data[place % len(data)] ^= flip
    with suppress(InvalidInput):
        assert Transfer.decode(bytes(data)) != transfer


@given(st.binary(max_size=64))
def test_any_bytes_are_decoded_or_refused(data):
    with suppress(InvalidInput):
        assert Transfer.decode(data).encode() == data


HOME = [b"\x01", TOKEN, b"\x05", ALICE, BOB]
AWAY = [*HOME, b"Gold", b"GLD", b"\x12", b""]


@pytest.mark.parametrize(
    "items",
    [
        b"text",
        [],
        HOME[:4],
        [*HOME, b""],
        [*HOME[:4], [BOB]],
        [b"\x03", *HOME[1:]],
        [b"\x00\x01", *HOME[1:]],
        [b"\x01", bytes(20), *HOME[2:]],
        [b"", *HOME[1:]],
        [b"\x01", b"\x11" * 19, *HOME[2:]],
        [*HOME[:2], b"", *HOME[3:]],
        [*HOME[:2], b"\x01" * 33, *HOME[3:]],
        [*HOME[:2], b"\x00\x05", *HOME[3:]],
        [*HOME[:3], ALICE[:19], BOB],
        [*HOME[:4], BOB + b"\x01"],
        [*HOME, b"\xff", b"GLD", b"\x12", b""],
        [*HOME, b"Gold", b"\xff", b"\x12", b""],
        [*HOME, b"Gold", b"GLD", b"\x01\x00", b""],
        [*HOME, b"Gold", b"GLD", b"\x12", b"\xff"],
        [*HOME, b"G" * 129, b"GLD", b"\x12", b""],
        [*HOME, b"Gold", b"G" * 33, b"\x12", b""],
        [*HOME, b"Gold", b"GLD", b"\x12", b"u" * 4_097],
    ],
    ids=str,
)
def test_what_is_no_transfer_is_refused(items):
    with pytest.raises(InvalidInput):
        Transfer.decode(rlp_encode(items))


def test_these_are_transfers():
    assert Transfer.decode(rlp_encode(HOME)) == Transfer(Asset.erc20(TOKEN, 5), ALICE, BOB)
    assert Transfer.decode(rlp_encode(AWAY)).metadata == Metadata("Gold", "GLD", 18)
    nft = Transfer.decode(rlp_encode([b"\x02", TOKEN, b"", ALICE, BOB]))
    assert nft.asset == Asset.erc721(TOKEN, 0)


def test_a_representation_is_named_after_its_origin():
    assert Metadata("Gold", "GLD", 2, "u").named_after(7) == Metadata("Gold (chain 7)", "GLD", 2, "u")
    longest = Metadata("ü" * 64, "").named_after((1 << 64) - 1)
    assert longest.name == "ü" * 49 + " (chain 18446744073709551615)"
    assert len(longest.name.encode()) <= 128


def test_text_is_cut_between_characters():
    assert cut("aü", 2) == "a"
    assert cut("aü", 3) == "aü"


def test_decimals_have_eight_bits():
    for decimals in (-1, 256):
        with pytest.raises(InvalidInput):
            Metadata("", "", decimals)


def test_a_class_has_one_key():
    pegged = PeggedClass(AssetKind.ERC20, 258, TOKEN)
    assert pegged.key == b"\x01" + (258).to_bytes(8, "big") + TOKEN
    assert PeggedClass.from_word(int.from_bytes(pegged.key, "big")) == pegged
    assert PeggedClass.of(Asset.erc20(TOKEN, 9), 258) == pegged
