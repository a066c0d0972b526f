from __future__ import annotations

import re
from enum import Enum
from typing import Annotated

import pytest

from chainstack_sdk import Account, Chain, ether
from chainstack_sdk.core.gas import intrinsic_gas
from chainstack_sdk.machines import (
    CompileError,
    Error,
    Event,
    Indexed,
    Machine,
    Mapping,
    State,
    address,
    after,
    bytes32,
    compile_text,
    days,
    emit,
    int256,
    invariant,
    require,
    role,
    send_token,
    transfer,
    transition,
    uint256,
    view,
)
from chainstack_sdk.machines.compiler import Notes, notes_of
from chainstack_sdk.machines.compiler.source import text_source
from chainstack_sdk.machines.deployer import deployment_gas
from chainstack_sdk.machines.markdown import escaped, name, paragraphs, quoted
from chainstack_sdk.machines.report import report_of


class Estate(Machine):
    """Hands an estate over.

    Two of three notaries
    decide *when*.
    """

    class Mood(Enum):
        calm = 0
        upset = 1

    class Handed(Event):
        heir: Indexed[address]
        amount: uint256

    class Missing(Error):
        amount: uint256

    owner = role()
    """Who leaves it."""
    heirs = role(2, threshold=1)
    notaries = role(3, threshold=2)
    token: address
    least: uint256
    """Wei below which nothing is handed over."""
    mood: Mood
    debts: Mapping[address, int256]
    marks: Annotated[list[bytes32], 2]
    will: Annotated[str, 40]
    seal: Annotated[bytes, 8]
    open: bool

    kept = State()
    """Everything is as it was."""
    proven = State()
    lost = State()
    handed = State(final=True)

    def __init__(self, token: address, heirs: Annotated[list[address], 2], least: uint256) -> None:
        self.owner = self.caller
        self.token = token
        self.heirs = heirs
        self.least = least

    @transition(kept, payable=True)
    def add(self) -> None:
        """Put something in."""

    @transition((kept, proven), proven, by=notaries)
    def prove(self) -> None:
        self.mood = self.Mood.upset

    @transition(proven, handed, by=heirs)
    def hand_over(self, heir: address, units: uint256) -> uint256:
        require(heir in self.heirs, "no <b>heir</b>")
        total = self.balance
        require(total >= self.least, self.Missing(self.least - total))
        if units > 0:
            send_token(self.token, heir, units)
        transfer(heir, total)
        emit(self.Handed(heir, total))
        return total

    @after(kept, 365 * days, lost)
    def forget(self) -> None:
        """Nobody cared."""
        transfer(self.owner, self.balance)

    @view
    def enough(self) -> bool:
        """Whether there is enough."""
        return self.balance >= self.least

    @invariant
    def covered(self) -> bool:
        return self.balance >= 0


class Nothing(Machine):
    only = State(final=True)

    def __init__(self) -> None:
        pass


def sections(report: str) -> dict[str, str]:
    parts = re.split(r"^## \d+\. (.*)$", report, flags=re.MULTILINE)
    return {title: text.strip() for title, text in zip(parts[1::2], parts[2::2], strict=True)}


ESTATE = Estate.report()
PARTS = sections(ESTATE)


def test_the_head_names_the_machine() -> None:
    head = ESTATE.split("## 1.")[0]
    assert head.startswith(
        "# Estate\n\nHands an estate over.\n\nTwo of three notaries decide \\*when\\*.\n\nIdentity: `0x"
    )
    assert Estate.identity().hex() in head
    assert f"```mermaid\n{Estate.diagram().mermaid()}```" in head


def test_parties() -> None:
    assert PARTS["Parties"].splitlines() == [
        "- **owner**: one account; may call nothing by this role. Who leaves it.",
        "  - When it is made: *owner* becomes the maker.",
        "- **heirs**: 2 accounts; may call *hand_over*.",
        "  - When it is made: *heirs* becomes the given *heirs*.",
        "- **notaries**: 3 accounts, 2 of which must make the same call; may call *prove*.",
        "- **Anybody** may call *add*.",
    ]


def test_states() -> None:
    assert PARTS["States"].splitlines() == [
        "The machine is always in one of 4 states. It begins in *kept* and ends in *handed*.",
        "",
        "### In *kept*",
        "",
        "Everything is as it was.",
        "",
        "- Anybody may call *add* and send coin with it: it stays.",
        "- Only 2 of the 3 *notaries* together may call *prove*: it enters *proven*.",
        "- 365 days later, by itself (*forget*): it enters *lost*.",
        "",
        "### In *proven*",
        "",
        "- Only 2 of the 3 *notaries* together may call *prove*: it enters *proven* anew.",
        "- Any of *heirs* may call *hand_over*: it enters *handed*.",
        "",
        "### In *lost*",
        "",
        "- Nothing leads out of it.",
        "",
        "### In *handed*",
        "",
        "- Nothing can be done any more.",
    ]


def test_what_can_be_done() -> None:
    text = PARTS["What can be done"]
    assert text.split("### hand\\_over")[1].strip().splitlines() == [
        "- **Who:** Any of *heirs*.",
        "- **When:** the machine is in *proven*. Afterwards it enters *handed*.",
        "- **Coin:** none is taken.",
        f"- **Cost:** {Estate.gas()['hand_over']:,} gas.",
        "",
        "Given with it:",
        "",
        "- *heir*: an account",
        "- *units*: a whole number",
        "",
        "1. **Only if** *heir* is among *heirs*; otherwise refused: “no \\<b\\>heir\\</b\\>”.",
        "2. Let *total* be all coin of the machine.",
        "3. **Only if** *total* is at least *least*; otherwise refused with *Missing* "
        "(*amount* = *least* − *total*).",  # noqa: RUF001
        "4. If *units* is more than 0:",
        "   1. **Money:** sends *units* units of *token* to *heir*.",
        "5. **Money:** pays *total* wei to *heir*.",
        "6. Records *Handed* (*heir* = *heir*, *amount* = *total*).",
        "",
        "The answer is *total*.",
    ]
    prove = text.split("### prove")[1].split("###")[0]
    assert "Each makes this call, with the same values" in prove
    assert "1. *mood* becomes *upset*." in prove
    assert "> Put something in.\n\nNothing else happens." in text


def test_what_happens_by_itself() -> None:
    assert PARTS["What happens by itself"].splitlines() == [
        "The chain does this at the end of the first block that is not earlier, or of one of the next where "
        "many wait; nobody need do anything. Where a step refuses, the machine stays in its state, and it is "
        "tried again only when somebody calls the machine.",
        "",
        "### forget",
        "",
        "365 days after the machine came into *kept*, if it still is there, it enters *lost*.",
        "",
        "> Nobody cared.",
        "",
        "1. **Money:** pays all coin of the machine to *owner*.",
    ]


def test_money() -> None:
    assert PARTS["When money moves"].splitlines()[2:] == [
        "| *add* | the coin sent | the caller | the machine | with the call |",
        "| *hand_over* | *units* units of *token* | the machine | *heir* | within step 4 |",
        "| *hand_over* | *total* wei | the machine | *heir* | step 5 |",
        "| *forget* | all coin of the machine | the machine | *owner* | step 1 |",
    ]


def test_questions_claims_and_records() -> None:
    assert PARTS["What can be asked"].endswith(
        "### enough\n\n> Whether there is enough.\n\n"
        "The answer is whether all coin of the machine is at least *least*."
    )
    assert PARTS["What is to hold at any time"].endswith(
        "### covered\n\nIt holds that all coin of the machine is at least 0 wei."
    )
    assert PARTS["What it keeps"].splitlines()[3:] == [
        "- *token*: an account.",
        "- *least*: a whole number. Wei below which nothing is handed over.",
        "- *mood*: one of *calm* and *upset* (*Mood*).",
        "- *debts*: for every account: a whole number, which may be negative.",
        "- *marks*: a list of 2, each 32 bytes, such as a hash.",
        "- *will*: a text of at most 40 bytes.",
        "- *seal*: at most 8 bytes.",
        "- *open*: yes or no.",
    ]


def test_costs_are_those_of_the_gas_table() -> None:
    costs = dict(re.findall(r"^\| \*(\w+)\* \| ([\d,]+) \|$", PARTS["What it costs"], re.MULTILINE))
    told = {function: int(gas.replace(",", "")) for function, gas in costs.items()}
    assert told == {**Estate.gas(), "deployment": deployment_gas(Estate.ir())}


def test_deployment_costs_what_is_said() -> None:
    alice = Account.from_key(b"\x01" * 32)
    chain = Chain.in_memory({alice: ether(1)}, auto_seal=True)
    Estate.deploy(chain, alice, token=bytes(20), heirs=[bytes(20)] * 2, least=5, unchecked=True)
    transaction = chain.block(chain.height).transactions[0]
    receipt = chain.receipt(transaction.hash)
    own = intrinsic_gas(transaction.data, False)
    assert receipt.gas_used - own == deployment_gas(Estate.ir())


def test_without_the_source_the_report_follows_from_the_encoding() -> None:
    bare = report_of(Estate.ir())
    assert bare.startswith("# Estate\n\nIdentity:")
    assert "2. Let *interim value 1* be all coin of the machine." in bare
    assert "Nobody cared" not in bare
    assert sections(bare)["States"] == PARTS["States"].replace("Everything is as it was.\n\n", "")


def test_a_machine_that_does_nothing() -> None:
    parts = sections(Nothing.report())
    assert parts["Parties"] == "- Nobody else may call anything."
    assert parts["States"].startswith("There is one state. It begins in *only* and ends in *only*.")
    assert parts["How it is made"].endswith("Nothing else happens.\n\nThen the machine is in *only*.")
    assert parts["What can be done"] == "Nothing."
    assert parts["What happens by itself"] == "Nothing: without a call the machine stays as it is."
    assert parts["When money moves"] == "Never: the machine takes nothing and gives nothing."
    assert parts["What is to hold at any time"] == "Nothing is declared."
    assert parts["What it keeps"] == "Nothing but its state."


def test_a_machine_without_an_end_and_steps_within_steps() -> None:
    text = (
        "class Loop(Machine):\n    total: uint256\n    only = State()\n"
        "    @transition(only)\n    def run(self, stop: bool) -> None:\n"
        "        if stop:\n            pass\n        else:\n"
        "            for i in range(3):\n                self.total += i\n"
    )
    parts = sections(report_of(compile_text(text), notes_of(text_source(text))))
    assert "It begins in *only* and has no end." in parts["States"]
    assert parts["What can be done"].split("- *stop*: yes or no\n\n")[1].splitlines() == [
        "1. If *stop*:",
        "   1. Nothing.",
        "",
        "   Otherwise:",
        "",
        "   1. For *i* from 0 to 2, one after the other:",
        "      1. *total* grows by *i*.",
    ]
    assert "Afterwards it stays there." in parts["What can be done"]


NOTED = """\
class M(Machine):
    "What it is."
    a: uint256
    "Below a."
    b: uint256
    s = State()
    @transition(s)
    def act(self, n: uint256) -> None:
        'Acts.'
        x = n
        n = x
        y: uint256 = 1
        if n > 1:
            z = y
            x = z
        else:
            z = 2
            for i in range(2):
                w = i
                x = w + z
        z = 7
        self.a = z
    @view
    def get(self) -> uint256:
        return self.a
"""


CIRCLE = """\
class Circle(Machine):
    owner = role()
    day = State()
    night = State()
    dawn = State()
    over = State(final=True)
    @payable
    def __init__(self) -> None:
        self.owner = self.caller
        transfer(self.owner, 5)
    @after(day, 43_200, night)
    def set_(self) -> None:
        pass
    @after(night, 43_200, day)
    def rise(self) -> None:
        pass
    @after(dawn, 60, day)
    def begin(self) -> None:
        pass
    @transition(day, dawn)
    def stop(self) -> None:
        pass
"""


def test_coin_that_comes_with_the_deployment_is_told() -> None:
    parts = sections(report_of(compile_text(CIRCLE)))
    assert "Coin may come with the deployment." in parts["How it is made"]
    assert parts["When money moves"].splitlines()[2:] == [
        "| making | the coin sent | the maker | the machine | with the deployment |",
        "| *making* | 5 wei | the machine | *owner* | step 2 |",
    ]
    assert "Coin cannot come with the deployment." in sections(Nothing.report())["How it is made"]


def test_timers_that_lead_in_a_circle_are_told() -> None:
    told = sections(report_of(compile_text(CIRCLE)))["What happens by itself"].split("### ")
    circling = "Then timers lead back to here: after one round the chain waits for a call"
    assert [circling in each for each in told] == [False, True, True, False]


def test_notes() -> None:
    assert notes_of(text_source(NOTED)) == Notes(
        "What it is.",
        {"act": "Acts."},
        {"a": "Below a."},
        {"act": ("x", "y", "z", "z", "i", "w", "z"), "get": ()},
    )
    machine = compile_text(NOTED)
    told = report_of(machine, notes_of(text_source(NOTED)))
    for words in (
        "Let *y* be 1",
        "Let *z* be *y*",
        "For *i* from 0 to 1",
        "Let *w* be *i*",
        "*x* becomes *w* + *z*",
    ):
        assert words in told
    assert told.index("*x* becomes *w*") < told.index("Let *z* be 7")


def test_diagram_and_report_are_no_names_for_functions() -> None:
    for taken in ("diagram", "report"):
        with pytest.raises(CompileError, match="is taken"):
            compile_text(NOTED.replace("def get", f"def {taken}"))


def test_markdown_stays_text() -> None:
    assert escaped("a *b* `c` [d](e) <f>|g\\ _h_ &amp; $x$ #i\n\x1b\u202ej") == (
        "a \\*b\\* \\`c\\` \\[d\\](e) \\<f\\>\\|g\\\\ \\_h\\_ \\&amp; \\$x\\$ \\#i \ufffd\ufffdj"
    )
    assert escaped("see https://a.b or www.c.d, at once: e.") == "see https\\://a.b or www\\.c.d, at once: e."
    text = "- a\n\n12. b\n\n+ c\n\n3) d\n\n---\n\n===\n\n-5 e\n\n1.5 f"
    assert [*paragraphs(text)] == [
        "\\- a",
        "12\\. b",
        "\\+ c",
        "3\\) d",
        "\\---",
        "\\===",
        "\\-5 e",
        "1\\.5 f",
    ]
    assert name("take_back") == "*take_back*"
    assert name("__x_y_") == "*\\_\\_x_y\\_*"
    assert quoted("no") == "“no”"
    assert [*paragraphs("  one\n  more\n\n\n two ")] == ["one more", "two"]
    assert [*paragraphs("")] == []
