"""The sample site answers as an ordinary web server does, and fails where it says it fails."""

import asyncio
import gzip
import zlib
from http.client import IncompleteRead
from urllib.error import URLError
from urllib.request import urlopen

import aiohttp
import pytest
from protego import Protego

from flows.sample.expected import expected
from flows.sample.site import Request, SampleSite, main
from flows.sample.story import oddities, stories
from tasks.documents import Reason

FERRY = "/2026/02/10/electric-ferry-first-week/"


def test_answers_an_etag_with_304(ask):
    tag = ask(FERRY).headers["ETag"]
    again = ask(FERRY, If_None_Match=tag)
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)


def test_answers_the_etag_of_the_compressed_page_with_304(ask):
    tag = ask(FERRY, Accept_Encoding="gzip").headers["ETag"]
    assert tag.startswith('W/"')
    assert ask(FERRY, Accept_Encoding="gzip", If_None_Match=tag).status == 304


def test_answers_a_date_with_304(ask):
    date = ask(FERRY).headers["Last-Modified"]
    assert ask(FERRY, If_Modified_Since=date).status == 304
    assert ask(FERRY, If_Modified_Since="Mon, 02 Feb 2026 00:00:00 GMT").status == 200


def test_believes_an_etag_before_a_date(ask):
    date = ask(FERRY).headers["Last-Modified"]
    assert ask(FERRY, If_None_Match='"another"', If_Modified_Since=date).status == 200


def test_ignores_a_date_that_is_none(ask):
    assert ask(FERRY, If_Modified_Since="last Tuesday").status == 200


def test_compresses_only_for_those_who_ask(ask):
    plain, packed = ask(FERRY), ask(FERRY, Accept_Encoding="gzip, br")
    assert plain.headers["Content-Encoding"] is None
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body


def test_sends_short_pages_as_they_are(ask):
    assert ask("/robots.txt", Accept_Encoding="gzip").headers["Content-Encoding"] is None


def test_head_has_the_headers_of_get_and_no_body(ask):
    get, head = ask(FERRY), ask(FERRY, "HEAD")
    assert head.body == b""
    for name in ("ETag", "Last-Modified", "Content-Type", "Content-Length"):
        assert head.headers[name] == get.headers[name]


def test_does_not_know_other_addresses(ask):
    assert ask("/2026/02/10/no-such-story/").status == 404


def test_tells_pages_apart_by_their_query(ask):
    assert b"bronze otter" in ask("/cms/show.php?id=4417").body
    assert b"quarry" in ask("/cms/show.php?id=4402").body


def test_finds_a_page_under_a_tracking_parameter(ask):
    assert ask(f"{FERRY}?utm_source=rss").body == ask(FERRY).body


@pytest.mark.parametrize("path", [odd.link for odd in oddities() if odd.link.startswith("/") and not odd.fault])
def test_odd_page_has_its_status_type_and_location(ask, path):
    odd = next(each for each in oddities() if each.link == path)
    answer = ask(path)
    assert answer.status == odd.status
    assert answer.headers["Content-Type"] == odd.content_type
    assert (answer.headers["Location"] or "") == odd.location


def test_old_addresses_lead_to_articles(ask):
    for old in (odd for odd in oddities() if odd.leads_to):
        assert ask(ask(old.link).headers["Location"]).status == 200


def test_half_a_page_breaks_off(ask):
    with pytest.raises(IncompleteRead):
        ask("/2026/02/03/half-a-page")


def test_half_a_parcel_is_a_gzip_stream_without_its_end(ask):
    answer = ask("/2026/02/03/half-a-parcel")
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    decoder = zlib.decompressobj(wbits=31)
    assert decoder.decompress(answer.body).startswith(b"<!DOCTYPE html>")
    assert not decoder.eof


def test_the_tender_is_nested_beyond_reason(ask):
    assert ask("/tenders/2026-014").body.count(b"<div>") > 10_000


def test_the_blank_page_is_blank(ask):
    answer = ask("/2026/02/04/blank")
    assert (answer.status, answer.body) == (200, b"")


def test_robots_forbids_one_address_of_the_listings_and_names_the_sitemap(site, ask):
    robots = Protego.parse(ask("/robots.txt").body.decode())
    links = [each.link for each in expected() if each.link.startswith("/")]
    forbidden = [link for link in links if not robots.can_fetch(site.base_url + link, "copydesk")]
    assert forbidden == [each.link for each in expected() if each.reason is Reason.ROBOTS_DISALLOWED]
    assert list(robots.sitemaps) == [site.listings[2]]


def test_counts_what_is_asked(site, ask):
    ask(FERRY, "HEAD")
    ask("/nothing?at=all")
    assert site.requests == [Request("HEAD", FERRY, 200), Request("GET", "/nothing?at=all", 404)]


def test_serves_nothing_twice_to_a_client_that_remembers(site, ask):
    tags = {story.path: ask(story.path).headers["ETag"] for story in stories()}
    first = len(site.requests)
    for path, tag in tags.items():
        ask(path, If_None_Match=tag)
    assert {request.status for request in site.requests[first:]} == {304}


def test_a_correction_changes_page_and_etag(site, ask):
    before = ask(FERRY)
    site.correct(FERRY, "with milk", "without milk")
    after = ask(FERRY, If_None_Match=before.headers["ETag"])
    assert after.status == 200
    assert b"tea, without milk" in after.body


def test_a_correction_of_words_that_are_not_there_is_refused(site):
    with pytest.raises(ValueError, match="nothing was corrected"):
        site.correct(FERRY, "with lemon", "without lemon")


def test_answers_many_at_once(site):
    async def ask_all() -> list[int]:
        async with aiohttp.ClientSession(site.base_url) as session:

            async def status(path: str) -> int:
                async with session.get(path) as response:
                    await response.read()
                    return response.status

            return await asyncio.gather(*(status(story.path) for story in stories()))

    assert set(asyncio.run(ask_all())) == {200}


def test_stops_cleanly_while_a_connection_is_open():
    with SampleSite() as site:
        address = site.base_url
        response = urlopen(address + "/")
    response.close()
    with pytest.raises(URLError):
        urlopen(address + "/", timeout=2)


def test_the_same_port_can_be_served_again():
    with SampleSite() as first:
        port = int(first.base_url.rpartition(":")[2])
    with SampleSite(port) as second:
        assert second.base_url == first.base_url


def test_must_be_entered_before_use():
    with pytest.raises(RuntimeError, match="not running"):
        SampleSite().base_url  # noqa: B018 - the property raises


def test_command_refuses_a_port_that_is_none():
    with pytest.raises(SystemExit) as stop:
        main(["--port", "harbour"])
    assert stop.value.code == 2
