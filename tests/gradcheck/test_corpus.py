"""check_gradient on a corpus: no right rule is accused, and a wrong one is told its mistake.

``pytest -s tests/gradcheck/test_corpus.py`` prints the table of confusions. Set CORPUS=all to spoil
every rule in every way (minutes); by default each fault is tried on every eighth rule, each
framework beginning with another one.
"""

import os

import pytest
from confusion import Confusion
from dialects import build
from faults import SPOILERS
from held_back import RIGHT, WRONG
from right_rules import RIGHT_RULES

from course_lib.gradcheck import HINTS, check_gradient

FRAMEWORKS = ["tape", "tensorflow", "torch"]
EVERY = 1 if os.environ.get("CORPUS") == "all" else 8


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("rule", RIGHT_RULES, ids=lambda rule: rule.name)
def test_no_right_rule_is_accused(rule, framework):
    report = check_gradient(
        build(framework, rule.forward, rule.backward), *rule.inputs, framework=framework
    )
    assert report.ok, str(report)


def test_there_are_enough_right_rules():
    assert len(RIGHT_RULES) >= 60


def wrong_rules():
    """Every fault in each framework, on rules that it applies to."""
    for turn, framework in enumerate(FRAMEWORKS):
        for number, (code, _, spoil) in enumerate(SPOILERS):
            spoiled = ((rule, spoil(framework, rule)) for rule in RIGHT_RULES)
            wrong = [(rule, bad) for rule, bad in spoiled if bad is not None]
            first = (number + turn) % EVERY if len(wrong) > EVERY else 0
            for rule, bad in wrong[first::EVERY]:
                yield code, framework, bad, rule.inputs


def test_wrong_rules_are_rejected_and_named():
    confusion = Confusion()
    for code, framework, rule, inputs in wrong_rules():
        order = 2 if code == "second-order" else 1
        confusion.note(code, check_gradient(rule, *inputs, framework=framework, order=order))
    print(f"\n{confusion}")
    assert confusion.total >= 200
    assert set(confusion.table) == set(HINTS)
    assert confusion.rejected >= 0.98
    assert confusion.named >= 0.95
    assert all(row[code] / row.total() >= 0.8 for code, row in confusion.table.items())


def test_rules_held_back_from_the_diagnosis():
    """Written after it, by hand. When first run: 98 of 98 rejected, 95 named."""
    for framework, rule, inputs, options in RIGHT:
        report = check_gradient(rule, *inputs, framework=framework, **options)
        assert report.ok, str(report)
    confusion = Confusion()
    for code, framework, rule, inputs, options in WRONG:
        confusion.note(code, check_gradient(rule, *inputs, framework=framework, **options))
    print(f"\n{confusion}")
    assert confusion.rejected >= 0.98
    assert confusion.named >= 0.95
