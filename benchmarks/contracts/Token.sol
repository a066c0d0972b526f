// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A plain ERC-20 of OpenZeppelin Contracts: what the benchmarks run on a real EVM.
contract Token is ERC20 {
    constructor(uint256 supply) ERC20("Gold", "GLD") {
        _mint(msg.sender, supply);
    }
}
