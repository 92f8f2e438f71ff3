"""A desk that dies over one page: for tests of what becomes of the others."""

import os

from storage.store import Place
from tasks.batch import Edited, Slice, edit_slice
from tasks.edit import Desk
from tasks.rows import archived_pages

CULPRIT = "/bakery-queue"


def edit_or_die(place: Place, run: str, part: Slice, desk: Desk) -> Edited:
    """Edit a slice, unless the culprit is in it: then take the process down."""
    with place.open() as store:
        pages = list(archived_pages(store.staging.read(part.path).slice(part.start, part.stop - part.start)))
    if any(CULPRIT in page.input for page in pages):
        os._exit(1)
    return edit_slice(place, run, part, desk)
