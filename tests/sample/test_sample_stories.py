"""The sample newspapers hold what they promise: languages, templates, charsets, residue; the expectations agree."""

import re
from collections import Counter
from datetime import UTC, datetime
from html import unescape

import pytest

from flows.sample.expected import expected
from flows.sample.pages import build_pages
from flows.sample.story import Listing, Story, oddities, stories
from tasks.documents import Outcome, Reason

PAGES = build_pages("http://127.0.0.1:8017")

any_story = pytest.mark.parametrize("story", stories(), ids=lambda story: story.slug)


def length(story: Story) -> int:
    """Count words, or two characters for one in Chinese."""
    return len(story.text) // 2 if story.language.startswith("zh") else len(story.text.split())


def test_there_are_enough_stories_of_every_sort():
    originals = [story for story in stories() if not story.reprint_of]
    assert len(originals) >= 44
    languages = Counter(story.language.partition("-")[0] for story in originals)
    assert languages["en"] >= 20
    assert all(languages[tag] >= 4 for tag in ("fr", "de", "es", "pt", "zh"))
    assert len({story.template for story in stories()}) >= 8
    assert len({story.topic for story in stories()}) == 17
    assert len(stories()) - len(originals) >= 3


def test_a_third_of_the_stories_carry_residue_of_many_kinds():
    with_residue = [story for story in stories() if story.residue]
    assert len(with_residue) * 3 >= len(stories())
    assert len({residue.kind for story in with_residue for residue in story.residue}) >= 24
    assert len({story.language for story in with_residue}) >= 5


def test_most_of_them_show_a_machine_and_a_few_do_not():
    quiet = [story.slug for story in stories() if story.residue and not story.shows_translation]
    assert sorted(quiet) == ["allotment-leeks", "flu-clinic-in-a-tram"]
    assert all(residue.after is None for story in stories() if story.slug in quiet for residue in story.residue)


def test_charsets_are_right_wrong_and_missing():
    def said(story: Story) -> tuple[str, str, str]:
        return story.charset, story.http_charset, story.meta_charset

    combinations = set(map(said, stories()))
    assert {
        ("windows-1252", "", ""),
        ("windows-1252", "iso-8859-1", "iso-8859-1"),
        ("utf-8", "iso-8859-1", "utf-8"),
        ("utf-8-sig", "", ""),
        ("gb18030", "", "gb2312"),
        ("gbk", "gbk", "gbk"),
    } <= combinations


def test_dates_lie_within_ten_days_of_early_2026():
    published = [story.published.astimezone(UTC) for story in stories()]
    assert min(published) >= datetime(2026, 2, 1, tzinfo=UTC)
    assert max(published) < datetime(2026, 2, 11, tzinfo=UTC)
    assert len({instant.date() for instant in published}) == 10


def test_addresses_are_all_different():
    links = [each.link for each in expected()]
    assert len(links) == len(set(links))


@any_story
def test_story_has_the_length_of_a_news_item(story):
    assert 145 <= length(story) <= 400
    assert all(paragraph == " ".join(paragraph.split(" ")) and "\n" not in paragraph for paragraph in story.paragraphs)


@any_story
def test_page_holds_every_paragraph_to_the_character(story):
    html = unescape(PAGES[story.path].body.decode(story.charset))
    shown = re.sub(r"</?(?:font|ya-tr-span)[^>]*>", "", html)
    for paragraph in story.paragraphs:
        assert paragraph in shown
    assert story.title in shown


def test_a_page_that_breaks_off_ends_with_its_last_words():
    (story,) = (story for story in stories() if story.cut_after)
    assert PAGES[story.path].body.decode().endswith(story.cut_after)


@any_story
def test_header_says_what_the_story_says(story):
    assert PAGES[story.path].charset == (story.http_charset.lower() or None)


@any_story
def test_residue_stands_once_where_it_is_said_to_stand(story):
    for residue in story.residue:
        text = story.title if residue.field == "title" else story.text
        assert text.count(residue.before) == 1, residue
        assert residue.after != residue.before


@any_story
def test_mending_changes_what_it_must_and_leaves_nothing_behind(story):
    mended = [residue for residue in story.residue if residue.after is not None]
    for residue in mended:
        assert residue.before not in story.mended_text + story.mended_title
    if not mended:
        assert (story.mended_text, story.mended_title) == (story.text, story.title)


@any_story
def test_translation_marks_are_on_the_page_and_only_there(story):
    traces = {
        "google": 'class="translated-ltr"',
        "google-proxy": ".translate.goog/",
        "google-api": 'http-equiv="X-Translated-By"',
        "microsoft": "_msttexthash=",
        "yandex": "<ya-tr-span",
    }
    html = PAGES[story.path].body.decode(story.charset)
    wanted = {story.marks} if story.marks else set()
    assert {service for service, trace in traces.items() if trace in html} - {"google"} == wanted - {"google"}
    assert ('class="translated-ltr"' in html) == (story.marks in ("google", "google-proxy"))


def test_reprints_repeat_a_story_that_exists():
    slugs = {story.slug for story in stories()}
    assert {story.reprint_of for story in stories() if story.reprint_of} <= slugs


def test_a_story_without_listing_is_reached_by_its_old_address():
    unlisted = {story.path for story in stories() if not story.listed}
    assert unlisted == {each.leads_to for each in oddities() if each.outcome is Outcome.NEW}


def test_expectations_agree_with_themselves():
    for each in expected():
        assert each.listed, each.link
        assert (each.outcome is Outcome.REJECTED) == (each.reason is not None) == (each.stage is not None)
        assert (each.outcome in (Outcome.NEW, Outcome.REPEATED)) == (each.story is not None)


def test_every_story_is_expected_once_as_new():
    new = [each.story for each in expected() if each.outcome is Outcome.NEW]
    assert Counter(story.slug for story in new if story) == Counter(story.slug for story in stories())


def test_many_reasons_to_set_a_page_aside_can_be_seen():
    reasons = {each.reason for each in expected()} - {None}
    assert len(reasons) >= 15
    assert {Reason.PRIVATE_ADDRESS, Reason.NOT_HTML, Reason.GONE, Reason.HOSTILE_HTML} <= reasons


def test_listings_overlap_and_each_adds_something():
    for listing in Listing:
        assert any(each.listed == {listing} for each in expected())
    assert sum(len(each.listed) > 1 for each in expected()) >= 15
