import pytest

from tasks.topics.taxonomy import TAXONOMY_VERSION, MediaTopic, Taxonomy, taxonomy


def test_has_the_seventeen_tops_of_news() -> None:
    assert len(taxonomy().tops) == 17
    assert {len(top) for top in taxonomy().tops} == {len("medtop:01000000")}


def test_every_topic_leads_up_to_a_top() -> None:
    medtops = taxonomy()
    for topic in medtops:
        lineage = medtops.lineage(topic.id)
        assert lineage[0] == topic.id
        assert medtops[lineage[-1]].is_top
        assert len(lineage) == medtops.level(topic.id) <= 6


def test_every_topic_is_among_its_parents_children() -> None:
    medtops = taxonomy()
    for topic in medtops:
        if topic.parent is not None:
            assert topic.id in medtops.children(topic.parent)


def test_every_topic_has_an_english_label_and_definition() -> None:
    assert all(topic.labels["en-US"] and topic.definition for topic in taxonomy())


def test_counts_by_level() -> None:
    medtops = taxonomy()
    levels = [medtops.level(topic.id) for topic in medtops]
    assert [levels.count(level) for level in range(1, 7)] == [17, 121, 496, 395, 65, 5]


@pytest.mark.parametrize(
    ("language", "label"),
    [("en", "soccer"), ("de-AT", "Fußball"), ("pt-PT", "futebol"), ("zh-Hans-CN", "足球")],
)
def test_labels_by_language(language: str, label: str) -> None:
    assert taxonomy()["medtop:20001065"].label(language) == label


def test_british_and_american_labels_differ() -> None:
    theatre = taxonomy()["medtop:20000029"]
    assert (theatre.label("en-GB"), theatre.label("en-US")) == ("theatre", "theater")


def test_label_falls_back_to_english() -> None:
    assert taxonomy()["medtop:20001065"].label("cy") == "soccer"


def test_search_finds_labels_before_definitions() -> None:
    found = taxonomy().search("earthquake")
    assert found[0].id == "medtop:20000153"


def test_search_in_another_language() -> None:
    assert taxonomy().search("séisme tremblement", "fr") == ()
    assert [topic.id for topic in taxonomy().search("banque centrale", "fr")] == ["medtop:20000350"]


def test_unknown_topic_is_not_in_the_taxonomy() -> None:
    assert "medtop:99999999" not in taxonomy()


def test_version_names_the_date_of_the_export() -> None:
    assert TAXONOMY_VERSION.endswith("2023-10-24")


def test_a_small_tree() -> None:
    top = MediaTopic(id="medtop:1", parent=None, wikidata=None, labels={"en-US": "news"}, definition="")
    leaf = MediaTopic(id="medtop:2", parent="medtop:1", wikidata=None, labels={"en-US": "local news"}, definition="")
    tree = Taxonomy({topic.id: topic for topic in (top, leaf)})
    assert tree.lineage("medtop:2") == ("medtop:2", "medtop:1")
    assert tree.children("medtop:1") == ("medtop:2",)
