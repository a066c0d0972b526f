// A token transfer and what surrounds it, by ethers 6. Facts go to stdout as JSON; the Python test judges.
import { Contract, JsonRpcProvider, Wallet } from "ethers";

const { url, key, token, abi, bob } = JSON.parse(process.env.CHAINSTACK_TEST);
// ethers keeps answers for 250 ms unless told otherwise, nonces too
const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1 });
const wallet = new Wallet(key, provider);
const gold = new Contract(token, abi, wallet);
const told = {};

const before = await gold.balanceOf(wallet.address);
const transfer = await gold.transfer(bob, 25n);
const receipt = await transfer.wait();
const events = await gold.queryFilter(gold.filters.Transfer(null, bob), 0);
told.spent = String(before - (await gold.balanceOf(wallet.address)));
told.status = receipt.status;
told.type = receipt.type;
told.transactionHash = receipt.hash;
told.logs = receipt.logs.map((log) => ({ name: log.fragment.name, value: String(log.args.value) }));
told.events = events.map((event) => String(event.args.value));

try {
  await gold.transfer.staticCall(bob, 10n ** 9n);
} catch (error) {
  told.refusal = { code: error.code, name: error.revert.name, needed: String(error.revert.args.needed) };
}
try {
  await gold.transfer(bob, 10n ** 9n);
} catch (error) {
  told.refusalOfEstimate = error.code;
}

const legacy = await wallet.sendTransaction({ to: bob, value: 7n, type: 0 });
told.legacy = { status: (await legacy.wait()).status, type: (await provider.getTransaction(legacy.hash)).type };
const listed = await wallet.sendTransaction({ to: bob, value: 7n, type: 1, accessList: [[token, []]] });
told.listed = { status: (await listed.wait()).status, type: (await provider.getTransaction(listed.hash)).type };
try {
  await provider.broadcastTransaction(
    await wallet.signTransaction({
      to: bob,
      nonce: 0,
      type: 2,
      gasLimit: 21000n,
      chainId: 31337n,
      maxFeePerGas: 10n ** 10n,
    }),
  );
} catch (error) {
  told.usedNonce = error.code;
}

const block = await provider.getBlock(receipt.blockNumber, true);
told.block = {
  hash: block.hash,
  parentHash: block.parentHash,
  transactions: block.prefetchedTransactions.map((transaction) => transaction.hash),
};
told.balance = String(await provider.getBalance(bob));
told.code = await provider.getCode(token);
told.baseFee = String((await provider.getFeeData()).gasPrice);
told.logCount = (await provider.getLogs({ address: token, fromBlock: 0 })).length;

provider.destroy();
console.log(JSON.stringify(told));
