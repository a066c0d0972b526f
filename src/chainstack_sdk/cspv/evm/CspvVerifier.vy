# pragma version ~=0.4.3
# pragma evm-version prague
# pragma optimize gas
"""
@title Verifier of payment proofs
@license MIT
@notice Checks that a transaction ran on one other chain, and how it ended, from a few hundred bytes. All it
        knows of that chain is its number and its group key, which never changes while members come and go.
@dev The proof is the one that every verifier of the format takes, byte for byte: version 1, scheme 1 (chain
     key), kind 1 (receipt), without links:

        0    version 1 | scheme 1 | kind 1 | height 8 | slot 8 | timestamp_ms 8
        27   state root 32 | transactions root 32 | messages root 32 | rest hash 32
        155  signature 48 | count of links 1, which must be 0
        204  index 4 | depth 1 | depth * 32 sibling hashes, the lowest first | receipt item

     The signature is a compressed point of G1. The precompiles of EIP-2537 want both coordinates, so the
     caller gives y beside the proof; only one y fits. A point off the curve, outside the subgroup or with a
     coordinate that is not reduced is refused by the pairing precompile itself.

     On a chain without those precompiles a call to their addresses succeeds and gives nothing back. Each
     answer is therefore checked for what it says, never for success alone: there the contract cannot be
     deployed, and refuses every proof if it is put there by other means.

     Nothing is stored. The same proof may be shown any number of times: whoever pays out against one must
     itself remember the transaction hash, and the log's index for a log.
"""

struct Receipt:
    height: uint64
    timestamp_ms: uint64
    transaction_hash: bytes32
    status: uint8  # 1: succeeded, 0: failed
    receipt_hash: bytes32  # keccak256 of the receipt item

struct Payment:
    token: address
    sender: address
    recipient: address
    value: uint256
    height: uint64
    timestamp_ms: uint64
    transaction_hash: bytes32

# Which block has the item.
struct Place:
    height: uint64
    timestamp_ms: uint64
    receipt_hash: bytes32

# What a receipt item says. The last four are of the log that is asked for, when it reports a transfer.
struct Item:
    transaction_hash: bytes32
    status: uint8
    cumulative_gas: uint64
    is_transfer: bool
    token: uint256
    sender: uint256
    recipient: uint256
    value: uint256

event ReceiptProven:
    transaction_hash: indexed(bytes32)
    height: uint64
    timestamp_ms: uint64
    status: uint8
    cumulative_gas: uint64

event PaymentProven:
    token: indexed(address)
    sender: indexed(address)
    recipient: indexed(address)
    value: uint256
    height: uint64
    timestamp_ms: uint64
    transaction_hash: bytes32
    log_index: uint256

MAX_PROOF: constant(uint256) = 4096
MAX_DEPTH: constant(uint256) = 32
MAX_LOGS: constant(uint256) = 162  # those of a proof without siblings: a log takes 24 bytes or more
NO_LOG: constant(uint256) = max_value(uint256)

RECEIPT_PROOF: constant(uint256) = 65793  # the bytes 1, 1, 1: version, scheme, kind
ITEM: constant(uint256) = 209  # where the receipt is in a proof without siblings

MODEXP: constant(address) = 0x0000000000000000000000000000000000000005
G1_ADD: constant(address) = 0x000000000000000000000000000000000000000b
PAIRING: constant(address) = 0x000000000000000000000000000000000000000F
MAP_TO_G1: constant(address) = 0x0000000000000000000000000000000000000010

# "CHAINSTACK-FINALITY-V1_BLS12381G1_XMD:SHA-256_SSWU_RO_" and its length, as RFC 9380 appends them.
DOMAIN: constant(Bytes[55]) = b"CHAINSTACK-FINALITY-V1_BLS12381G1_XMD:SHA-256_SSWU_RO_\x36"
# The exponent 1 and the field's modulus p in 64 bytes: modexp then reduces modulo p.
REDUCE: constant(Bytes[65]) = x"01000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
# (p - 1) / 2, its upper 16 bytes and its lower 32.
HALF_HIGH: constant(bytes16) = 0x0d0088f51cbff34d258dd3db21a5d66b
HALF_LOW: constant(bytes32) = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555
# The generator of G2, negated.
MINUS_G2: constant(Bytes[256]) = x"00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb80000000000000000000000000000000013e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e000000000000000000000000000000000d1b3cc2c7027888be51d9ef691d77bcb679afda66c73f17f9ee3837a55024f78c71363275a75d75d86bab79f74782aa0000000000000000000000000000000013fa4d4a0ad8b1ce186ed5061789213d993923066dddaf1040bc3ff59f825c78df74f2d75467e25e0f55f8a00fa030ed"

# keccak256("Transfer(address,address,uint256)")
TRANSFER: constant(bytes32) = 0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef

CHAIN_ID: immutable(uint64)
COMMITMENT_HEAD: immutable(bytes16)  # version and chain id, as a block's commitment begins
GROUP_KEY: immutable(Bytes[256])


@deploy
def __init__(chain_id: uint64, group_key: Bytes[256]):
    """
    @param chain_id The proven chain's number.
    @param group_key Its group key: x.c0, x.c1, y.c0, y.c1, each in 64 bytes.
    """
    assert len(group_key) == 256, "key size"
    zero: Bytes[128] = concat(empty(bytes32), empty(bytes32), empty(bytes32), empty(bytes32))
    assert keccak256(group_key) != keccak256(concat(zero, zero)), "key is the identity"
    # Paired with the identity, every point of the group gives 1, and only such a point gives anything.
    answer: Bytes[32] = raw_call(PAIRING, concat(zero, group_key), max_outsize=32, is_static_call=True)
    assert len(answer) == 32 and convert(answer, uint256) == 1, "no pairing precompile"
    CHAIN_ID = chain_id
    COMMITMENT_HEAD = convert(2**64 + convert(chain_id, uint128), bytes16)
    GROUP_KEY = group_key


@external
@view
def chain_id() -> uint64:
    """
    @return The proven chain's number.
    """
    return CHAIN_ID


@external
@view
def group_key() -> Bytes[256]:
    """
    @return The proven chain's group key, as the constructor took it.
    """
    return GROUP_KEY


@external
@view
def verify(proof: Bytes[MAX_PROOF], y: Bytes[48]) -> Receipt:
    """
    @notice Check a proof of a receipt; revert unless it holds.
    @param proof The proof.
    @param y The signature's second coordinate.
    @return Which transaction it was, where it ran and how it ended.
    """
    place: Place = self._authenticated(proof, y)
    item: Item = self._read(proof, NO_LOG)
    return Receipt(
        height=place.height,
        timestamp_ms=place.timestamp_ms,
        transaction_hash=item.transaction_hash,
        status=item.status,
        receipt_hash=place.receipt_hash,
    )


@external
@view
def payment(proof: Bytes[MAX_PROOF], y: Bytes[48], log_index: uint256) -> Payment:
    """
    @notice Check a proof of an ERC-20 transfer that succeeded; revert unless it holds.
    @param proof The proof.
    @param y The signature's second coordinate.
    @param log_index Which of the receipt's logs is the transfer, from 0.
    @return What was transferred. Whether the token is one to rely on is for the caller to say.
    """
    return self._payment(self._authenticated(proof, y), self._read(proof, log_index))


@external
def prove_receipt(proof: Bytes[MAX_PROOF], y: Bytes[48]):
    """
    @notice Check a proof of a receipt, as `verify` does, and log what it shows.
    @param proof The proof.
    @param y The signature's second coordinate.
    """
    place: Place = self._authenticated(proof, y)
    item: Item = self._read(proof, NO_LOG)
    log ReceiptProven(
        transaction_hash=item.transaction_hash,
        height=place.height,
        timestamp_ms=place.timestamp_ms,
        status=item.status,
        cumulative_gas=item.cumulative_gas,
    )


@external
def prove_payment(proof: Bytes[MAX_PROOF], y: Bytes[48], log_index: uint256):
    """
    @notice Check a proof of an ERC-20 transfer, as `payment` does, and log what it shows.
    @param proof The proof.
    @param y The signature's second coordinate.
    @param log_index Which of the receipt's logs is the transfer, from 0.
    """
    proven: Payment = self._payment(self._authenticated(proof, y), self._read(proof, log_index))
    log PaymentProven(
        token=proven.token,
        sender=proven.sender,
        recipient=proven.recipient,
        value=proven.value,
        height=proven.height,
        timestamp_ms=proven.timestamp_ms,
        transaction_hash=proven.transaction_hash,
        log_index=log_index,
    )


@internal
@pure
def _payment(place: Place, item: Item) -> Payment:
    assert item.status == 1, "failed transaction"
    assert item.is_transfer, "no such transfer"
    return Payment(
        token=self._address(item.token),
        sender=self._address(item.sender),
        recipient=self._address(item.recipient),
        value=item.value,
        height=place.height,
        timestamp_ms=place.timestamp_ms,
        transaction_hash=item.transaction_hash,
    )


@internal
@pure
def _address(word: uint256) -> address:
    # reverts for a word that is more than an address
    return convert(convert(word, uint160), address)


@internal
@view
def _authenticated(proof: Bytes[MAX_PROOF], y: Bytes[48]) -> Place:
    # The block has the item, and is final. What the item says is left to _read.
    head: uint256 = convert(extract32(proof, 0), uint256)
    assert head >> 232 == RECEIPT_PROOF, "no receipt proof"
    tail: uint256 = convert(extract32(proof, ITEM - 32), uint256) & (2**48 - 1)
    assert tail >> 40 == 0, "links"
    index: uint256 = tail >> 8
    depth: uint256 = tail & 255
    assert depth <= MAX_DEPTH and index >> depth == 0, "index"
    start: uint256 = ITEM + 32 * depth
    leaf: Bytes[MAX_PROOF + 1] = concat(x"00", slice(proof, start, len(proof) - start))
    root: bytes32 = keccak256(leaf)
    for level: uint256 in range(depth, bound=MAX_DEPTH):
        sibling: bytes32 = extract32(proof, ITEM + 32 * level)
        if index & 1 == 0:
            root = keccak256(concat(x"01", root, sibling))
        else:
            root = keccak256(concat(x"01", sibling, root))
        index >>= 1
    block_hash: bytes32 = keccak256(concat(COMMITMENT_HEAD, slice(proof, 3, 88), root, slice(proof, 91, 64)))
    self._check_signature(block_hash, slice(proof, 155, 48), y)
    return Place(
        height=convert((head >> 168) & (2**64 - 1), uint64),
        timestamp_ms=convert((head >> 40) & (2**64 - 1), uint64),
        receipt_hash=keccak256(slice(leaf, 1, len(leaf) - 1)),
    )


# The receipt: [hash, status, gas, bloom hash, [[address, [topic...], data]...]], in the only encoding it has.


@internal
@pure
def _read(proof: Bytes[MAX_PROOF], wanted_log: uint256) -> Item:
    # 32 bytes more, so that a word can be read at each byte of the proof
    data: Bytes[MAX_PROOF + 32] = concat(proof, empty(bytes32))
    end: uint256 = len(proof)
    item: Item = empty(Item)
    at: uint256 = ITEM + 32 * self._first(extract32(data, ITEM - 1))
    size: uint256 = 0
    at, size = self._header(extract32(data, at), at, 192)
    assert at + size == end, "receipt"
    assert self._first(extract32(data, at)) == 160, "receipt"
    item.transaction_hash = extract32(data, at + 1)
    status: uint256 = self._first(extract32(data, at + 33))
    assert status == 128 or status == 1, "receipt"
    item.status = convert(status & 1, uint8)
    at, item.cumulative_gas = self._integer(extract32(data, at + 34), at + 34)
    assert self._first(extract32(data, at)) == 160, "receipt"
    at, size = self._header(extract32(data, at + 33), at + 33, 192)
    assert at + size == end, "receipt"
    for index: uint256 in range(MAX_LOGS):
        if at == end:
            break
        at, size = self._header(extract32(data, at), at, 192)
        stop: uint256 = at + size
        assert stop <= end and self._first(extract32(data, at)) == 148, "receipt"
        token: uint256 = convert(extract32(data, at + 1), uint256) >> 96
        topics: uint256 = 0
        at, topics = self._header(extract32(data, at + 21), at + 21, 192)
        assert topics % 33 == 0 and topics <= 132, "receipt"
        first_topic: uint256 = at + 1
        for topic: uint256 in range(topics // 33, bound=4):
            assert self._first(extract32(data, at)) == 160, "receipt"
            at += 33
        at, size = self._string(extract32(data, at), at)
        if index == wanted_log and topics == 99 and size == 32:
            item.is_transfer = extract32(data, first_topic) == TRANSFER
            item.token = token
            item.sender = convert(extract32(data, first_topic + 33), uint256)
            item.recipient = convert(extract32(data, first_topic + 66), uint256)
            item.value = convert(extract32(data, at), uint256)
        at += size
        assert at == stop, "receipt"
    assert at == end, "receipt"
    return item


@internal
@pure
def _first(word: bytes32) -> uint256:
    return convert(word, uint256) >> 248


@internal
@pure
def _header(word: bytes32, at: uint256, short: uint256) -> (uint256, uint256):
    # The item at `at`, whose first bytes are `word`: where its content begins, and the content's size.
    # `short` is 128 for strings, 192 for lists. A proof has no room for a size of three bytes.
    bytes_: uint256 = convert(word, uint256)
    size: uint256 = bytes_ >> 248
    assert short <= size and size < short + 58, "receipt"
    size -= short
    if size < 56:
        return at + 1, size
    if size == 56:
        size = (bytes_ >> 240) & 255
        assert size > 55, "receipt"
        return at + 2, size
    size = (bytes_ >> 232) & 65535
    assert size > 255, "receipt"
    return at + 3, size


@internal
@pure
def _string(word: bytes32, at: uint256) -> (uint256, uint256):
    # As _header, for a string: a byte below 128 is its own content, and only so.
    if convert(word, uint256) >> 255 == 0:
        return at, 1
    start: uint256 = 0
    size: uint256 = 0
    start, size = self._header(word, at, 128)
    assert size != 1 or (convert(word, uint256) >> 240) & 255 > 127, "receipt"
    return start, size


@internal
@pure
def _integer(word: bytes32, at: uint256) -> (uint256, uint64):
    # The integer of at most 8 bytes at `at`, whose first bytes are `word`: where it ends, and its value.
    start: uint256 = 0
    size: uint256 = 0
    start, size = self._string(word, at)
    assert size <= 8, "receipt"
    content: uint256 = convert(word, uint256) << (8 * (start - at))
    assert size == 0 or content >> 248 != 0, "receipt"
    return start + size, convert(content >> (256 - 8 * size), uint64)


# The signature: e(signature, -G2) * e(hash of the block's hash, group key) = 1.


@internal
@view
def _check_signature(message: bytes32, signature: Bytes[48], y: Bytes[48]):
    assert len(y) == 48, "y"
    high: uint256 = convert(extract32(signature, 0), uint256)
    flags: uint256 = high >> 253
    assert flags & 6 == 4, "signature"  # compressed, and not the identity
    y_high: uint256 = convert(extract32(y, 0), uint256) >> 128
    half_high: uint256 = convert(HALF_HIGH, uint256)
    larger: bool = y_high > half_high
    if y_high == half_high:
        larger = convert(extract32(y, 16), uint256) > convert(HALF_LOW, uint256)
    assert (flags == 5) == larger, "y"
    answer: Bytes[32] = raw_call(
        PAIRING,
        concat(
            convert((high >> 128) & (2**125 - 1), bytes32),  # 16 zero bytes, and x without its flags
            slice(signature, 16, 32),
            empty(bytes16),
            y,
            MINUS_G2,
            self._hash_to_g1(message),
            GROUP_KEY,
        ),
        max_outsize=32,
        is_static_call=True,
    )
    assert len(answer) == 32 and convert(answer, uint256) == 1, "signature"


@internal
@view
def _hash_to_g1(message: bytes32) -> Bytes[128]:
    # RFC 9380: expand_message_xmd with SHA-256 to 128 bytes, two field elements, each mapped, and the sum.
    first: bytes32 = sha256(concat(empty(bytes32), empty(bytes32), message, x"008000", DOMAIN))
    one: bytes32 = sha256(concat(first, x"01", DOMAIN))
    two: bytes32 = sha256(concat(first ^ one, x"02", DOMAIN))
    three: bytes32 = sha256(concat(first ^ two, x"03", DOMAIN))
    four: bytes32 = sha256(concat(first ^ three, x"04", DOMAIN))
    return raw_call(
        G1_ADD,
        concat(self._map_to_g1(one, two), self._map_to_g1(three, four)),
        max_outsize=128,
        is_static_call=True,
    )


@internal
@view
def _map_to_g1(high: bytes32, low: bytes32) -> Bytes[128]:
    element: Bytes[64] = raw_call(
        MODEXP,
        concat(convert(64, bytes32), convert(1, bytes32), convert(64, bytes32), high, low, REDUCE),
        max_outsize=64,
        is_static_call=True,
    )
    return raw_call(MAP_TO_G1, element, max_outsize=128, is_static_call=True)
