import pytest

from chainstack_sdk.paradigms.erc20 import Erc20
from chainstack_sdk.paradigms.erc721 import Erc721
from chainstack_sdk.primitives.address import to_checksum_address
from chainstack_sdk.primitives.errors import UsageError

OWNER = b"\x11" * 20
TOKEN = {"name": "Gold", "symbol": "GLD", "owner": OWNER}


def test_defaults():
    token = Erc20.constructor_type.decode(Erc20.encode_config(TOKEN))
    assert token == ("Gold", "GLD", 18, 0, 0, False, False, False, OWNER)
    collection = Erc721.constructor_type.decode(Erc721.encode_config(TOKEN))
    assert collection == ("Gold", "GLD", "", True, False, OWNER)


def test_owners_in_every_form(alice):
    for owner in (alice, alice.address, to_checksum_address(alice)):
        assert Erc20.encode_config({**TOKEN, "owner": owner})[-32 * 5 : -32 * 4] == bytes(12) + alice.address


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name", 5, "name: Input should be a valid string"),
        ("decimals", 256, "decimals: Input should be less than or equal to 255"),
        ("decimals", -1, "decimals: Input should be greater than or equal to 0"),
        ("decimals", 2.0, "decimals: Input should be a valid integer"),
        ("supply", -1, "supply: "),
        ("supply", 1 << 256, "supply: "),
        ("supply", "5", "supply: Input should be a valid integer"),
        ("cap", -1, "cap: "),
        ("mintable", 1, "mintable: Input should be a valid boolean"),
        ("owner", "somebody", "owner: .*0x and 40 hexadecimal digits"),
        ("owner", bytes(20), "owner: .*the zero address owns nothing"),
        ("owner", None, "owner: "),
        ("colour", "red", "colour: Extra inputs are not permitted"),
    ],
)
def test_what_does_not_fit_is_named(field, value, reason):
    with pytest.raises(UsageError, match=f"config of erc20: {reason}"):
        Erc20.encode_config({**TOKEN, field: value})


def test_the_supply_is_within_the_cap():
    assert Erc20.encode_config({**TOKEN, "supply": 5, "cap": 5})
    with pytest.raises(UsageError, match=r"config: .*the supply is above the cap"):
        Erc20.encode_config({**TOKEN, "supply": 6, "cap": 5})


def test_collections():
    with pytest.raises(UsageError, match="config of erc721: base_uri: "):
        Erc721.encode_config({**TOKEN, "base_uri": b"x"})
    with pytest.raises(UsageError, match="config of erc721: symbol: Field required"):
        Erc721.encode_config({"name": "Art", "owner": OWNER})
