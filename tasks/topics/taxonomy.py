"""The IPTC Media Topics: 1,099 subjects of news in a tree under 17 top topics.

The table in `data/mediatopics.tsv.xz` is the vocabulary of 2023-10-24, © IPTC, CC BY 4.0 (see `data/NOTICE`).
"""

import csv
import lzma
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

TAXONOMY_VERSION = "iptc-mediatopics-2023-10-24"

DEFAULT_LANGUAGE = "en-US"
REGIONS = MappingProxyType({"en": "en-US", "no": "nb", "pt": "pt-BR", "zh": "zh-Hans"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaTopic:
    """A subject of news: its place in the tree, its labels by BCP 47 tag, and its definition in English."""

    id: str
    parent: str | None
    wikidata: str | None
    labels: Mapping[str, str]
    definition: str

    @property
    def is_top(self) -> bool:
        """Tell whether this is one of the 17 roots."""
        return self.parent is None

    def label(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the label in a language, or the American English one where IPTC has none.

        >>> taxonomy()["medtop:20000350"].label("fr-CA")
        'Banque centrale'
        """
        base = language.partition("-")[0]
        for tag in (language, base, REGIONS.get(base, "")):
            if label := self.labels.get(tag):
                return label
        return self.labels[DEFAULT_LANGUAGE]


class Taxonomy:
    """The tree of topics, read once by `taxonomy()`.

    >>> medtops = taxonomy()
    >>> len(medtops), len(medtops.tops)
    (1099, 17)
    >>> medtops.top_of("medtop:20000350")
    'medtop:04000000'
    """

    def __init__(self, topics: Mapping[str, MediaTopic]) -> None:
        self._topics = topics
        self._children: dict[str, list[str]] = {medtop: [] for medtop in topics}
        for topic in topics.values():
            if topic.parent is not None:
                self._children[topic.parent].append(topic.id)
        self.tops = tuple(topic.id for topic in topics.values() if topic.is_top)
        self._lineages = {medtop: tuple(self._ascend(medtop)) for medtop in topics}

    def __len__(self) -> int:
        return len(self._topics)

    def __iter__(self) -> Iterator[MediaTopic]:
        return iter(self._topics.values())

    def __contains__(self, medtop: str) -> bool:
        return medtop in self._topics

    def __getitem__(self, medtop: str) -> MediaTopic:
        """Return the topic with this id (`medtop:…`)."""
        return self._topics[medtop]

    def lineage(self, medtop: str) -> tuple[str, ...]:
        """Return the topic and its ancestors, up to its top topic.

        >>> taxonomy().lineage("medtop:20000350")
        ('medtop:20000350', 'medtop:20000346', 'medtop:20000344', 'medtop:04000000')
        """
        return self._lineages[medtop]

    def top_of(self, medtop: str) -> str:
        """Return the id of the top topic that a topic stands under; a top topic stands under itself."""
        return self._lineages[medtop][-1]

    def level(self, medtop: str) -> int:
        """Return how deep a topic lies: 1 for a top topic."""
        return len(self._lineages[medtop])

    def children(self, medtop: str) -> tuple[str, ...]:
        """Return the topics directly below one, in IPTC's order."""
        return tuple(self._children[medtop])

    def search(self, words: str, language: str = DEFAULT_LANGUAGE) -> tuple[MediaTopic, ...]:
        """Return the topics of which a label, in any language, or the definition holds all the words.

        Matches in the label of `language` or in the English one come before those in others, and these before matches
        in a definition; shorter labels first.

        >>> [topic.label() for topic in taxonomy().search("banque centrale")]
        ['central bank']
        """
        wanted = words.casefold().split()
        found = []
        for topic in self:
            label = f"{topic.label(language)} {topic.label()}"
            places = ((label,), topic.labels.values(), (topic.definition,))
            ranks = (rank for rank, texts in enumerate(places) if any(_holds(text, wanted) for text in texts))
            if (rank := next(ranks, None)) is not None:
                found.append((rank, len(label), topic.id))
        return tuple(self[medtop] for _, _, medtop in sorted(found))

    def _ascend(self, medtop: str) -> Iterator[str]:
        step: str | None = medtop
        while step is not None:
            yield step
            step = self._topics[step].parent


def _holds(text: str, words: Sequence[str]) -> bool:
    folded = text.casefold()
    return all(word in folded for word in words)


@cache
def taxonomy() -> Taxonomy:
    """Return the taxonomy, read from the package on the first call (about 30 ms)."""
    table = lzma.decompress((files("tasks.topics") / "data" / "mediatopics.tsv.xz").read_bytes()).decode()
    lines = (line for line in table.splitlines() if not line.startswith("#"))
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return Taxonomy({row["id"]: _topic(row) for row in rows})


def _topic(row: dict[str, str]) -> MediaTopic:
    medtop, parent, wikidata, *labels, definition = row.values()
    languages = list(row)[3:-1]
    return MediaTopic(
        id=medtop,
        parent=parent or None,
        wikidata=wikidata or None,
        labels={language: label for language, label in zip(languages, labels, strict=True) if label},
        definition=definition,
    )
