"""Test results as JUnit XML, in the form that the readers of CI servers agree on: Surefire's, as Jenkins checks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from ffltool.errors import printable

Ending = Literal["passed", "failure", "error"]


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Cases that belong together; ``log`` is what there was to say beside them."""

    name: str
    cases: tuple[Case, ...]
    properties: dict[str, str]
    seconds: float
    log: str = ""

    def count(self, state: Ending) -> int:
        """Return how many cases ended so."""
        return sum(case.state == state for case in self.cases)


@dataclass(frozen=True)
class Case:
    """A test and how it ended: an error is a test that could not be made."""

    classname: str
    name: str
    state: Ending = "passed"
    text: str = ""


def as_xml(command: str, suites: Sequence[Suite]) -> str:
    """Return the XML of suites. Characters that XML cannot hold stand as escapes."""
    counts = {
        "tests": sum(len(suite.cases) for suite in suites),
        "failures": sum(suite.count("failure") for suite in suites),
        "errors": sum(suite.count("error") for suite in suites),
    }
    seconds = f"{sum(suite.seconds for suite in suites):.3f}"
    root = Element("testsuites", {"name": f"ffltool {command}", "time": seconds, **_texts(counts)})
    for suite in suites:
        _add_suite(root, suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_suite(root: Element, suite: Suite) -> None:
    counts = {
        "tests": len(suite.cases),
        "failures": suite.count("failure"),
        "errors": suite.count("error"),
        "skipped": 0,
    }
    own = {"name": printable(suite.name), "time": f"{suite.seconds:.3f}"}
    element = SubElement(root, "testsuite", own | _texts(counts))
    properties = SubElement(element, "properties")
    for name, value in suite.properties.items():
        SubElement(properties, "property", name=name, value=printable(value))
    for case in suite.cases:
        found = SubElement(
            element, "testcase", classname=printable(case.classname), name=printable(case.name), time="0"
        )
        if case.state != "passed":
            SubElement(found, case.state, type=case.state, message=printable(case.text)).text = printable(case.text)
        elif case.text:
            SubElement(found, "system-out").text = printable(case.text)
    if suite.log:
        SubElement(element, "system-err").text = "\n".join(map(printable, suite.log.splitlines()))


def _texts(counts: dict[str, int]) -> dict[str, str]:
    return {name: str(count) for name, count in counts.items()}
