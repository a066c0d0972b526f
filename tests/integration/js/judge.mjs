// Reads pairs of anchor and proof from standard input and answers for each what it proves or why it is refused.

import { readFileSync } from "node:fs";
import { CspvError, verify } from "./cspv.mjs";

const decoded = (text) => Uint8Array.from(Buffer.from(text.replace(/^0x/, ""), "hex"));

// As the vectors write them: bytes in hexadecimal, numbers in decimal.
function shown(value) {
  if (value instanceof Uint8Array) return "0x" + Buffer.from(value).toString("hex");
  if (typeof value === "bigint" || typeof value === "number") return value.toString();
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shown(part)]));
}

function answer([anchor, proof]) {
  try {
    return { proven: shown(verify(decoded(anchor), decoded(proof))) };
  } catch (error) {
    if (error instanceof CspvError) return { refused: error.message };
    throw error;
  }
}

const cases = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(cases.map(answer)));
