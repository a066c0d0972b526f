// What the verifier says to arguments that are no bytes, to Node's own byte arrays, and to very deep lists.

import { readFileSync } from "node:fs";
import { verify } from "./cspv.mjs";

const [anchor, proof] = JSON.parse(readFileSync(0, "utf8")).map((text) => Buffer.from(text, "hex"));

function outcome(first, second) {
  try {
    return verify(first, second).kind;
  } catch (error) {
    return error.name;
  }
}

const facts = verify(anchor, proof);
const before = facts.transactionHash.slice();
const deep = new Uint8Array(300_000).fill(0xc1);
deep.set(proof.subarray(0, 204));
deep.set([0, 0, 0, 0, 0], 204);
const told = {
  none: outcome(),
  text: outcome(anchor.toString("hex"), proof),
  array: outcome(anchor, [...proof]),
  buffer: outcome(anchor, proof),
  deep: outcome(anchor, deep),
};
proof.fill(0);
told.unchanged = Buffer.compare(facts.transactionHash, before) === 0;
process.stdout.write(JSON.stringify(told));
