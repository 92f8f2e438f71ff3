"""The desk, as the settings describe it."""

from pathlib import Path

from flows.settings import Settings, SettingsError
from tasks.artifacts.mend import Mode
from tasks.edit import Desk
from tasks.topics.watchlists import Watchlists, read_watchlists


def desk_of(settings: Settings, mode: str | None = None) -> Desk:
    """Return what articles are made by: how boldly, in which languages, and with which watchlists."""
    return Desk(
        mode=Mode(mode or settings.mode),
        expected_languages=settings.languages,
        watchlists=watchlists_of(settings),
    )


def watchlists_of(settings: Settings) -> Watchlists | None:
    """Read the file of watchlists that the settings name, if they name one."""
    if settings.watchlists is None:
        return None
    try:
        text = Path(settings.watchlists).read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{settings.watchlists}: the watchlists cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{settings.watchlists}: this is not UTF-8 text, so it cannot be TOML.") from None
    return read_watchlists(text, settings.watchlists)
