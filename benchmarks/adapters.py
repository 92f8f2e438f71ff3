"""The desk as plain functions, for scorers that measure one stage at a time. Mending works in standard mode.

Each function imports what it needs when it is first called, so that start and memory are those of its stage.
"""

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

from tasks.documents import Page, PageKind, Precision, Rejection

MODE = "standard"  # of mending
# Scoring sets name languages as FLORES-200 does (eng_Latn); the desk speaks BCP 47.
FLORES = {
    "arb": "ar", "ben": "bn", "ces": "cs", "deu": "de", "ell": "el", "eng": "en", "fra": "fr", "heb": "he", "hin": "hi",
    "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko", "nld": "nl", "pol": "pl", "por": "pt", "ron": "ro", "rus": "ru",
    "spa": "es", "swe": "sv", "swh": "sw", "tha": "th", "tur": "tr", "ukr": "uk", "vie": "vi", "zho": "zh", "pes": "fa",
    "urd": "ur", "tam": "ta", "hun": "hu", "fin": "fi", "dan": "da",
}  # fmt: skip


def extract(html: bytes, url: str | None) -> dict[str, object]:
    """Return text (paragraphs separated by newlines), title, authors and published_at (ISO 8601) of a page."""
    from tasks.clean.decoding import decode
    from tasks.clean.extract import clean

    page = Page(
        input=url or "page",
        source="benchmark",
        url=url,
        fetched_at=datetime.now(UTC),
        status=200,
        content_type="text/html",
        kind=PageKind.HTML,
        body=html,
        sha256=sha256(html).hexdigest(),
    )
    draft = clean(page, decode(html, "text/html").text)
    if isinstance(draft, Rejection):
        return {"text": "", "title": "", "authors": [], "published_at": None}
    return {
        "text": draft.text.replace("\n\n", "\n"),
        "title": draft.title,
        "authors": list(draft.authors),
        "published_at": _iso(draft.published_at, draft.published_precision, draft.published_offset),
    }


def _iso(published_at: datetime | None, precision: Precision | None, offset: int | None) -> str | None:
    if published_at is None:
        return None
    if precision is Precision.DAY:
        return published_at.date().isoformat()
    return published_at.astimezone(timezone(timedelta(minutes=offset or 0))).isoformat()


def detect(text: str, lang: str) -> list[dict[str, object]]:
    """Return what the rule book sees in a text as it stands."""
    from tasks.artifacts.mend import Mode, find

    return [
        {"start": found.start, "end": found.end, "rule": found.rule.id, "category": str(found.rule.category)}
        for found in find(text, lang, Mode(MODE))
    ]


def normalise(text: str, lang: str) -> dict[str, object]:
    """Return a text mended, with its edits against the original."""
    from tasks.artifacts.mend import Mode, mend

    mended = mend(title="", summary=None, text=text, language=lang, mode=Mode(MODE))
    edits = [
        {"start": each.start, "end": each.start + len(each.before), "rule": each.rule, "replacement": each.after}
        for each in mended.artifacts
        if each.after is not None
    ]
    return {"text": mended.text, "edits": edits}


def score(text: str) -> float | None:
    """Return how likely an English text is machine-translated; None: no statement."""
    from tasks.translated.score import translated_score

    return translated_score(text, "en")


def language(text: str) -> str:
    """Return the BCP 47 tag of a text."""
    from tasks.language import detect_language

    return detect_language(text).tag


def duplicates(docs: list[tuple[str, datetime, str, str]]) -> list[tuple[str, str, float]]:
    """Return (id, original id, similarity) for documents (id, published, title, text) that retell another."""
    from tasks.fingerprint import fingerprint, near_duplicates
    from tasks.rows import Fingerprinted

    known = [
        Fingerprinted(
            id=str(id_),
            published_at=published if published.tzinfo else published.replace(tzinfo=UTC),
            fingerprint=fingerprint(text),
        )
        for id_, published, _, text in docs
    ]
    names = {str(id_): id_ for id_, *_ in docs}
    return [(names[each.id], names[each.original_id], each.similarity) for each in near_duplicates(known)]


class Tagger:
    """The topic tagger behind the scorers' interface."""

    def tag(self, title: str, text: str, lang: str) -> list[tuple[str, float]]:
        """Return (IPTC Media Topic id, score) pairs, best first: the tops, and the fine topics that words speak for."""
        from tasks.topics.tagger import default_tagger
        from tasks.topics.taxonomy import taxonomy

        spoken = FLORES.get(lang.partition("_")[0], lang)
        topics = default_tagger().tag(title, text, spoken)
        known = taxonomy()
        return [(topic.id, topic.score) for topic in topics if topic.evidence or known[topic.id].is_top]


def make() -> Tagger:
    """Return a tagger."""
    return Tagger()
