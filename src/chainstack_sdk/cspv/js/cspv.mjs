/**
 * Verifies payment proofs (CSPV, format version 1) of chains with a chain key: for browsers, phones and Node.
 *
 *     import { verify } from "./cspv.mjs";
 *     const receipt = verify(anchor, proof);   // throws CspvError unless the proof holds
 *
 * The anchor is 106 bytes and never changes; the proof may come from anybody. All that is looked at is in these
 * two arguments: no network, no clock, no state. How old a proof may be, and whether it is about the right
 * account, is for the caller to say, by `timestampMs` and the other facts.
 *
 * Bytes are `Uint8Array`, numbers of up to 64 bits or more are `BigInt`, counts and indices are plain numbers.
 * Big-endian throughout. The curves and hashes are those of `@noble/curves` and `@noble/hashes`.
 */

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

/** Why a proof or an anchor is refused; `verify` throws nothing else. */
export class CspvError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "CspvError";
  }
}

const VERSION = 1;
const CHAIN_KEY = 1;
const MAX_DEPTH = 32;
const MAX_TOPICS = 4;
const MAX_MEMBERS = 1024;
const VOTE_BYTES = 65;
const UINT64_END = 1n << 64n;
const SECP256K1_HALF = secp256k1.Point.Fn.ORDER >> 1n;

const SUITE = "_BLS12381G1_XMD:SHA-256_SSWU_RO_";
const FINALITY_DOMAIN = "CHAINSTACK-FINALITY-V1" + SUITE;
const HOLDERS_DOMAIN = "CHAINSTACK-HOLDERS-V1" + SUITE;

const KINDS = ["receipt", "transaction", "message", "account", "storage"];
// Which of state, transactions, receipts, messages, rest is left out of a proof, because its body yields it.
const YIELDED = [2, 1, 3, 0, 0];

const EMPTY_ROOT = keccak_256(Uint8Array.of(0x80));
const EMPTY_CODE_HASH = keccak_256(new Uint8Array(0));

/**
 * Where on which chain it was proven: what all facts share.
 * @typedef {object} Block
 * @property {bigint} chainId the anchor's chain
 * @property {bigint} height the block's height
 * @property {bigint} slot the committee's term
 * @property {bigint} timestampMs the block's time: Unix time in milliseconds
 * @property {Uint8Array} blockHash 32 bytes
 */

/**
 * An event that a contract emitted.
 * @typedef {object} Log
 * @property {Uint8Array} address 20 bytes
 * @property {Uint8Array[]} topics at most four, of 32 bytes
 * @property {Uint8Array} data
 */

/**
 * A transaction ran in this block, and this is how it ended.
 * @typedef {Block & {kind: "receipt", index: number, transactionHash: Uint8Array, status: number,
 *   succeeded: boolean, cumulativeGasUsed: bigint, bloomHash: Uint8Array, logs: Log[]}} Receipt
 */

/**
 * A transaction is in this block. Whether it succeeded is for a receipt to say.
 * @typedef {Block & {kind: "transaction", index: number, raw: Uint8Array, hash: Uint8Array}} Transaction
 */

/**
 * This block carries a message to another chain.
 * @typedef {Block & {kind: "message", index: number, message: Uint8Array}} Message
 */

/**
 * What an account held after this block; one that does not exist holds nothing.
 * @typedef {Block & {kind: "account", address: Uint8Array, exists: boolean, nonce: bigint, balance: bigint,
 *   storageRoot: Uint8Array, codeHash: Uint8Array}} Account
 */

/**
 * What a slot of a contract held after this block: 0 where nothing was ever stored.
 * @typedef {Block & {kind: "storage", address: Uint8Array, key: Uint8Array, value: bigint}} Storage
 */

/**
 * Check a proof against an anchor and return what it proves.
 *
 * @param {Uint8Array} anchor 106 bytes: version, scheme, chain id, group key
 * @param {Uint8Array} proof from anybody
 * @returns {Receipt | Transaction | Message | Account | Storage} told apart by `kind`
 * @throws {CspvError} when the proof proves nothing about the anchor's chain
 */
export function verify(anchor, proof) {
  const { chainId, key } = readAnchor(anchor);
  const reader = new Reader(proof);
  const [version, scheme, kind] = reader.take(3);
  require_(version === VERSION && scheme === CHAIN_KEY, "a proof of another version or scheme");
  require_(kind >= 1 && kind <= KINDS.length, "a proof of an unknown kind");
  const [height, slot, timestampMs] = [reader.uint64(), reader.uint64(), reader.uint64()];
  const hashes = [reader.take(32), reader.take(32), reader.take(32), reader.take(32)];
  const signature = reader.take(48);
  const links = reader.list();
  const body = readBody(kind, reader);
  hashes.splice(YIELDED[kind - 1], 0, body.root);
  const numbers = [BigInt(VERSION), chainId, height, slot, timestampMs].map(uint64);
  const blockHash = keccak_256(concat(...numbers, ...hashes));
  const facts = body.facts();
  const current = links.reduce((old, link) => followLink(link, chainId, old), key);
  require_(isSigned(current, blockHash, signature, FINALITY_DOMAIN), "this chain has not signed such a block");
  return { kind: KINDS[kind - 1], chainId, height, slot, timestampMs, blockHash, ...facts };
}

/** Return an anchor's chain id and its group key. */
function readAnchor(anchor) {
  const reader = new Reader(anchor);
  const [version, scheme] = reader.take(2);
  require_(version === VERSION && scheme === CHAIN_KEY, "an anchor of another version or scheme");
  const parts = { chainId: reader.uint64(), key: groupKey(reader.take(96)) };
  reader.finish();
  return parts;
}

// Bytes -------------------------------------------------------------------------------------------------

/** @param {unknown} holds @param {string} message */
function require_(holds, message) {
  if (!holds) throw new CspvError(message);
}

/** A cursor over bytes that come from outside. */
class Reader {
  constructor(data) {
    require_(data instanceof Uint8Array, "bytes are a Uint8Array");
    this.data = Uint8Array.from(data); // a copy: Node's Buffer would share its memory
    this.at = 0;
  }

  take(size) {
    require_(this.at + size <= this.data.length, "the bytes end early");
    this.at += size;
    return this.data.slice(this.at - size, this.at);
  }

  /** An integer of at most 6 bytes. */
  uint(size) {
    return this.take(size).reduce((value, byte) => value * 256 + byte, 0);
  }

  uint64() {
    return bigint(this.take(8));
  }

  /** Byte strings: count 1, each length 2 and bytes. */
  list() {
    return Array.from({ length: this.uint(1) }, () => this.take(this.uint(2)));
  }

  rest() {
    return this.take(this.data.length - this.at);
  }

  finish() {
    require_(this.at === this.data.length, "more bytes follow than belong there");
  }
}

function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function equal(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

function hex(data) {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bigint(data) {
  return data.length ? BigInt("0x" + hex(data)) : 0n;
}

function uint64(value) {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setBigUint64(0, value);
  return data;
}

function ascii(text) {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

// RLP: only the one canonical encoding of an item is read. ----------------------------------------------

/** A list, with the bytes that its encoding takes. */
class List {
  constructor(size) {
    this.items = [];
    this.size = size;
  }
}

/** Return the item that bytes encode: a Uint8Array or a List. Nothing recurses, however deep lists nest. */
function rlp(data) {
  const top = new List(0);
  const open = [];
  let [list, end, at] = [top, data.length, 0];
  for (;;) {
    if (at === end) {
      if (!open.length) break;
      [list, end] = open.pop();
      continue;
    }
    const [start, stop] = content(data, at, end);
    if (data[at] < 0xc0) {
      list.items.push(data.slice(start, stop));
      at = stop;
    } else {
      const child = new List(stop - at);
      list.items.push(child);
      open.push([list, end]);
      [list, end, at] = [child, stop, start];
    }
  }
  require_(top.items.length === 1, "RLP data holds exactly one item");
  return top.items[0];
}

/** Return where the content of the item at `at` starts and stops. */
function content(data, at, end) {
  const first = data[at];
  if (first < 0x80) return [at, at + 1];
  const short = first < 0xc0 ? 0x80 : 0xc0;
  let size = first - short;
  let start = at + 1;
  if (size > 55) {
    start += size - 55;
    require_(start <= end, "an RLP length is cut short");
    const length = bigint(data.slice(at + 1, start));
    require_(length > 55n && data[at + 1] !== 0, "an RLP length is not in its shortest form");
    size = length < BigInt(end) ? Number(length) : end;
  }
  const stop = start + size;
  require_(stop <= end, "an RLP item is cut short");
  require_(first !== 0x81 || data[start] > 0x7f, "RLP of a byte below 0x80 takes no prefix");
  return [start, stop];
}

/** Return the items of a list of a certain length, or of any. */
function items(item, count) {
  require_(item instanceof List, "an RLP list is expected");
  require_(count === undefined || item.items.length === count, `an RLP list of ${count} is expected`);
  return item.items;
}

/** Return a string of one of some sizes, or of any. */
function bytes(item, ...sizes) {
  require_(item instanceof Uint8Array, "an RLP string is expected");
  require_(!sizes.length || sizes.includes(item.length), `a string of ${sizes} bytes is expected`);
  return item;
}

/** Return the integer of at most some bytes that a string stands for. */
function integer(item, size) {
  require_(bytes(item).length <= size && item[0] !== 0, "an integer is too long or has leading zeros");
  return bigint(item);
}

// What is proven ----------------------------------------------------------------------------------------

/** Return the root that the body of a proof yields, and a function that gives its facts. */
function readBody(kind, reader) {
  if (kind <= 3) {
    const index = reader.uint(4);
    const depth = reader.uint(1);
    require_(depth <= MAX_DEPTH, "the path is too long");
    const siblings = Array.from({ length: depth }, () => reader.take(32));
    const item = reader.rest();
    const facts = [receipt, transaction, message][kind - 1];
    return { root: itemRoot(index, siblings, item), facts: () => ({ index, ...facts(item) }) };
  }
  const address = reader.take(20);
  const key = kind === 5 ? reader.take(32) : null;
  const accountNodes = reader.list();
  const storageNodes = key ? reader.list() : [];
  reader.finish();
  const root = accountNodes.length ? keccak_256(accountNodes[0]) : EMPTY_ROOT;
  const found = () => account(root, address, accountNodes);
  return {
    root,
    facts: key ? () => ({ address, key, value: stored(found().storageRoot, key, storageNodes) }) : found,
  };
}

/** Return the root of the binary tree in which an item has this path. */
function itemRoot(index, siblings, item) {
  let rest = index;
  let node = keccak_256(concat(Uint8Array.of(0), item));
  for (const sibling of siblings) {
    node = keccak_256(concat(Uint8Array.of(1), ...(rest % 2 ? [sibling, node] : [node, sibling])));
    rest = Math.floor(rest / 2);
  }
  require_(rest === 0, "the index lies outside of its tree");
  return node;
}

function receipt(item) {
  const [transactionHash, status, gas, bloomHash, logs] = items(rlp(item), 5);
  require_(bytes(status, 0, 1).length === 0 || status[0] === 1, "a status is 0 or 1");
  return {
    transactionHash: bytes(transactionHash, 32),
    status: status.length,
    succeeded: status.length === 1,
    cumulativeGasUsed: integer(gas, 8),
    bloomHash: bytes(bloomHash, 32),
    logs: items(logs).map(log),
  };
}

function log(item) {
  const [address, topics, data] = items(item, 3);
  require_(items(topics).length <= MAX_TOPICS, "a log has at most four topics");
  return {
    address: bytes(address, 20),
    topics: topics.items.map((topic) => bytes(topic, 32)),
    data: bytes(data),
  };
}

function transaction(raw) {
  return { raw, hash: keccak_256(raw) };
}

function message(item) {
  return { message: item };
}

function account(root, address, nodes) {
  const leaf = trieValue(root, keccak_256(address), nodes);
  if (leaf === null) {
    return { address, exists: false, nonce: 0n, balance: 0n, storageRoot: EMPTY_ROOT, codeHash: EMPTY_CODE_HASH };
  }
  const [nonce, balance, storageRoot, codeHash] = items(rlp(leaf), 4);
  return {
    address,
    exists: true,
    nonce: integer(nonce, 8),
    balance: integer(balance, 32),
    storageRoot: bytes(storageRoot, 32),
    codeHash: bytes(codeHash, 32),
  };
}

function stored(root, key, nodes) {
  const leaf = trieValue(root, keccak_256(key), nodes);
  if (leaf === null) return 0n;
  const value = integer(rlp(leaf), 32);
  require_(value > 0n, "a slot never holds zero");
  return value;
}

// Merkle-Patricia tries whose keys are hashes -----------------------------------------------------------

/** Return what a proof shows about a key: its value, or null for its absence. */
function trieValue(root, key, nodes) {
  if (equal(root, EMPTY_ROOT) && !nodes.length) return null;
  const rest = [...nodes];
  let child = root;
  let path = hex(key);
  let value = null;
  let afterExtension = false;
  while (value === null && !(child instanceof Uint8Array && child.length === 0)) {
    const node = nextNode(child, rest, rest.length === nodes.length);
    if (node.length === 17) {
      require_(path && bytes(node[16]).length === 0, "a branch of a trie of hashes has no value");
      child = node[parseInt(path[0], 16)];
      path = path.slice(1);
      afterExtension = false;
      continue;
    }
    require_(node.length === 2 && !afterExtension, "not a node that a trie can have there");
    const [steps, isLeaf] = pathOf(node[0]);
    if (isLeaf) {
      require_(steps.length === path.length && bytes(node[1]).length, "not a leaf that a trie can have there");
    } else {
      require_(steps && steps.length < path.length, "an extension of a trie has a path, and something below");
    }
    if (!path.startsWith(steps)) break;
    if (isLeaf) {
      value = node[1];
    } else {
      require_(node[1] instanceof List || node[1].length, "an extension of a trie leads to a branch");
      child = node[1];
      path = path.slice(steps.length);
      afterExtension = true;
    }
  }
  require_(!rest.length, "a trie proof has surplus nodes");
  return value;
}

/** Return the items of the node that `child` refers to: itself, or the next one of the proof. */
function nextNode(child, rest, isRoot) {
  if (child instanceof List) {
    require_(child.size < 32, "a trie node of 32 bytes or more is referred to by its hash");
    return child.items;
  }
  require_(rest.length, "a trie proof ends early");
  const raw = rest.shift();
  require_(equal(keccak_256(raw), child), "another node belongs there in a trie proof");
  require_(isRoot || raw.length >= 32, "a trie node of less than 32 bytes stands inside of its parent");
  return items(rlp(raw));
}

/** Return the nibbles of a hex-prefixed path as hexadecimal digits, and whether it is a leaf's. */
function pathOf(item) {
  const digits = hex(bytes(item));
  const flag = "0123".indexOf(digits[0] ?? "-");
  require_(flag >= 0 && (flag % 2 || digits[1] === "0"), "not a path of a trie node");
  return [digits.slice(flag % 2 ? 1 : 2), flag > 1];
}

// Signatures --------------------------------------------------------------------------------------------

/** Return the point that compressed bytes stand for: of the right subgroup, and not the identity. */
function point(group, data) {
  require_((data[0] & 0xc0) === 0x80, "not a compressed point other than the identity");
  try {
    const decoded = group.fromBytes(data);
    decoded.assertValidity();
    return decoded;
  } catch (error) {
    throw new CspvError(`not a point of the group: ${error.message}`);
  }
}

/** Return a group key: its 96 bytes and the point, whose decoding is worth doing once. */
function groupKey(data) {
  return { data, point: point(bls12_381.G2.Point, data) };
}

/** Tell whether a signature is that of a message under a group key. */
function isSigned(key, data, signature, domain) {
  const signed = point(bls12_381.G1.Point, signature);
  const hashed = bls12_381.G1.hashToCurve(data, { DST: domain });
  return bls12_381.shortSignatures.verify(signed, hashed, key.point);
}

/** Return the 20-byte address that signed a digest: r, s in the lower half, v of 0 or 1. */
function signer(digest, signature) {
  const v = signature[64];
  require_(v <= 1 && bigint(signature.slice(32, 64)) <= SECP256K1_HALF, "a signature is not in its one form");
  try {
    const recoverable = concat(Uint8Array.of(v), signature.slice(0, 64));
    const parsed = secp256k1.Signature.fromBytes(recoverable, "recovered");
    return keccak_256(parsed.recoverPublicKey(digest).toBytes(false).slice(1)).slice(12);
  } catch (error) {
    throw new CspvError(`no key makes this signature: ${error.message}`);
  }
}

// Links, from one key of a chain to the next ------------------------------------------------------------

/** Return the key to which a link leads from another. */
function followLink(data, chainId, oldKey) {
  const [generation, round, members, attestation, newKey, bitmap, votes] = items(rlp(data), 7);
  const reached = integer(generation, 8);
  require_(reached >= 2n, "a link leads to generation 2 or later");
  const numbers = concat(uint64(chainId), uint64(reached - 1n));
  const committee = readMembers(bytes(members));
  const parts = [ascii("chainstack key holders"), numbers, uint64(integer(round, 8)), keccak_256(members)];
  bytes(attestation, 48);
  require_(
    isSigned(oldKey, concat(...parts), attestation, HOLDERS_DOMAIN),
    "the old key has not signed who its holders are",
  );
  const text = ascii("\x19chainstack key link\x00");
  const chosen = concat(text, numbers, oldKey.data, uint64(reached), bytes(newKey, 96));
  checkVotes(committee, bytes(bitmap), bytes(votes), keccak_256(chosen));
  return groupKey(newKey);
}

function readMembers(data) {
  const members = items(rlp(data)).map((item) => {
    const [address, weight, vrfKey] = items(item, 3);
    bytes(vrfKey, 0, 32);
    return { address: bytes(address, 20), weight: integer(weight, 8) };
  });
  require_(members.length >= 1 && members.length <= MAX_MEMBERS, "a committee has from 1 to 1024 members");
  const names = members.map((member) => hex(member.address));
  require_(
    names.every((name, at) => at === 0 || names[at - 1] < name),
    "the members of a committee are in ascending order of address",
  );
  require_(members.every((member) => member.weight > 0n), "a member of a committee has a weight");
  require_(total(members) < UINT64_END, "the weights of a committee add up to less than 2^64");
  return members;
}

function total(members) {
  return members.reduce((sum, member) => sum + member.weight, 0n);
}

function checkVotes(members, bitmap, votes, digest) {
  require_(bitmap.length <= MAX_MEMBERS / 8 && bitmap.at(-1) !== 0, "voters are in a bitmap without trailing zeros");
  const places = Array.from({ length: bitmap.length * 8 }, (_, at) => at);
  const named = places.filter((at) => (bitmap[at >> 3] >> (at & 7)) & 1);
  require_(votes.length === VOTE_BYTES * named.length, "a link has one vote for each voter");
  require_(named.every((at) => at < members.length), "a link names a voter who is no member");
  const voters = named.map((at) => members[at]);
  require_(3n * total(voters) > 2n * total(members), "too few members voted for the new key");
  voters.forEach((voter, at) => {
    const vote = votes.slice(VOTE_BYTES * at, VOTE_BYTES * (at + 1));
    require_(equal(signer(digest, vote), voter.address), "a vote for the new key is not its member's");
  });
}
