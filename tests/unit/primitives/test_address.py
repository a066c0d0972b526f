import pytest

from chainstack_sdk.primitives import (
    ZERO_ADDRESS,
    Account,
    UsageError,
    contract_address,
    is_address,
    to_address,
    to_checksum_address,
)

# EIP-55, "Test Cases"
CHECKSUMMED = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


@pytest.mark.parametrize("text", CHECKSUMMED)
def test_text_forms(text):
    address = bytes.fromhex(text[2:])
    assert to_checksum_address(address) == text
    for form in (text, text.lower(), "0x" + text[2:].upper()):
        assert to_address(form) == address
        assert to_checksum_address(form) == text
        assert is_address(form)


def test_zero():
    assert bytes(20) == ZERO_ADDRESS
    assert to_checksum_address(ZERO_ADDRESS) == "0x" + "0" * 40


def test_a_typing_error_is_noticed():
    with pytest.raises(UsageError, match="EIP-55"):
        to_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0x",
        "0x1234",
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaex",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1bea  ",
        "0x" + "é" * 40,
        b"",
        bytes(19),
        bytes(21),
        bytes(32),
        bytearray(20),
        0,
        None,
        object(),
    ],
)
def test_what_is_no_address(value):
    assert not is_address(value)
    with pytest.raises(UsageError):
        to_address(value)


def test_objects_with_an_address():
    account = Account.from_key(1)
    assert to_address(account) is account.address
    assert to_checksum_address(account) == str(account)

    class Handle:
        address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

    with pytest.raises(UsageError):
        to_address(Handle())


def test_the_result_is_exactly_bytes():
    class Tagged(bytes):
        pass

    assert type(to_address(Tagged(20))) is bytes


def test_contract_address():
    sender = bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0")
    assert [contract_address(sender, nonce).hex() for nonce in range(4)] == [
        "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d",
        "343c43a37d37dff08ae8c4a11544c718abb4fcf8",
        "f778b86fa74e846c4f0a1fbd1335fe81c00a0c91",
        "fffd933a0bc612844eaf0c6fe3e5b8e9b6c1d19c",
    ]


@pytest.mark.parametrize(("sender", "nonce"), [(bytes(19), 0), (bytes(20), -1)])
def test_contract_address_refuses(sender, nonce):
    with pytest.raises(UsageError):
        contract_address(sender, nonce)
