"""The machines of the library and of the examples: no defects, and a page and a picture of each."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from chainstack_sdk.machines import Machine
from chainstack_sdk.machines.check import check_machine, quick_check
from chainstack_sdk.machines.standard import DataTask, Insurance, Rental, RightsRegistry, Traceability

EXAMPLES = Path(__file__).parents[3] / "examples"


def of_example(name: str) -> type[Machine]:
    """Return the machine that an example declares."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    (found,) = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Machine) and each.__module__ == spec.name
    ]
    return found


SHIPPED = [
    DataTask,
    Insurance,
    Rental,
    RightsRegistry,
    Traceability,
    *map(of_example, ("machine", "own_machine")),
]


def test_no_example_is_forgotten() -> None:
    declaring = [
        each.stem for each in sorted(EXAMPLES.glob("*.py")) if "(Machine):" in each.read_text("utf-8")
    ]
    assert declaring == ["machine", "own_machine"]


@pytest.mark.parametrize("machine", SHIPPED)
def test_shipped_machines_are_clean(machine: type[Machine]) -> None:
    assert quick_check(machine.ir()).findings == ()


@pytest.mark.long
@pytest.mark.parametrize("machine", SHIPPED)
def test_shipped_machines_are_clean_in_full(machine: type[Machine]) -> None:
    report = check_machine(machine.ir(), budget=120_000 if machine is RightsRegistry else 20_000)
    assert report.findings == (), str(report)
    # an inspector is appointed by two regulators who say the same of the same moment: tested by itself
    unseen = ["inspect"] if machine is Traceability else []
    assert [note.partition(" ")[0] for note in report.notes] == unseen, str(report)


@pytest.mark.parametrize("machine", SHIPPED)
def test_shipped_machines_are_told_and_drawn(machine: type[Machine]) -> None:
    report, diagram = machine.report(), machine.diagram()
    assert report.startswith(f"# {machine.__name__}\n")
    assert all(f"*{each.name}*" in report for each in machine.ir().states)
    told = "".join(ElementTree.fromstring(diagram.svg()).itertext())
    assert all(each.name in told for each in (*machine.ir().states, *machine.ir().transitions))
    assert diagram.mermaid().startswith("stateDiagram-v2\n")
