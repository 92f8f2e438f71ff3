"""Who wrote an article: what the page declares, then what it shows."""

from tasks.clean.metadata.bylines import visible_bylines
from tasks.clean.metadata.headline import Headline
from tasks.clean.metadata.names import is_user_name, people, people_shown
from tasks.clean.metadata.sources import Sources


def find_authors(sources: Sources, headline: Headline) -> tuple[str, ...]:
    """Return the people named as authors; a site or an account that signs only where nobody is named in full."""
    site_names = sources.site_names
    declared = [*sources.linked.authors], [*sources.tags.authors()]
    named = [people(names, site_names) for names in declared]
    for names, others in (named, named[::-1]):
        if _names_people(names):
            return others if set(names) < set(others) else names
    accounts, sites = [*named], [people(names) for names in declared]
    for bylines in visible_bylines(sources, headline):
        if _names_people(names := people_shown(bylines, site_names)):
            return names
        accounts.append(names)
        sites.append(people_shown(bylines))
    return next(filter(None, (*named, *sites, *accounts)), ())


def _names_people(names: tuple[str, ...]) -> bool:
    return bool(names) and not all(map(is_user_name, names))
