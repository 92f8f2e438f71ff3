"""What an honest pipeline makes of the sample site: `expected()` says it for every listed address."""

from dataclasses import dataclass

from flows.sample.story import Listing, Oddity, Story, oddities, stories
from tasks.documents import Outcome, Reason, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A listed address and its outcome on a first run.

    `link` is a path of the site, or a whole address elsewhere. `outcome` is None for links that are dropped at
    discovery and are no inputs: addresses of other schemes. `story` is the article behind it, also where the link
    redirects to it. Of two links to one story the second one visited is `repeated`; here it is always the old address.
    """

    link: str
    listed: frozenset[Listing]
    outcome: Outcome | None
    stage: Stage | None = None
    reason: Reason | None = None
    story: Story | None = None


def expected() -> tuple[Expected, ...]:
    """Return one expectation for every address in the three listings, stories first.

    >>> one = next(each for each in expected() if each.link == "/private/canteen-menu")
    >>> one.outcome, one.reason
    (<Outcome.REJECTED: 'rejected'>, <Reason.ROBOTS_DISALLOWED: 'robots-disallowed'>)
    """
    return tuple(
        Expected(link=story.path, listed=story.listed, outcome=Outcome.NEW, story=story)
        for story in stories()
        if story.listed
    ) + tuple(map(_expected_of_oddity, oddities()))


def _expected_of_oddity(oddity: Oddity) -> Expected:
    by_path = {story.path: story for story in stories()}
    return Expected(
        link=oddity.link,
        listed=oddity.listed,
        outcome=oddity.outcome,
        stage=oddity.stage,
        reason=oddity.reason,
        story=by_path.get(oddity.leads_to or ""),
    )
