// A token transfer and what surrounds it, by viem 2. Facts go to stdout as JSON; the Python test judges.
import {
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";

const { url, key, token, abi, bob } = JSON.parse(process.env.CHAINSTACK_TEST);
const chain = defineChain({
  id: 31337,
  name: "test",
  nativeCurrency: { name: "coin", symbol: "C", decimals: 18 },
  rpcUrls: { default: { http: [url] } },
});
const account = privateKeyToAccount(key);
const transport = http(url, { retryCount: 0, batch: true });
const reader = createPublicClient({ chain, transport, pollingInterval: 20, cacheTime: 0 });
const writer = createWalletClient({ chain, transport, account });
const gold = { address: token, abi };
const told = {};

const held = () => reader.readContract({ ...gold, functionName: "balanceOf", args: [account.address] });
const before = await held();
const { request } = await reader.simulateContract({
  ...gold,
  account,
  functionName: "transfer",
  args: [bob, 25n],
});
const transactionHash = await writer.writeContract(request);
const receipt = await reader.waitForTransactionReceipt({ hash: transactionHash });
const [log] = receipt.logs;
const events = await reader.getContractEvents({
  ...gold,
  eventName: "Transfer",
  args: { to: bob },
  fromBlock: 0n,
  strict: true,
});
told.spent = String(before - (await held()));
told.status = receipt.status;
told.type = receipt.type;
told.transactionHash = receipt.transactionHash;
told.logs = [{ address: log.address, index: log.logIndex, removed: log.removed }];
told.events = events.map((event) => String(event.args.value));

try {
  await reader.simulateContract({ ...gold, account, functionName: "transfer", args: [bob, 10n ** 9n] });
} catch (error) {
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  told.refusal = { name: reverted.data.errorName, needed: String(reverted.data.args[2]) };
}
try {
  await writer.sendTransaction({ to: bob, value: 1n, nonce: 0 });
} catch (error) {
  told.usedNonce = error.walk((cause) => cause.name === "NonceTooLowError").name;
}

const send = async (fields) => {
  const hash = await writer.sendTransaction({ to: bob, value: 7n, ...fields });
  const { status } = await reader.waitForTransactionReceipt({ hash });
  return { status, type: (await reader.getTransaction({ hash })).type };
};
told.legacy = await send({ type: "legacy" });
told.listed = await send({ type: "eip2930", accessList: [{ address: token, storageKeys: [] }] });

const block = await reader.getBlock({ blockNumber: receipt.blockNumber, includeTransactions: true });
told.block = {
  hash: block.hash,
  parentHash: block.parentHash,
  transactions: block.transactions.map((transaction) => transaction.hash),
};
told.balance = String(await reader.getBalance({ address: bob }));
told.code = await reader.getCode({ address: token });
const proof = await reader.getProof({ address: token, storageKeys: [`0x${"00".repeat(32)}`] });
told.proof = { nodes: proof.accountProof.length, slots: proof.storageProof.length };
const history = await reader.getFeeHistory({ blockCount: 2, rewardPercentiles: [50] });
told.history = { baseFees: history.baseFeePerGas.length, rewards: history.reward.length };

const filter = await reader.createContractEventFilter({ ...gold, eventName: "Transfer" });
await reader.waitForTransactionReceipt({
  hash: await writer.writeContract({ ...gold, functionName: "transfer", args: [bob, 3n] }),
});
told.changes = (await reader.getFilterChanges({ filter })).map((event) => String(event.args.value));
told.uninstalled = await reader.uninstallFilter({ filter });

console.log(JSON.stringify(told));
