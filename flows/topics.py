"""`copydesk topics`: the taxonomy, what decided for one article's topics, and how often each stands in the dataset."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.cells import cell_len
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from flows.console import out
from flows.settings import Settings
from tasks.topics.taxonomy import TAXONOMY_VERSION, MediaTopic, taxonomy
from tasks.topics.watchlists import NAMESPACE

EXAMPLE: Final = Path(__file__).parent / "sample" / "watchlists.toml"
FOUND_AT_MOST: Final = 30  # topics that a search shows; JSON has them all
FINER_AT_MOST: Final = 3  # most frequent finer topics that are shown below each top topic; likewise
INDENT: Final = 6
CONTEXT: Final = 72  # columns shown of a phrase with what stands around it, where there are so many
_DIM: Final = "dim"


class TopicsError(Exception):
    """What was asked for is not there: the message says what, and where to look."""


def print_example() -> None:
    """Print a file of watchlists that explains itself, to start from."""
    sys.stdout.write(EXAMPLE.read_text(encoding="utf-8"))


# The taxonomy


def show_taxonomy(query: str | None, *, language: str, as_json: bool) -> None:
    """Print the tree of top topics; one topic with what is below it, by its id; or the topics that a search finds."""
    named = _named(query or "")
    found = [named] if named is not None else _found(query, language)
    if as_json:
        _print_json([_facts(topic) for topic in found])
    elif named is not None:
        _show_topic(named, language)
    elif query is None:
        _show_tops(found, language)
    else:
        _show_found(found, query, language)


def _named(name: str) -> MediaTopic | None:
    """Return the topic of an id, with or without its prefix; None where the name is no id."""
    number = name.strip().removeprefix("medtop:")
    if not (number.isdecimal() and len(number) == 8):
        return None
    medtop = f"medtop:{number}"
    if medtop not in taxonomy():
        raise TopicsError(
            f"{medtop} is not among the active topics of {TAXONOMY_VERSION}: IPTC retired it before or added it since, "
            "or it never was. Search by words instead: copydesk topics QUERY"
        )
    return taxonomy()[medtop]


def _found(query: str | None, language: str) -> list[MediaTopic]:
    medtops = taxonomy()
    if query is None:
        return [medtops[top] for top in medtops.tops]
    found = list(medtops.search(query, language))
    if not found:
        raise TopicsError(f"No topic is called {query!r}, in any language. `copydesk topics` shows where to begin.")
    return found


def _show_tops(tops: Iterable[MediaTopic], language: str) -> None:
    medtops = taxonomy()
    table = _table("", "topic", "below it", numbers=("below it",))
    for top in tops:
        below = sum(medtops.top_of(topic.id) == top.id for topic in medtops) - 1
        table.add_row(_id(top), top.label(language), f"{below:,}")
    out.print(table)
    out.print(
        f"\n{len(medtops):,} topics ({TAXONOMY_VERSION}, © IPTC, CC BY 4.0). Search: copydesk topics WORDS; "
        "the tree below one: copydesk topics 04000000",
        style=_DIM,
    )


def _show_found(found: Sequence[MediaTopic], query: str, language: str) -> None:
    table = _table("", "topic", "below")
    for topic in found[:FOUND_AT_MOST]:
        above = [taxonomy()[step].label(language) for step in reversed(taxonomy().lineage(topic.id)[1:])]
        label = Text(topic.label(language))
        if other := _other_label(topic, query, language):
            label.append(f"  {other}", style=_DIM)
        table.add_row(_id(topic), label, Text(" › ".join(above), style=_DIM))
    out.print(table)
    if len(found) > FOUND_AT_MOST:
        out.print(f"And {len(found) - FOUND_AT_MOST:,} more; use more words, or --json.", style=_DIM)


def _other_label(topic: MediaTopic, query: str, language: str) -> str:
    """Return the label that a search has found where it is not the one shown."""
    words = query.casefold().split()
    if all(word in topic.label(language).casefold() for word in words):
        return ""
    found = (
        f"{label} ({tag})" for tag, label in topic.labels.items() if all(word in label.casefold() for word in words)
    )
    return next(found, "")


def _show_topic(topic: MediaTopic, language: str) -> None:
    medtops = taxonomy()
    above = " › ".join(medtops[step].label(language) for step in reversed(medtops.lineage(topic.id)))
    out.print(f"[bold]{above}[/bold]  [dim]{topic.id}[/dim]")
    out.print(topic.definition or "IPTC gives no definition.")
    labels = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for tag, label in topic.labels.items():
        labels.add_row(Text(tag, style=_DIM), label)
    out.print(Padding(labels, (1, 0, 1, 2)))
    tree = Tree(topic.label(language))
    _grow(tree, topic.id, language)
    if tree.children:
        out.print(tree)


def _grow(tree: Tree, medtop: str, language: str) -> None:
    for child in taxonomy().children(medtop):
        topic = taxonomy()[child]
        _grow(tree.add(Text(topic.label(language)).append("  ").append(_id(topic))), child, language)


def _id(topic: MediaTopic) -> Text:
    return Text(topic.id.removeprefix("medtop:"), style=_DIM)


def _facts(topic: MediaTopic) -> dict[str, Any]:
    medtops = taxonomy()
    return {
        "id": topic.id,
        "label": topic.label(),
        "level": medtops.level(topic.id),
        "above": list(medtops.lineage(topic.id)[1:]),
        "below": list(medtops.children(topic.id)),
        "labels": dict(topic.labels),
        "definition": topic.definition,
        "wikidata": topic.wikidata,
    }


# One article


def explain_article(settings: Settings, name: str, *, language: str, as_json: bool) -> None:
    """Print an article's topics with the phrases that decided, each in its sentence."""
    row = _article(settings, name)
    if as_json:
        _print_json(row)
        return
    made_by = row["versions"]
    out.print(f"[bold]{_plain(row['title'])}[/bold]\n[dim]{row['article_id']}  {row['language']}  {row['url'] or ''}")
    out.print(
        f"[dim]taxonomy {made_by['taxonomy']}, tagger {made_by['tagger']}"
        + (f", watchlists {made_by['watchlists']}" if made_by["watchlists"] else "")
    )
    if not row["topics"]:
        out.print("\nNo topic was found.")
    for topic in row["topics"]:
        label = _label(topic["id"], topic["label"], language)
        out.print(f"\n{topic['score']:.2f}  [bold]{_plain(label)}[/bold]  [dim]{topic['id']}")
        for evidence in topic["evidence"]:
            out.print(Text(" " * INDENT) + _in_context(row[evidence["field"]], evidence))
        if not topic["evidence"]:
            out.print(Text(" " * INDENT).append(_why(topic["id"]), style=_DIM))


def _article(settings: Settings, name: str) -> dict[str, Any]:
    import pyarrow.compute as pc

    from storage import read

    columns = ["article_id", "url", "title", "text", "language", "topics", "versions"]
    named = (pc.field("article_id") == name) | (pc.field("url") == name) | (pc.field("canonical_url") == name)
    found: list[dict[str, Any]] = read.articles(settings.data, columns=columns, filter=named).to_pylist()
    if not found:
        raise TopicsError(
            f"{name}: there is no such article in {settings.data}. Ids and addresses are in the table `articles`: "
            'copydesk query "FROM articles SELECT article_id, url, title"'
        )
    return found[0]


def _label(topic: str, stored: str, language: str) -> str:
    """Return a topic's label in a language; a watchlist has the one that its file gives it."""
    return taxonomy()[topic].label(language) if topic in taxonomy() else stored


def _why(topic: str) -> str:
    if topic in taxonomy().tops:
        return "no phrase speaks for it, and no word told the model"
    return "stands above a topic that has evidence"


def _in_context(text: str, evidence: dict[str, Any]) -> Text:
    """Return a phrase with what stands around it, on one line."""
    start, end = evidence["start"], evidence["start"] + len(evidence["phrase"])
    phrase = _on_one_line(text[start:end])
    room = max(6, (min(CONTEXT, out.width - INDENT) - cell_len(phrase)) // 2 - 2)  # less a mark and an ellipsis
    before = _clipped(_on_one_line(text[max(0, start - room) : start]), room, slice(1, None))
    after = _clipped(_on_one_line(text[end : end + room]), room, slice(None, -1))
    marks = ("", "") if out.is_terminal else ("«", "»")
    shown = Text("…" if start > room or len(before) < start else "").append(before)
    shown.append(f"{marks[0]}{phrase}{marks[1]}", style="bold")
    return shown.append(after).append("…" if end + len(after) < len(text) else "")


def _clipped(text: str, room: int, rest: slice) -> str:
    """Return what is left of a text when characters are taken from one end until it has room; some take two columns."""
    while cell_len(text) > room:
        text = text[rest]
    return text


def _on_one_line(text: str) -> str:
    return text.replace("\n\n", " ").replace("\n", " ")


# The dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many articles have a topic, and of how many it is the first; `score` is its mean."""

    id: str
    label: str
    articles: int
    first: int
    score: float = field(compare=False)


def count_topics(settings: Settings, *, language: str, as_json: bool) -> None:
    """Print how many articles have each topic: the top topics with their most frequent finer ones, and watchlists."""
    counts, articles = _counts(settings)
    if as_json:
        _print_json([{name: getattr(count, name) for name in Count.__slots__} for count in counts])
        return
    if not articles:
        raise TopicsError(f"{settings.data}: there are no articles here. Make some: copydesk run SOURCE")
    table = _table("topic", "articles", "share", "first", numbers=("articles", "share", "first"))
    for count, depth in _arranged(counts):
        is_own = count.id.startswith(f"{NAMESPACE}:")
        label = _label(count.id, count.label, language)
        name = Text("  " * depth + label).append(f"  {count.id}" if is_own else "", style=_DIM)
        first = "" if depth or is_own else f"{count.first:,}"
        share = f"{count.articles / articles:.1%}"
        table.add_row(name, f"{count.articles:,}", share, first, style=_DIM if depth else "")
    out.print(table)
    out.print(
        f"\nOf {articles:,} articles, of which one may have several topics; it is the `first` of some.",
        style=_DIM,
    )


def _counts(settings: Settings) -> tuple[list[Count], int]:
    """Return the counts, the most frequent first, and how many articles there are."""
    from storage import read

    with read.connect(settings.data) as connection:
        rows = connection.execute(
            "FROM article_topics SELECT topic_id, any_value(label), count(*), count_if(position = 0), avg(score) "
            "GROUP BY topic_id ORDER BY 3 DESC, topic_id"
        ).fetchall()
        articles = connection.execute("FROM articles SELECT count(*)").fetchall()[0][0]
    names = ("id", "label", "articles", "first", "score")
    return [Count(**dict(zip(names, row, strict=True))) for row in rows], articles


def _arranged(counts: Sequence[Count]) -> Iterable[tuple[Count, int]]:
    """Yield the counts as they are shown, with how far each is set in: top topics, what is below them, watchlists."""
    medtops = taxonomy()
    known = [count for count in counts if count.id in medtops]
    for top in (count for count in known if medtops[count.id].is_top):
        yield top, 0
        below = [count for count in known if count.id != top.id and medtops.top_of(count.id) == top.id]
        telling = [count for count in below if not _is_implied(count, below)]
        yield from ((count, 1) for count in telling[:FINER_AT_MOST])
    yield from ((count, 0) for count in counts if count.id.startswith(f"{NAMESPACE}:"))


def _is_implied(count: Count, others: Iterable[Count]) -> bool:
    """Tell whether a topic is there for most of its articles because one below it is."""
    medtops = taxonomy()
    return any(count.id in medtops.lineage(other.id)[1:] and 2 * other.articles > count.articles for other in others)


def _table(*names: str, numbers: Sequence[str] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style=_DIM)
    for name in names:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    return table


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")
