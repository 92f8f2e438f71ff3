"""Which article a staged row is: the claims of one run against each other, then against what is known."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from storage.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Claim:
    """What a staged row says of its identity, and where the row is: a staged file and a place in it."""

    number: int
    source: str
    input: str
    url: str | None
    article_id: str
    fallback_id: str
    text: int  # hash, to tell two texts apart
    day: date
    path: str
    row: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Which article a claim is. `is_first` says that its row stands, and is not a repetition in the run."""

    claim: Claim
    article_id: str
    is_first: bool

    @property
    def is_refused(self) -> bool:
        """The page claims another page's address, and is not believed."""
        return self.article_id == self.claim.fallback_id != self.claim.article_id


def claims_of(path: str, rows: pa.Table) -> Iterator[Claim]:
    """Read the claims of a staged table."""
    numbers, sources, inputs, urls, article_ids, fallback_ids, texts = (
        rows[name].to_pylist() for name in ("number", "source", "input", "url", "article_id", "fallback_id", "text")
    )
    days = pc.cast(rows["published_at"], pa.date32()).to_pylist()
    for row in range(rows.num_rows):
        yield Claim(
            number=numbers[row],
            source=sources[row],
            input=inputs[row],
            url=urls[row],
            article_id=article_ids[row],
            fallback_id=fallback_ids[row],
            text=hash(texts[row]),
            day=days[row],
            path=path,
            row=row,
        )


def resolve(ledger: Ledger, claims: Iterable[Claim]) -> list[Identity]:
    """Say which article each claim is, in the order of the run.

    An address that two different texts claim belongs to neither, unless it is a claimant's own. A URL keeps the id it
    was first given. Of several rows of one article the first stands.
    """
    claims = sorted(claims, key=lambda claim: claim.number)
    contested = set(_contested(claims))
    wanted = [claim.fallback_id if claim.article_id in contested else claim.article_id for claim in claims]
    given = ledger.identify(
        {claim.url: wish for claim, wish in zip(reversed(claims), reversed(wanted), strict=True) if claim.url}
    )
    held = [given.get(claim.url or "", wish) for claim, wish in zip(claims, wanted, strict=True)]
    first = {article_id: claim for claim, article_id in zip(reversed(claims), reversed(held), strict=True)}
    return [
        Identity(claim, article_id, first[article_id] is claim) for claim, article_id in zip(claims, held, strict=True)
    ]


def _contested(claims: Sequence[Claim]) -> Iterator[str]:
    claimants: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        claimants[claim.article_id].append(claim)
    for article_id, group in claimants.items():
        if len({claim.fallback_id for claim in group}) > 1 and len({claim.text for claim in group}) > 1:
            yield article_id
