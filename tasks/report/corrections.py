"""Show what the desk changed, word by word: each correction in its sentence, before and after, with its rule."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import Literal, TypedDict, cast

import pyarrow as pa
import pyarrow.compute as pc

CONTEXT = 72  # code points of running text on either side of a correction
LONGEST_PASSAGE = 600  # code points of before and of after that are shown

# What a diff moves about: a word, one space, or one sign.
TOKEN = re.compile(r"\w+|\W")

COLUMNS = ("article_id", "source", "url", "title", "summary", "text", "published_at", "language", "artifacts")


class ArtifactRow(TypedDict):
    """An entry of the `artifacts` column."""

    field: str
    rule: str
    category: str
    action: str
    start: int
    before: str
    start_in_text: int
    after: str | None
    confidence: float | None


class ArticleRow(TypedDict):
    """The columns of an article that its corrections are drawn from."""

    article_id: str
    source: str
    url: str | None
    title: str | None
    summary: str | None
    text: str | None
    published_at: datetime | None
    language: str | None
    artifacts: list[ArtifactRow]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a diff: `same` stood before and stands now, `gone` stood before, `come` stands now."""

    kind: Literal["same", "gone", "come"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A finding in its sentence; one that was only reported has a single piece, `same`."""

    rule: str
    category: str
    field: str
    is_mended: bool
    lead: str  # the stored words before it
    pieces: tuple[Piece, ...]
    tail: str  # the stored words after it
    is_lead_cut: bool
    is_tail_cut: bool
    is_clipped: bool  # the passage is longer than what is shown of it


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedArticle:
    """An article and what was found in it; `left_out` findings are beyond what the page has room for."""

    article_id: str
    source: str
    url: str | None
    title: str
    published_at: datetime | None
    language: str | None
    corrections: tuple[Correction, ...]
    left_out: int


def corrected_articles(
    articles: pa.Table, *, documents: int, per_document: int, in_all: int
) -> Iterator[CorrectedArticle]:
    """Yield the newest articles with findings, within three bounds, each finding in its place."""
    room = in_all
    for row in cast("list[ArticleRow]", _newest_with_findings(articles, documents).to_pylist()):
        if not room:
            return
        article = _corrected(row, min(per_document, room))
        room -= len(article.corrections)
        yield article


def specimen(articles: Sequence[CorrectedArticle]) -> tuple[CorrectedArticle, Correction] | None:
    """Pick the correction that shows best what the desk does: words replaced, in a sentence that stands around them."""
    mended = [(article, found) for article in articles for found in article.corrections if found.is_mended]
    return max(mended, key=lambda pair: _telling(pair[1]), default=None)


def _telling(correction: Correction) -> tuple[bool, bool, bool, int]:
    """Rank a correction as a specimen; among equals the longer replacement tells more, up to a point."""
    kinds = {piece.kind for piece in correction.pieces}
    edited = sum(len(piece.text.strip()) for piece in correction.pieces if piece.kind != "same")
    return (not correction.is_clipped, bool(correction.lead or correction.tail), len(kinds) == 3, min(edited, 40))


def _newest_with_findings(articles: pa.Table, documents: int) -> pa.Table:
    """Return the newest articles that have findings; ties go by id, so that the page is the same every time."""
    order = [("published_at", "descending"), ("article_id", "ascending")]
    has_findings = pc.greater(pc.fill_null(pc.list_value_length(articles["artifacts"]), 0), 0)
    newest = articles.select(["article_id", "published_at"]).filter(has_findings).sort_by(order)[:documents]
    # Filtered, not taken by place: texts of more than 2 GB cannot be gathered into one array.
    chosen = pc.is_in(articles["article_id"], value_set=newest["article_id"].combine_chunks())
    return articles.select(COLUMNS).filter(chosen).sort_by(order)


def _corrected(row: ArticleRow, limit: int) -> CorrectedArticle:
    fields = {"title": row["title"], "summary": row["summary"], "text": row["text"]}
    shown = sorted(row["artifacts"], key=_reading_order)[:limit]
    return CorrectedArticle(
        article_id=row["article_id"],
        source=row["source"],
        url=row["url"],
        title=(row["title"] or "").strip() or "Untitled",
        published_at=row["published_at"],
        language=row["language"],
        corrections=tuple(correction(artifact, fields.get(artifact["field"])) for artifact in shown),
        left_out=len(row["artifacts"]) - len(shown),
    )


def _reading_order(artifact: ArtifactRow) -> tuple[int, int]:
    """Sort findings as a reader meets them: title, summary, text, each from its beginning."""
    fields = ("title", "summary", "text")
    return (fields.index(artifact["field"]) if artifact["field"] in fields else len(fields), artifact["start"])


def correction(artifact: ArtifactRow, stored: str | None) -> Correction:
    """Place a finding among the stored words around it; without them, or where they disagree, show it alone."""
    before, after = artifact["before"], artifact["after"]
    is_mended = artifact["action"] == "mended"
    kept = (after or "") if is_mended else before
    start, end = artifact["start_in_text"], artifact["start_in_text"] + len(kept)
    is_placed = stored is not None and stored[start:end] == kept
    lead, is_lead_cut = _words_before(stored[:start]) if stored and is_placed else ("", False)
    tail, is_tail_cut = _words_after(stored[end:]) if stored and is_placed else ("", False)
    return Correction(
        rule=artifact["rule"],
        category=artifact["category"],
        field=artifact["field"],
        is_mended=is_mended,
        lead=lead,
        pieces=(
            diff(before[:LONGEST_PASSAGE], kept[:LONGEST_PASSAGE])
            if is_mended
            else (Piece("same", before[:LONGEST_PASSAGE]),)
        ),
        tail=tail,
        is_lead_cut=is_lead_cut,
        is_tail_cut=is_tail_cut,
        is_clipped=max(len(before), len(kept)) > LONGEST_PASSAGE,
    )


def _words_before(text: str) -> tuple[str, bool]:
    """Return the last words of a text, back to a paragraph's beginning or a whole word, and whether words were cut.

    >>> _words_before("One.\\n\\nTwo ")
    ('Two ', False)
    """
    paragraph = text[-CONTEXT - 1 :].rpartition("\n")[2]
    if len(paragraph) <= CONTEXT:
        return paragraph, False
    return paragraph[paragraph.find(" ", 1, CONTEXT // 2) + 1 :], True


def _words_after(text: str) -> tuple[str, bool]:
    """Return the first words of a text, up to a paragraph's end or a whole word, and whether words were cut.

    >>> _words_after(", said the mayor.\\n\\nNext.")
    (', said the mayor.', False)
    """
    paragraph = text[: CONTEXT + 1].partition("\n")[0]
    if len(paragraph) <= CONTEXT:
        return paragraph, False
    space = paragraph.rfind(" ", CONTEXT // 2)
    return paragraph[: space if space > 0 else CONTEXT], True


def diff(before: str, after: str) -> tuple[Piece, ...]:
    """Tell two versions of a passage apart word by word; versions with little in common are shown whole.

    >>> [f"{piece.kind}:{piece.text}" for piece in diff("hold” , the mayor", "hold”, the mayor")]
    ['same:hold”', 'gone: ', 'same:, the mayor']
    >>> [f"{piece.kind}:{piece.text}" for piece in diff("de elle", "d’elle")]
    ['gone:de ', 'come:d’', 'same:elle']
    """
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    pieces = tuple(
        piece
        for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes()
        for piece in _pieces(tag, "".join(old[old_start:old_end]), "".join(new[new_start:new_end]))
    )
    same = sum(len(piece.text) for piece in pieces if piece.kind == "same")
    if 2 * same < min(len(before), len(after)):
        return _pieces("replace", before, after)
    return pieces


def _pieces(tag: str, old: str, new: str) -> tuple[Piece, ...]:
    """Return an opcode of the matcher as pieces, the old before the new, empty ones left out."""
    if tag == "equal":
        return (Piece("same", old),)
    return tuple(piece for piece in (Piece("gone", old), Piece("come", new)) if piece.text)
