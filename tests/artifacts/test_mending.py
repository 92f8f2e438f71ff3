"""Mending a document: what is gated and why, what is reported, and that every character can be had back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.artifacts.mend import Mended, Mode, find, mend, undo
from tasks.artifacts.rulebook import RULEBOOK
from tasks.documents import Action, Marker

TELLING = "“It will hold,” did he say. The town needs 3,5 million euros. And then and there it rained. and it snowed."


def mended(text: str, language: str = "en", mode: Mode = Mode.STANDARD, **more: object) -> Mended:
    return mend(title="", summary=None, text=text, language=language, mode=mode, **more)  # type: ignore[arg-type]


def test_mends_what_is_always_safe_without_evidence() -> None:
    assert mended("Prices rose by 3,5% in a year.").text == "Prices rose by 3.5% in a year."


def test_leaves_a_slip_in_a_document_without_evidence() -> None:
    result = mended("He went to the the wall.")
    assert result.text == "He went to the the wall."
    assert [(artifact.rule, artifact.action) for artifact in result.artifacts] == [("doubled-word", Action.REPORTED)]
    assert result.evidence.gate is None


def test_mends_a_slip_in_a_document_with_two_kinds_of_evidence() -> None:
    result = mended(TELLING + "\n\nHe went to the the wall.")
    assert result.text.endswith("He went to the wall.")
    assert result.evidence.gate == "two-kinds"


def test_two_marks_of_one_kind_are_not_two_kinds() -> None:
    assert mended("Prices rose by 3,5%, then 4,5%. He went to the the wall.").evidence.gate is None


def test_page_evidence_opens_the_gate() -> None:
    marker = Marker(service="google", seen_in="html-class", source_language="fr")
    result = mended("He went to the the wall.", markers=(marker,))
    assert result.text == "He went to the wall."
    assert (result.evidence.gate, result.evidence.service) == ("page-marker", "google")
    assert result.evidence.source_language == "fr"


def test_an_installed_plug_in_does_not_open_the_gate() -> None:
    assert (
        mended("He went to the the wall.", markers=(Marker(service="weglot", seen_in="plug-in"),)).evidence.gate is None
    )


def test_a_notice_opens_the_gate_and_leaves_the_text() -> None:
    result = mended("Translated from French by DeepL\n\nHe went to the the wall.")
    assert result.text == "He went to the wall."
    assert (result.evidence.service, result.evidence.source_language, result.evidence.seen_in) == (
        "deepl",
        "fr",
        "notice",
    )


def test_strict_mode_mends_only_what_is_always_safe() -> None:
    assert mended(TELLING, mode=Mode.STRICT).text.endswith("it rained. and it snowed.")


def test_mode_all_mends_without_evidence() -> None:
    assert mended("He went to the the wall.", mode=Mode.ALL).text == "He went to the wall."


def test_mode_all_leaves_a_lone_slip_in_a_long_text() -> None:
    long = "He went to the the wall. " + " ".join(f"Wall {number} was built by {number} men." for number in range(60))
    assert mended(long, mode=Mode.ALL).text == long


PADDING = " ".join(f"Wall {number} was built by {number} men." for number in range(60))


@pytest.mark.parametrize(
    "text",
    [
        "Some 12 500 men came, then 13 500.",
        "Prices rose by 5 %, then by 6 %.",
        "Men and / or women came; he / she left.",
        f"He said it would do so. hold the wall. {PADDING}",
    ],
)
def test_mode_all_leaves_what_only_evidence_could_show_to_be_residue(text: str) -> None:
    assert mended(text, mode=Mode.ALL).text == text


def test_evidence_lets_rules_act_against_a_style_kept_throughout() -> None:
    assert mended("Some 12 500 men came, then 13 500. " + TELLING).text.startswith("Some 12,500 men came, then 13,500.")


def test_a_lone_slip_in_a_long_text_is_counted_and_not_listed() -> None:
    result = mended(f"He went to the the wall. {PADDING}")
    assert [kind.kind for kind in result.evidence.kinds] == ["doubled-word"]
    assert result.artifacts == ()
    assert find(f"He went to the the wall. {PADDING}", "en") == []


def test_what_the_rest_of_the_document_does_otherwise_needs_no_evidence() -> None:
    assert mended("Some 12 500 men came, not 13,000.").text == "Some 12,500 men came, not 13,000."
    assert mended("Prices rose by 5 %, not by 6%.").text == "Prices rose by 5%, not by 6%."


def test_evidence_only_findings_are_counted_and_not_listed() -> None:
    result = mended('The mayor said "no twice.')
    assert [(kind.kind, kind.count) for kind in result.evidence.kinds] == [("odd-straight-quote", 1)]
    assert result.artifacts == ()


def test_guesses_the_source_language_two_kinds_point_to() -> None:
    result = mended("“It will hold\u00a0”\u202f, did he declare. The minister«\u00a0agreed\u00a0».")
    assert result.evidence.source_language == "fr"


def test_mends_title_and_summary_as_well() -> None:
    result = mend(
        title="Prices rise by 3,5%", summary="It rained，he said.", text="It wasn&apos;t over.", language="en"
    )
    assert (result.title, result.summary, result.text) == (
        "Prices rise by 3.5%",
        "It rained, he said.",
        "It wasn't over.",
    )
    assert [artifact.field for artifact in result.artifacts] == ["title", "summary", "text"]


def test_a_document_without_summary_keeps_none() -> None:
    assert mended("It rained.").summary is None


def test_quotes_follow_the_document() -> None:
    assert mended('He said «no» and then "yes".').text == 'He said "no" and then "yes".'
    assert mended("He said «no» and then “yes”.").text == "He said “no” and then “yes”."


def test_places_count_in_the_original_and_in_the_stored_text() -> None:
    text = "It cost 3,5&nbsp;million 𝛑 euros, he said to 关键技术 men."
    result = mended(text)
    for artifact in result.artifacts:
        assert text[artifact.start :].startswith(artifact.before)
        stored = artifact.before if artifact.after is None else artifact.after
        assert result.text[artifact.start_in_text :].startswith(stored)


@pytest.mark.parametrize("mode", list(Mode))
def test_code_is_quoted_to_the_letter(mode: Mode) -> None:
    text = "Call `print( 3 , 5 )` at 3,5%.\n\n```\nif x ? y : z ;\n    the the &amp; @@ it\n```"
    assert mended(text, mode=mode).text == text.replace("3,5%", "3.5%")


@pytest.mark.parametrize("text", ["See https://example.com/n°5/2019年/x now.", "Write to info@n°5.example.com now."])
def test_addresses_are_left_to_the_letter(text: str) -> None:
    assert mended(text.replace("@n°5", "@don''t"), mode=Mode.ALL).text == text.replace("@n°5", "@don''t")


def test_a_mark_beside_an_address_is_mended() -> None:
    assert mended("See https://example.com/a , he said .", mode=Mode.ALL).text == "See https://example.com/a, he said."


def test_a_backtick_inside_a_word_opens_no_code() -> None:
    assert mended("It`s the mayor`s quay; 3,5% agreed.", mode=Mode.ALL).text.endswith("3.5% agreed.")


def test_find_shows_what_mend_would_list() -> None:
    text = "Prices rose by 3,5%. He went to the the wall."
    assert [finding.rule.id for finding in find(text, "en")] == ["decimal-comma", "doubled-word"]


@pytest.mark.parametrize("language", ["de", "fr", "zh-Hans", "pt-BR", "und"])
def test_a_rule_for_english_leaves_other_languages_alone(language: str) -> None:
    text = "3,5 % \u00ab\u00a0non\u00a0\u00bb \u201eno\u201c \u00bfqu\u00e9?"
    assert mended(text, language=language, mode=Mode.ALL).text == text


def test_a_text_that_does_not_come_to_rest_is_left_alone() -> None:
    nested = "&amp;" + "amp;" * 40 + "quot;"
    result = mended(nested)
    assert result.text == nested
    assert all(artifact.action is Action.REPORTED for artifact in result.artifacts)


EXAMPLES = [text for rule in RULEBOOK for text in (*rule.mends, *rule.finds, *rule.keeps)]
LANGUAGES = sorted(
    {rule.home for rule in RULEBOOK} | {"en", "fr", "de", "es", "it", "pt", "zh", "ja", "ru", "ko", "ar", "und"}
)
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(EXAMPLES),
        st.text(max_size=12),
        st.text(alphabet="`“”\"'’«»„ .,;:!?&<>/@#-\u00a0\u202f▁3ad\n", max_size=16),
    ),
    max_size=6,
).map(" ".join)


@settings(max_examples=150)
@given(title=TEXTS, text=TEXTS, language=st.sampled_from(LANGUAGES), mode=st.sampled_from(list(Mode)))
def test_undo_gives_back_every_character(title: str, text: str, language: str, mode: Mode) -> None:
    result = mend(title=title, summary=None, text=text, language=language, mode=mode)
    assert undo(result.text, result.artifacts) == text
    assert undo(result.title, result.artifacts, field="title") == title


@settings(max_examples=150)
@given(text=TEXTS, language=st.sampled_from(LANGUAGES), mode=st.sampled_from(list(Mode)))
def test_mending_again_changes_nothing(text: str, language: str, mode: Mode) -> None:
    once = mended(text, language, mode)
    assert mended(once.text, language, mode).text == once.text


@settings(max_examples=150)
@given(text=TEXTS, language=st.sampled_from(LANGUAGES), mode=st.sampled_from(list(Mode)))
def test_artifacts_are_where_they_say(text: str, language: str, mode: Mode) -> None:
    result = mended(text, language, mode)
    end = 0
    for artifact in result.artifacts:
        assert text[artifact.start : artifact.start + len(artifact.before)] == artifact.before
        if artifact.action is Action.MENDED:
            assert artifact.after is not None
            assert artifact.start >= end, "mended places are sorted and never overlap"
            end = artifact.start + len(artifact.before)
            stored = result.text[artifact.start_in_text : artifact.start_in_text + len(artifact.after)]
            assert stored == artifact.after
