"""Every rule proves itself: it mends and finds what it shows, and keeps its near misses."""

import re
import time

import pytest
from _pytest.mark import ParameterSet

from tasks.artifacts.cues import CueIndex
from tasks.artifacts.habits import Habits
from tasks.artifacts.mend import Mode, mend
from tasks.artifacts.rule import Rule, Safety
from tasks.artifacts.rulebook import RULEBOOK, RULES_VERSION

LONG = 100_000
LONGER = 300_000
MOST_SECONDS = 4  # of CPU time, for a line of LONGER: linear rules take under one, a quadratic one took eight


def examples(kind: str) -> list[ParameterSet]:
    """Return a case for each example of each rule."""
    return [
        pytest.param(rule, example, id=f"{rule.id}-{number}")
        for rule in RULEBOOK
        for number, example in enumerate(getattr(rule, kind))
    ]


def mended(text: str, rule: Rule, rules: tuple[Rule, ...] = RULEBOOK) -> str:
    return mend(title="", summary=None, text=text, language=rule.home, mode=Mode.ALL, rules=rules).text


@pytest.mark.parametrize(("rule", "text"), examples("mends"))
def test_mends(rule: Rule, text: str) -> None:
    assert mended(text, rule, rules=(rule,)) == rule.mends[text]


@pytest.mark.parametrize(("rule", "text"), examples("mends"))
def test_mends_in_the_company_of_all_rules(rule: Rule, text: str) -> None:
    assert mended(text, rule) == rule.mends[text]


@pytest.mark.parametrize(("rule", "text"), examples("mends"))
def test_what_is_mended_is_left_in_peace(rule: Rule, text: str) -> None:
    assert not [
        finding for finding in rule.search(rule.mends[text], Habits(rule.mends[text])) if finding.after is not None
    ]


@pytest.mark.parametrize(("rule", "text"), examples("finds"))
def test_finds_and_leaves_to_an_editor(rule: Rule, text: str) -> None:
    findings = list(rule.search(text, Habits(text)))
    assert findings
    assert all(finding.after is None for finding in findings)


@pytest.mark.parametrize(("rule", "text"), examples("keeps"))
def test_keeps(rule: Rule, text: str) -> None:
    assert not list(rule.search(text, Habits(text)))


@pytest.mark.parametrize("rule", RULEBOOK, ids=lambda rule: rule.id)
def test_is_complete(rule: Rule) -> None:
    assert rule.mends or rule.finds, "show at least one text the rule answers to"
    assert len(rule.keeps) >= 2, "show near misses too"
    assert (rule.pattern is None) != (rule.finder is None), "a rule has a pattern or a finder"
    assert rule.why.endswith("."), "say why in a sentence"
    assert rule.reference
    assert 0 < rule.confidence <= 1


@pytest.mark.parametrize("rule", RULEBOOK, ids=lambda rule: rule.id)
def test_shows_what_its_safety_promises(rule: Rule) -> None:
    if rule.safety is Safety.DETECT:
        assert not rule.mends, "a rule that only detects mends nothing"
    else:
        assert rule.mends, "a rule that mends shows how"


@pytest.mark.parametrize(("rule", "text"), [*examples("mends"), *examples("finds")])
def test_its_cues_stand_in_its_examples(rule: Rule, text: str) -> None:
    assert not rule.cues or any(cue in text for cue in rule.cues)


@pytest.mark.parametrize("rule", [rule for rule in RULEBOOK if rule.anchored], ids=lambda rule: rule.id)
def test_sees_the_same_from_its_cues_as_by_itself(rule: Rule) -> None:
    text = "\n".join(text for other in RULEBOOK for text in (*other.mends, *other.finds, *other.keeps))
    anchors = dict(CueIndex((rule,)).candidates(text))[rule]
    by_itself = [(found.start, found.end, found.after) for found in rule.search(text, Habits(text))]
    assert [(found.start, found.end, found.after) for found in rule.look(text, Habits(text), anchors)] == by_itself


def test_ids_are_unique_and_kebab_case() -> None:
    ids = [rule.id for rule in RULEBOOK]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(?:-[a-z]+)*", each) for each in ids)


def test_version_is_a_short_digest() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", RULES_VERSION)


def trigger_of(rule: Rule) -> str:
    return (next(iter(rule.mends), None) or rule.finds[0]).replace("\n", " ")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("rule", RULEBOOK, ids=lambda rule: rule.id)
def test_takes_time_in_proportion_to_a_long_line_of_residue(rule: Rule) -> None:
    line = f"{trigger_of(rule)} " * (LONGER // len(trigger_of(rule)))
    start = time.process_time()
    assert all(finding.end <= len(line) for finding in rule.search(line, Habits(line)))
    assert time.process_time() - start < MOST_SECONDS


@pytest.mark.timeout(60)
@pytest.mark.parametrize("rule", RULEBOOK, ids=lambda rule: rule.id)
def test_ends_on_a_long_line_of_its_own_trigger(rule: Rule) -> None:
    """A search that is cubic in the line would take hours here; the bound is the suite's, not a stopwatch."""
    trigger = trigger_of(rule)
    opening = next(iter(rule.cues), trigger[:3])
    for line in (
        opening * (LONG // len(opening)),
        f"{opening} a" * (LONG // 4),
    ):
        assert all(finding.end <= len(line) for finding in rule.search(line, Habits(line)))
