"""`copydesk verify`, `migrate`, `maintain` and `forget`: the upkeep of a dataset from a terminal."""

import sys
from datetime import datetime

from flows.clock import utc_now
from flows.console import finding_table, out
from flows.desks import desk_of
from flows.endings import DONE, NOT_DONE
from flows.places import check_dataset, place_of, retention_of
from flows.settings import Settings, SettingsError
from storage import arrivals, upkeep
from storage.forget import Forgotten
from storage.store import Store
from storage.verify import Verdict, verify
from tasks import housekeeping, listings
from tasks.edit import versions
from tasks.phrasing import counted
from tasks.publish import tell_stories, write_report
from tasks.report.summary import RunSummary
from tasks.urls import BadUrl, canonical_url


def verify_dataset(settings: Settings, *, with_repair: bool, pages: bool, as_json: bool) -> int:
    """Prove the dataset sound, or say what is not; repair what can be, where asked. Return 1 where that leaves some."""
    with open_dataset(settings) as store:
        verdict = verify(store, pages=pages)
    doubted = 0
    if with_repair and not verdict.clean:
        verdict, doubted = housekeeping.mended(place_of(settings), verdict, utc_now(), pages=pages)
    if as_json:
        sys.stdout.write(verdict.to_json() + "\n")
        return DONE if verdict.clean else NOT_DONE
    _show(verdict, with_repair=with_repair, pages=pages)
    if doubted:
        out.print(f"{doubted:,} inputs are without their articles: `copydesk run` over their sources edits them anew.")
    return DONE if verdict.clean else NOT_DONE


def _show(verdict: Verdict, *, with_repair: bool, pages: bool) -> None:
    articles, partitions = counted(verdict.articles, "article"), counted(verdict.partitions, "partition")
    read = f", {counted(verdict.records, 'archived page')}" if pages else " (the archive was not read)"
    judged = "sound" if verdict.clean else counted(len(verdict.findings), "fault")
    out.print(f"{articles} in {partitions}{read}: {judged}.")
    if not verdict.clean:
        out.print(finding_table(verdict))
        if not with_repair and any(finding.repairable or finding.by_caller for finding in verdict.findings):
            out.print("What can be made again, `copydesk verify --repair` makes again.", style="dim")
    if verdict.unjudged:
        out.print(f"Not judged, as runs publish there now: {', '.join(verdict.unjudged)}", style="yellow", markup=False)


def open_dataset(settings: Settings) -> Store:
    """Open a dataset that is there."""
    check_dataset(settings)
    return place_of(settings).open()


def migrate_dataset(settings: Settings) -> None:
    """Lift the files of older versions to today's schema."""
    with open_dataset(settings) as store:
        migrated = upkeep.migrate(store, utc_now())
    out.print(f"{len(migrated.partitions):,} partitions lifted to today's schema.")


def maintain_dataset(settings: Settings) -> None:
    """Do what the `maintain` flow does at night, but prove nothing: for that there is `copydesk verify`."""
    place, now = place_of(settings), utc_now()
    check_dataset(settings)
    completed = housekeeping.complete(place, now)
    moved = housekeeping.move_corrected(place, now)
    dropped = housekeeping.retire(place, retention_of(settings), now)
    housekeeping.compact(place)
    out.print(
        f"{moved:,} articles moved to the day they were published; {completed.runs:,} interrupted runs and "
        f"{completed.chores:,} chores completed, {completed.pages:,} archived pages found again; "
        f"{dropped.files:,} archive files and {dropped.rejections:,} rejections dropped."
    )


def forget_article(settings: Settings, name: str) -> int:
    """Take an article out everywhere, archive included; return 1 where there is none of this name."""
    place, now, name = place_of(settings), utc_now(), name.strip()
    is_address = name.startswith(("http://", "https://"))
    if not is_address and not name.isalnum():
        raise SettingsError(f"{name!r} is neither an address nor an article_id.")
    with open_dataset(settings) as store:
        arrivals.adopt(store)
        forgotten = _forget_address(store, name, now) if is_address else upkeep.forget(store, article_id=name, now=now)
        listings.drop_all(store)
        report = store.files.read("report/summary.json") if store.files.exists("report/summary.json") else None
    tell_stories(place, forgotten.stories, run=f"forget-{now:%Y%m%dT%H%M%S}", now=now)
    if report is not None:
        write_report(place, RunSummary.from_json(report), (), versions(desk_of(settings)))
    out.print(
        f"Taken out: {forgotten.articles:,} articles, {forgotten.rejections:,} rejections, "
        f"{forgotten.pages:,} archived pages. It will not be taken in again."
        if forgotten
        else f"Nothing is stored under {name}; it will not be taken in."
    )
    return DONE if forgotten else NOT_DONE


def _forget_address(store: Store, address: str, now: datetime) -> Forgotten:
    """Forget what is stored under an address as written, or under its canonical form."""
    forgotten = upkeep.forget(store, url=address, now=now)
    try:
        canonical = canonical_url(address)
    except BadUrl:
        return forgotten
    return forgotten if forgotten or canonical == address else upkeep.forget(store, url=canonical, now=now)
