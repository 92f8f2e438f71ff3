"""`copydesk`: the command. Prefect, DuckDB and the desk are loaded only by the commands that need them."""

import logging
import sys
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.endings import STOPPED, exit_code, is_trouble

if TYPE_CHECKING:
    from flows.settings import Settings

app = typer.Typer(
    name="copydesk",
    help="Fetch news, clean it, mend what machine translation left in it, tag it, and keep it as Parquet.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class ModeChoice(StrEnum):
    """How boldly text is mended."""

    STRICT = "strict"
    STANDARD = "standard"
    ALL = "all"


class OnlyChoice(StrEnum):
    """What is done anew."""

    STALE = "stale"
    ALL = "all"
    FINGERPRINTS = "fingerprints"


class QueryFormat(StrEnum):
    """How the answer to a query is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


DataOption = Annotated[
    str | None, typer.Option("--data", metavar="DIR", help="The dataset: a folder, or s3://bucket/prefix (./data).")
]
ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings (./copydesk.toml).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DelayOption = Annotated[
    float | None, typer.Option(min=0, max=3600, help="Seconds between two requests to one host (5).")
]
PrivateOption = Annotated[bool, typer.Option("--allow-private", help="Allow loopback and other private addresses.")]
FromOption = Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day of publication (UTC).")]
ToOption = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day, included (today).")]
SourceOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="A source of copydesk.toml or of the dataset; may be repeated.")
]
LanguageOption = Annotated[str | None, typer.Option(help="The text's language (BCP 47); by default it is detected.")]
ModeOption = Annotated[
    ModeChoice,
    typer.Option(help="strict: what is safe in any text. standard: more, in translated documents. all: everything."),
]


@app.command()
def run(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE…",
            help="Feed, sitemap, home page or page URLs; folders or files of .html[.gz], .txt, .warc[.gz], on disk or "
            "s3://…; a .txt of URLs; a list of WARC files; names from copydesk.toml. None: every source there.",
            show_default=False,
        ),
    ] = None,
    data: DataOption = None,
    delay: DelayOption = None,
    allow_private: PrivateOption = False,
    first_day: FromOption = None,
    last_day: ToOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ingest sources: discover, fetch, archive, edit, commit, report."""
    from flows.parameters import IngestParameters
    from flows.running import run_ingest

    first, last = parse_days(first_day, last_day)
    parameters = IngestParameters(
        sources=tuple(sources or ()),
        data=data,
        delay=delay,
        allow_private=allow_private,
        first_day=first,
        last_day=last,
        config=None if config is None else str(config),
    )
    raise typer.Exit(stoppable(lambda: run_ingest(parameters, as_json=as_json)))


@app.command()
def reprocess(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE…", help="Names of sources, as rows have them. None: all.", show_default=False),
    ] = None,
    first_day: FromOption = None,
    last_day: ToOption = None,
    only: Annotated[
        OnlyChoice,
        typer.Option(
            help="stale: what an older desk made, or was lost. all: every page. fingerprints: near-duplicates."
        ),
    ] = OnlyChoice.STALE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and do nothing.")] = False,
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put archived pages through today's desk; no network."""
    from flows.parameters import Only, ReprocessParameters
    from flows.running import run_reprocess

    first, last = parse_days(first_day, last_day)
    parameters = ReprocessParameters(
        sources=tuple(sources or ()),
        first_day=first,
        last_day=last,
        only=Only(only.value),
        dry_run=dry_run,
        data=data,
        config=None if config is None else str(config),
    )
    raise typer.Exit(stoppable(lambda: run_reprocess(parameters, as_json=as_json)))


@app.command()
def demo(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The dataset's folder.")] = Path("data"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Loopback port of the sample site.")] = 8417,
) -> None:
    """Serve the sample newspaper on loopback and ingest it: everything copydesk does, offline, in a minute."""
    from flows.running import run_demo

    raise typer.Exit(stoppable(lambda: run_demo(data, port)))


@app.command()
def serve(config: ConfigOption = None) -> None:
    """Run the sources of copydesk.toml on their schedules, until stopped."""
    from flows.running import serve_schedules

    serve_schedules(config)


sources_app = typer.Typer(help="Show the sources of copydesk.toml, or look at some now.", no_args_is_help=False)
app.add_typer(sources_app, name="sources")


@sources_app.callback(invoke_without_command=True)
def sources(
    context: typer.Context, data: DataOption = None, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Show every source of copydesk.toml: when it was visited, when it brought something, how it stands."""
    if context.invoked_subcommand is None:
        from flows.checking import list_sources

        raise typer.Exit(list_sources(settings_for(data, config), as_json=as_json))


@sources_app.command()
def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME|URL…",
            help="Names from copydesk.toml, addresses, folders or files. None: every source in copydesk.toml.",
            show_default=False,
        ),
    ] = None,
    data: DataOption = None,
    delay: DelayOption = None,
    allow_private: PrivateOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at sources now and say what each brings, or why nothing; nothing is stored. Exit code 1: one brings none."""
    from flows.checking import check_sources
    from flows.parameters import IngestParameters

    given = IngestParameters(sources=tuple(names or ()), delay=delay, allow_private=allow_private)
    raise typer.Exit(stoppable(lambda: check_sources(settings_for(data, config), given, as_json=as_json)))


@app.command()
def status(
    first: FromOption = None,
    last: ToOption = None,
    source: SourceOption = None,
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how each day of each source stands: a calendar of what is fresh, missing, stale or failed."""
    from flows.backfilling import show_status

    first_day, last_day = parse_days(first, last)
    settings = settings_for(data, config)
    show_status(settings, first=first_day, last=last_day, sources=source or (), as_json=as_json)


@app.command()
def backfill(
    first: FromOption = None,
    last: ToOption = None,
    source: SourceOption = None,
    only: Annotated[
        str | None, typer.Option(metavar="STATES", help="Of missing,stale,failed,partial: which to bring up to date.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and do nothing.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Try also what failed for a reason that does not pass by itself.")
    ] = False,
    concurrency: Annotated[int, typer.Option(min=1, max=16, help="Days that are worked on side by side.")] = 2,
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring past days up to date: what is missing, stale or failed, and nothing else."""
    from flows.backfilling import run_backfill

    first_day, last_day = parse_days(first, last)
    raise typer.Exit(
        stoppable(
            lambda: run_backfill(
                settings_for(data, config),
                first=first_day,
                last=last_day,
                sources=source or (),
                only=[state.strip() for state in only.split(",")] if only else (),
                again=again,
                concurrency=concurrency,
                config=config,
                dry_run=dry_run,
                as_json=as_json,
            )
        )
    )


@app.command()
def worker(
    pool: Annotated[str, typer.Option(metavar="NAME", help="The work pool; made where there is none.")] = "copydesk",
    limit: Annotated[int, typer.Option(min=1, help="Runs that work at a time.")] = 4,
) -> None:
    """Run what is deployed on the Prefect server at PREFECT_API_URL, until stopped."""
    from flows.running import start_worker

    start_worker(pool, limit)


@app.command()
def inspect(
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="One document: a file or a page's address.")],
    mode: ModeOption = ModeChoice.STANDARD,
    allow_private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show one document through every stage of the desk; nothing is stored."""
    from flows.inspecting import inspect_document

    raise typer.Exit(inspect_document(source, mode=mode.value, allow_private=allow_private, as_json=as_json))


@app.command()
def mend(
    file: Annotated[
        str, typer.Argument(metavar="FILE|DIR|-", help="A text file, a folder of them, or - for standard input.")
    ],
    language: LanguageOption = None,
    mode: ModeOption = ModeChoice.STANDARD,
    show_diff: Annotated[bool, typer.Option("--diff", help="Show what was changed, in colour.")] = False,
    as_json: JsonOption = False,
    to: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where a folder's mended texts go.")] = None,
) -> None:
    """Print a text with its machine-translation residue mended; of a folder, write every text mended into another."""
    if Path(file).is_dir():
        from flows.mending_folder import mend_folder

        mend_folder(Path(file), to, language=language, mode=mode.value, as_json=as_json)
        return
    from flows.mending import mend_text

    mend_text(file, language=language, mode=mode.value, show_diff=show_diff, as_json=as_json)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="A DuckDB query; articles and the other tables are views.")],
    data: DataOption = None,
    config: ConfigOption = None,
    form: Annotated[QueryFormat, typer.Option("--format", help="How to print the answer.")] = QueryFormat.TABLE,
    as_json: JsonOption = False,
) -> None:
    """Ask the dataset in SQL."""
    from flows.querying import print_query

    print_query(sql, settings_for(data, config).data, form="json" if as_json else form.value)


@app.command()
def verify(
    data: DataOption = None,
    config: ConfigOption = None,
    repair: Annotated[bool, typer.Option("--repair", help="Make again what can be made again.")] = False,
    pages: Annotated[bool, typer.Option(help="Read every archived page too.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Prove the dataset sound, or say what is not (exit code 1)."""
    from flows.upkeep import verify_dataset

    settings = settings_for(data, config)
    raise typer.Exit(verify_dataset(settings, with_repair=repair, pages=pages, as_json=as_json))


@app.command()
def migrate(data: DataOption = None, config: ConfigOption = None) -> None:
    """Lift files that an older version wrote to today's schema."""
    from flows.upkeep import migrate_dataset

    migrate_dataset(settings_for(data, config))


@app.command()
def maintain(data: DataOption = None, config: ConfigOption = None) -> None:
    """Complete what was cut short, move articles whose date was corrected, drop what is old enough."""
    from flows.upkeep import maintain_dataset

    maintain_dataset(settings_for(data, config))


@app.command()
def forget(
    name: Annotated[str, typer.Argument(metavar="URL|ID", help="An article's address or article_id.")],
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Take an article out everywhere, archive included, for good."""
    from flows.upkeep import forget_article

    raise typer.Exit(forget_article(settings_for(data, config), name))


@app.command()
def report(data: DataOption = None, config: ConfigOption = None) -> None:
    """Write the report page of the last run again, from the dataset as it is now."""
    from flows.running import rewrite_report

    rewrite_report(settings_for(data, config))


@app.command()
def runs(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="A run's id, or its beginning; none: the latest runs.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 20,
    flow: Annotated[str | None, typer.Option(help="Only runs of this flow.")] = None,
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs: what came of each, how long it took, and which are at work."""
    from flows.runs import show_runs

    settings = settings_for(data, config)
    raise typer.Exit(show_runs(settings, run=run, limit=limit, flow=flow, as_json=as_json))


@app.command()
def rules(
    rule: Annotated[str | None, typer.Argument(metavar="RULE", help="A rule's id; none: the whole book.")] = None,
    data: DataOption = None,
) -> None:
    """Show the rule book, or one rule with the examples that are its tests; and how often each acted in a dataset."""
    from flows.mending import show_rules

    show_rules(rule, data)


@app.command()
def topics(
    query: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORD]...", help="Words of a label, in any language, or a topic's id. None: the top topics."
        ),
    ] = None,
    article: Annotated[
        str | None, typer.Option("--article", metavar="ID|URL", help="What decided for the topics of this article.")
    ] = None,
    counts: Annotated[bool, typer.Option("--counts", help="How many articles of the dataset have each topic.")] = False,
    example: Annotated[bool, typer.Option("--example", help="Print a file of watchlists to start from.")] = False,
    language: Annotated[str, typer.Option(help="The language of labels (BCP 47).")] = "en-US",
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the topics of news, what decided for an article's, or how often each stands in the dataset."""
    from flows.topics import count_topics, explain_article, print_example, show_taxonomy

    asked = [bool(query), article is not None, counts, example]
    if sum(asked) > 1:
        raise typer.BadParameter("Words, --article, --counts and --example are asked for one at a time.")
    if article is not None:
        explain_article(settings_for(data, config), article, language=language, as_json=as_json)
    elif counts:
        count_topics(settings_for(data, config), language=language, as_json=as_json)
    elif example:
        print_example()
    else:
        show_taxonomy(" ".join(query) if query else None, language=language, as_json=as_json)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")] = Path("copydesk.toml"),
) -> None:
    """Write a commented copydesk.toml to start from."""
    from flows.settings import SettingsError, template

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        raise SettingsError(f"{path}: there is such a file already; it was left as it is.") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written ({error.strerror}).") from None
    typer.echo(f"Wrote {path}. Add a source, then: copydesk run")


def settings_for(data: str | None, config: Path | None) -> "Settings":
    """Return the settings, with the dataset that the command names."""
    from flows.settings import Settings

    settings = Settings.load(config)
    return settings if data is None else settings.model_copy(update={"data": data})


def parse_days(first: str | None, last: str | None) -> "tuple[date | None, date | None]":
    """Return two days as they are given to a command, the later not before the earlier."""
    from flows.settings import SettingsError
    from tasks.fetch.window import FIRST_DAY, LAST_DAY

    try:
        days = (first and date.fromisoformat(first)) or None, (last and date.fromisoformat(last)) or None
    except ValueError as error:
        raise SettingsError(f"A day is written as 2026-02-28 ({error}).") from None
    for day in days:
        if day and not FIRST_DAY <= day <= LAST_DAY:
            raise SettingsError(f"{day} is no day of news on the web: they run from {FIRST_DAY} to {LAST_DAY}.")
    if days[0] and days[1] and days[0] > days[1]:
        raise SettingsError(f"The first day, {first}, comes after the last, {last}.")
    return days


def stoppable(work: Callable[[], int]) -> int:
    """Do something that Ctrl-C may stop, and return its exit code: 130 where it was stopped, as shells have it."""
    try:
        return work()
    except KeyboardInterrupt:
        _tell("copydesk: stopped; what was done is kept, and the next run goes on from there.")
        return STOPPED


def main() -> None:
    """Run the command; the operator's troubles end in one sentence and an exit code, bugs in a traceback."""
    try:
        app()
    except Exception as error:
        if not is_trouble(error):
            raise
        _tell(f"copydesk: {error}", fg="red")
        if getattr(error, "leaves_at_once", False):
            from flows.embedded import leave_at_once

            leave_at_once(exit_code(error))
        sys.exit(exit_code(error))


def _tell(message: str, fg: str | None = None) -> None:
    """Say a sentence on standard error, in the form that is asked for there."""
    from flows.logs import say

    if not say(message, level=logging.INFO if fg is None else logging.ERROR):
        typer.secho(message, err=True, fg=fg)


if __name__ == "__main__":
    main()
