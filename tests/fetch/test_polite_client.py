"""The client against a real server: what is fetched, what is refused, and what is said about it."""

import gzip
import socket
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from threading import Thread

import brotli
import pytest
import zstandard

from tasks.documents import PageKind, Reason, Rejection
from tasks.fetch.leases import LeasesInMemory
from tasks.fetch.results import Deferred, Fetched, NotModified, Validator

ARTICLE = b"<!doctype html><title>The dam holds</title><article><p>The dam held through the night.</p></article>"


def assert_rejected(result, reason, words=""):
    assert isinstance(result, Rejection), result
    assert (result.reason, words in result.detail) == (reason, True), result.detail


def seconds_passed(since: float) -> float:
    return time.monotonic() - since


class TestPages:
    def test_a_page_comes_with_everything_the_archive_needs(self, server, client):
        url = server.answer("/dam", ETag='"v1"', Last_Modified="Mon, 26 Feb 2024 08:00:00 GMT")
        result = client.fetch(url)
        assert isinstance(result, Fetched)
        assert (result.url, result.status, result.reason_phrase) == (url, 200, "OK")
        assert result.body == result.payload == ARTICLE
        assert ("ETag", '"v1"') in result.headers
        assert result.validator == Validator(etag='"v1"', last_modified="Mon, 26 Feb 2024 08:00:00 GMT")
        page = result.page()
        assert (page.kind, page.body, page.sha256, page.url) == (PageKind.HTML, ARTICLE, result.sha256, url)

    def test_the_agent_names_itself_and_its_owner(self, server, client):
        client.fetch(server.answer("/dam"))
        assert all(asked.headers["user-agent"].startswith("copydesk/") for asked in server.asked)
        assert all("(+https://example.org/bot)" in asked.headers["user-agent"] for asked in server.asked)

    @pytest.mark.parametrize(
        ("encoding", "encode"),
        [
            ("gzip", gzip.compress),
            ("x-gzip", gzip.compress),
            ("deflate", zlib.compress),
            ("br", brotli.compress),
            ("zstd", zstandard.compress),
            ("identity", bytes),
        ],
    )
    def test_encodings_are_undone_and_the_payload_is_kept(self, server, client, encoding, encode):
        payload = encode(ARTICLE)
        result = client.fetch(server.answer("/dam", payload, Content_Encoding=encoding))
        assert isinstance(result, Fetched)
        assert (result.body, result.payload) == (ARTICLE, payload)

    def test_a_chunked_body_without_length_is_whole(self, server, client):
        chunk = b"%x\r\n%s\r\n" % (len(ARTICLE), ARTICLE)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
        result = client.fetch(server.raw("/dam", head, chunk, b"0\r\n\r\n"))
        assert isinstance(result, Fetched)
        assert result.payload == ARTICLE

    @pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain", "application/xhtml+xml"])
    def test_html_is_known_by_its_beginning(self, server, client, content_type):
        assert isinstance(client.fetch(server.answer("/dam", content_type=content_type)), Fetched)

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [(b"%PDF-1.7", "text/html"), (b"\x89PNG", "image/png"), (b"data: x\n\n", "text/event-stream"), (b"ok", "")],
    )
    def test_what_is_no_html_is_refused(self, server, client, body, content_type):
        assert_rejected(client.fetch(server.answer("/dam", body, content_type=content_type)), Reason.NOT_HTML)

    def test_a_type_is_refused_before_its_body_is_read(self, server, client):
        def endless(asked) -> Iterator[bytes]:
            yield b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n"
            while True:
                yield b"x" * 65536

        assert_rejected(client.fetch(server.route("/dam", endless)), Reason.NOT_HTML)


class TestStatuses:
    @pytest.mark.parametrize(
        ("status", "reason"),
        [
            ("404 Not Found", Reason.NOT_FOUND),
            ("410 Gone", Reason.GONE),
            ("403 Forbidden", Reason.HTTP_ERROR),
            ("204 No Content", Reason.HTTP_ERROR),
            ("999 Request denied", Reason.HTTP_ERROR),
        ],
    )
    def test_a_final_status_is_named_and_not_asked_again(self, server, client, status, reason):
        assert_rejected(client.fetch(server.answer("/dam", b"", status)), reason, status)
        assert server.paths() == ["/dam"]

    def test_an_unchanged_page_costs_no_body(self, server, client):
        def cautious(asked) -> Iterable[bytes]:
            fresh = asked.headers.get("if-none-match") == '"v1"' and "if-modified-since" in asked.headers
            status = b"304 Not Modified" if fresh else b"500 Wrong"
            return [b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"]

        url = server.route("/dam", cautious)
        result = client.fetch(url, Validator(etag='"v1"', last_modified="Mon, 26 Feb 2024 08:00:00 GMT"))
        assert isinstance(result, NotModified)
        assert result.url == url

    def test_a_304_that_nobody_asked_for_is_an_error(self, server, client):
        assert_rejected(client.fetch(server.answer("/dam", b"", "304 Not Modified")), Reason.HTTP_ERROR, "304")

    def test_a_passing_trouble_is_retried(self, server, client):
        replies = iter([b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"] * 2)
        page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>"
        assert isinstance(client.fetch(server.route("/dam", lambda _: [next(replies, page)])), Fetched)
        assert server.paths() == ["/dam"] * 3

    def test_retries_come_to_an_end(self, server, client):
        assert_rejected(client.fetch(server.answer("/dam", b"", "503 Busy")), Reason.HTTP_ERROR, "503 Busy")
        assert server.paths() == ["/dam"] * 3

    @pytest.mark.parametrize("form", ["seconds", "date"])
    def test_a_short_retry_after_is_waited_for(self, server, client, form):
        def patient(asked) -> Iterable[bytes]:
            if server.paths() != ["/dam"]:
                return [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>"]
            moment = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
            wait = "1" if form == "seconds" else moment
            return [f"HTTP/1.1 429 Slow Down\r\nRetry-After: {wait}\r\nContent-Length: 0\r\n\r\n".encode()]

        assert isinstance(client.fetch(server.route("/dam", patient)), Fetched)
        first, second = (asked.time for asked in server.asked if asked.path == "/dam")
        assert second - first >= 0.9

    def test_a_long_retry_after_is_rescheduled_for_the_whole_host(self, server, client):
        busy = server.answer("/busy", b"", "429 Slow Down", Retry_After="86400")
        other = server.answer("/other")
        first, second = client.fetch_all([busy, other])
        assert isinstance(first, Deferred)
        assert isinstance(second, Deferred)
        assert first.until - datetime.now(UTC) > timedelta(hours=23)
        assert server.paths() == ["/busy"]

    @pytest.mark.parametrize("nonsense", ["soon", "-5", "99999999999999999999"])
    def test_a_retry_after_that_says_nothing_is_passed_over(self, server, client, nonsense):
        result = client.fetch(server.answer("/dam", b"", "429 Slow Down", Retry_After=nonsense))
        assert_rejected(result, Reason.HTTP_ERROR, "429")


class TestRedirects:
    def test_a_redirect_is_followed_and_remembered(self, server, client):
        server.redirect("/old", "/new?utm_source=feed")
        server.answer("/new?utm_source=feed")
        result = client.fetch(server.url("/old"))
        assert isinstance(result, Fetched)
        assert result.url == server.url("/new?utm_source=feed")
        assert result.redirects == (server.url("/old"),)
        assert result.candidate.input == server.url("/old")

    def test_a_circle_is_seen(self, server, client):
        server.redirect("/a", "/b")
        server.redirect("/b", "/a")
        assert_rejected(client.fetch(server.url("/a")), Reason.TOO_MANY_REDIRECTS, "in a circle")

    def test_a_long_chain_is_cut(self, server, client):
        for step in range(30):
            server.redirect(f"/{step}", f"/{step + 1}")
        assert_rejected(client.fetch(server.url("/0")), Reason.TOO_MANY_REDIRECTS, "more than 10")

    def test_a_cookie_wall_is_passed_once(self, server, client):
        def wall(asked) -> Iterable[bytes]:
            if asked.headers.get("cookie") == "seen=1":
                return [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>"]
            return [b"HTTP/1.1 302 Found\r\nLocation: /dam\r\nSet-Cookie: seen=1; Path=/\r\nContent-Length: 0\r\n\r\n"]

        assert isinstance(client.fetch(server.route("/dam", wall)), Fetched)

    @pytest.mark.parametrize("location", [{}, {"Location": ""}])
    def test_a_redirect_without_aim_is_an_error(self, server, client, location):
        assert_rejected(client.fetch(server.answer("/dam", b"", "302 Found", **location)), Reason.HTTP_ERROR)

    def test_two_aims_are_no_aim(self, server, client):
        head = b"HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"
        assert_rejected(client.fetch(server.raw("/dam", head)), Reason.HTTP_ERROR, "2 usable")

    @pytest.mark.parametrize(
        ("target", "reason"),
        [
            ("http://169.254.169.254/latest/meta-data/", Reason.PRIVATE_ADDRESS),
            ("http://10.0.0.1/", Reason.PRIVATE_ADDRESS),
            ("http://100.64.0.1/", Reason.PRIVATE_ADDRESS),
            ("http://127.0.0.2/", Reason.PRIVATE_ADDRESS),
            ("http://localhost/", Reason.PRIVATE_ADDRESS),
            ("http://[::1]/", Reason.PRIVATE_ADDRESS),
            ("http://[::ffff:169.254.169.254]/", Reason.PRIVATE_ADDRESS),
            ("http://[64:ff9b::a9fe:a9fe]/", Reason.PRIVATE_ADDRESS),
            ("http://[fe80::1]/", Reason.PRIVATE_ADDRESS),
            ("http://2852039166/", Reason.PRIVATE_ADDRESS),
            ("http://0251.0376.0251.0376/", Reason.PRIVATE_ADDRESS),
            ("HTTP://169.254.169.254/", Reason.PRIVATE_ADDRESS),
            ("http://localhost:22/", Reason.FORBIDDEN_PORT),
            ("file:///etc/passwd", Reason.BAD_URL),
            ("gopher://127.0.0.1:6379/_INFO", Reason.BAD_URL),
            ("javascript:alert(1)", Reason.BAD_URL),
            ("http://user:secret@example.com/", Reason.BAD_URL),
            ("http://[bad/", Reason.BAD_URL),
        ],
    )
    def test_no_redirect_leads_out_of_the_open_web(self, server, client, target, reason):
        server.redirect("/dam", target)
        result = client.fetch(server.url("/dam"))
        assert_rejected(result, reason)
        assert "secret" not in result.detail

    def test_a_stub_sends_its_readers_on_under_the_same_guard(self, server, client):
        server.answer("/stub", b"<meta http-equiv=refresh content='0; url=/dam'>")
        server.answer("/dam")
        server.answer("/evil", b"<meta http-equiv=refresh content='0;url=http://169.254.169.254/'>")
        arrived = client.fetch(server.url("/stub"))
        assert isinstance(arrived, Fetched)
        assert arrived.url == server.url("/dam")
        assert_rejected(client.fetch(server.url("/evil")), Reason.PRIVATE_ADDRESS)


class TestBounds:
    def test_a_dripping_body_meets_the_deadline(self, server, client):
        def drip(asked) -> Iterator[bytes]:
            yield b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n"
            while True:
                yield b"a"
                time.sleep(0.05)

        assert_rejected(client.within(total_seconds=0.5).fetch(server.route("/dam", drip)), Reason.TIMEOUT)

    def test_a_dripping_head_meets_the_deadline(self, server, client):
        def drip(asked) -> Iterator[bytes]:
            yield b"HTTP/1.1 200 OK\r\n"
            for number in range(10_000):
                yield b"X-%d: y\r\n" % number
                time.sleep(0.05)

        assert_rejected(client.within(total_seconds=0.5).fetch(server.route("/dam", drip)), Reason.TIMEOUT)

    def test_silence_is_not_waited_out(self, server, client):
        def hang(asked) -> Iterator[bytes]:
            time.sleep(1)
            yield b""

        hasty = client.within(read_seconds=0.1, attempts=1)
        assert_rejected(hasty.fetch(server.route("/dam", hang)), Reason.TIMEOUT)

    def test_an_endless_body_is_cut_off(self, server, client):
        def endless(asked) -> Iterator[bytes]:
            yield b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
            while True:
                yield b"<p>endless</p>" * 4000

        result = client.within(page_bytes=200_000).fetch(server.route("/dam", endless))
        assert_rejected(result, Reason.TOO_LARGE, "on the wire")

    def test_an_announced_giant_is_not_begun(self, server, client):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99999999999\r\n\r\n"
        assert_rejected(client.fetch(server.raw("/dam", head)), Reason.TOO_LARGE, "announced")

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
    def test_no_bomb_goes_off(self, server, client, encoding):
        zeros = bytes(20 * 1024 * 1024)
        encode = {
            "gzip": lambda body: gzip.compress(body, 1),
            "deflate": lambda body: zlib.compress(body, 1),
            "br": lambda body: brotli.compress(body, quality=1),
            "zstd": zstandard.compress,
        }[encoding]
        result = client.fetch(server.answer("/dam", encode(zeros), Content_Encoding=encoding))
        assert_rejected(result, Reason.TOO_LARGE, "when decoded")

    def test_a_bomb_is_seen_while_it_comes(self, server, client):
        bomb = gzip.compress(bytes(110 * 1024 * 1024), 6)

        def slow_bomb(asked) -> Iterator[bytes]:
            yield b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n"
            yield bomb[: 100 * 1024]
            time.sleep(30)

        result = client.within(attempts=1).fetch(server.route("/dam", slow_bomb))
        assert_rejected(result, Reason.TOO_LARGE, "when decoded")

    def test_floods_of_headers_are_refused(self, server, client):
        many = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 500) for number in range(2000))
        some = b"".join(b"Set-Cookie: c%d=%s\r\n" % (number, b"v" * 500) for number in range(300))
        ending = b"Content-Length: 2\r\n\r\nok"
        long = b"X: " + b"v" * 1_000_000 + b"\r\n"
        start = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
        for path, head in {"/many": many, "/long": long}.items():
            assert_rejected(client.fetch(server.raw(path, start, head, ending)), Reason.HTTP_ERROR)
        assert_rejected(client.fetch(server.raw("/some", start, some, ending)), Reason.TOO_LARGE, "headers")


class TestBrokenAnswers:
    @pytest.mark.parametrize(
        "pieces",
        [
            pytest.param([b"Content-Length: 9999\r\nConnection: close\r\n\r\n", ARTICLE], id="short"),
            pytest.param([b"Transfer-Encoding: chunked\r\n\r\n5\r\n<p>ab\r\n"], id="cut chunks"),
            pytest.param(
                [b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n", gzip.compress(ARTICLE)[:40]], id="cut gzip"
            ),
        ],
    )
    def test_half_a_page_is_asked_for_again_and_never_kept(self, server, client, pieces):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
        assert_rejected(client.fetch(server.raw("/dam", head, *pieces)), Reason.INCOMPLETE)
        assert server.paths() == ["/dam"] * 3

    @pytest.mark.parametrize("encoding", ["x-unheard-of", "gzip, gzip", ", ".join(["gzip"] * 500), "gzip"])
    def test_an_encoding_that_cannot_be_undone_is_named(self, server, client, encoding):
        result = client.fetch(server.answer("/dam", Content_Encoding=encoding))
        assert_rejected(result, Reason.BAD_CONTENT_ENCODING)

    @pytest.mark.parametrize(
        "answer",
        [
            b"HELLO WORLD\r\n\r\n<p>",
            b"<html>no head at all</html>",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 10\r\n\r\nhelloworld",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\nX-A: a\0b\nContent-Length: 2\n\nok",
        ],
    )
    def test_what_is_not_http_is_an_error(self, server, client, answer):
        result = client.fetch(server.raw("/dam", answer))
        assert isinstance(result, Rejection)
        assert result.reason in {Reason.HTTP_ERROR, Reason.INCOMPLETE}
        assert "\n" not in result.detail

    def test_a_connection_that_dies_once_is_forgiven(self, server, client):
        def moody(asked) -> Iterable[bytes]:
            if server.paths() == ["/dam"]:
                return []
            return [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>"]

        assert isinstance(client.fetch(server.route("/dam", moody)), Fetched)

    def test_a_closed_port_is_unreachable(self, server, client):
        url = server.url("/dam")
        server.server_close()
        assert_rejected(client.fetch(url), Reason.UNREACHABLE)

    def test_a_host_that_speaks_no_tls_is_named_so(self, client):
        def speak(listening: socket.socket) -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        with socket.create_server(("127.0.0.1", 0)) as listening:
            Thread(target=speak, args=(listening,), daemon=True).start()
            result = client.fetch(f"https://127.0.0.1:{listening.getsockname()[1]}/dam")
        assert_rejected(result, Reason.TLS_ERROR, "/robots.txt")

    def test_an_unknown_host_is_unreachable(self, client):
        assert_rejected(client.fetch("http://no-such-host.invalid/"), Reason.UNREACHABLE)

    @pytest.mark.parametrize("url", ["", "ftp://example.com/", "http://[bad/", "http://user:pw@example.com/"])
    def test_an_unusable_address_is_no_crash(self, client, url):
        assert_rejected(client.fetch(url), Reason.BAD_URL)
        assert_rejected(client.fetch_all([url])[0], Reason.BAD_URL)


class TestPrivateNetworks:
    def test_loopback_is_refused_without_the_operators_word(self, server, client):
        public = client.with_source(allow_private=False)
        assert_rejected(public.fetch("http://127.0.0.1/"), Reason.PRIVATE_ADDRESS)
        assert_rejected(public.fetch("http://localhost/"), Reason.PRIVATE_ADDRESS)
        assert_rejected(public.fetch(server.answer("/dam")), Reason.FORBIDDEN_PORT)
        assert server.asked == []


class TestRobots:
    def test_robots_is_asked_once_and_obeyed(self, server, client):
        server.answer("/robots.txt", b"User-agent: *\nDisallow: /private/", content_type="text/plain")
        server.answer("/private/dam")
        public = [server.answer(f"/{number}") for number in range(3)]
        results = client.fetch_all([server.url("/private/dam"), *public])
        assert [getattr(result, "reason", None) for result in results] == [Reason.ROBOTS_DISALLOWED, None, None, None]
        assert [asked.path for asked in server.asked] == ["/robots.txt", "/0", "/1", "/2"]

    @pytest.mark.parametrize(
        ("status", "is_allowed"), [("404 Not Found", True), ("403 Forbidden", True), ("500 Oops", False)]
    )
    def test_the_status_of_robots_decides(self, server, client, status, is_allowed):
        server.answer("/robots.txt", b"", status)
        result = client.fetch(server.answer("/dam"))
        if is_allowed:
            assert isinstance(result, Fetched)
        else:
            assert_rejected(result, Reason.ROBOTS_UNREACHABLE, status)

    def test_silence_about_robots_forbids(self, server, client):
        def hang(asked) -> Iterator[bytes]:
            time.sleep(1)
            yield b""

        server.route("/robots.txt", hang)
        hasty = client.within(read_seconds=0.1, attempts=1)
        assert_rejected(hasty.fetch(server.answer("/dam")), Reason.ROBOTS_UNREACHABLE)

    def test_robots_may_move(self, server, client):
        server.redirect("/robots.txt", "/moved.txt", "301 Moved")
        server.answer("/moved.txt", b"User-agent: *\nDisallow: /dam", content_type="text/plain")
        assert_rejected(client.fetch(server.answer("/dam")), Reason.ROBOTS_DISALLOWED)

    def test_only_the_beginning_of_a_giant_counts(self, server, client):
        giant = b"User-agent: *\nDisallow: /private\n" + b"# padding\n" * 100_000 + b"Disallow: /dam\n"
        server.answer("/robots.txt", giant, content_type="text/plain")
        assert isinstance(client.fetch(server.answer("/dam")), Fetched)
        assert_rejected(client.fetch(server.answer("/private")), Reason.ROBOTS_DISALLOWED)

    def test_a_redirect_is_held_against_the_robots_of_where_it_leads(self, server, client):
        server.answer("/robots.txt", b"User-agent: *\nDisallow: /private", content_type="text/plain")
        server.redirect("/dam", "/private")
        assert_rejected(client.fetch(server.url("/dam")), Reason.ROBOTS_DISALLOWED)


class TestPace:
    def test_one_request_a_host_at_a_time_and_many_hosts_side_by_side(self, server, client):
        barrier_open = []

        def slow(asked) -> Iterator[bytes]:
            barrier_open.append(asked.host)
            time.sleep(0.05)
            yield b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>"

        for number in range(4):
            server.route(f"/{number}", slow)
        hosts = [f"127.0.0.{number}" for number in range(1, 5)]
        urls = [server.url(f"/{number}", host) for host in hosts for number in range(4)]
        results = client.fetch_all(urls)
        assert {result.url for result in results} == set(urls)
        assert all(isinstance(result, Fetched) for result in results)
        assert set(server.most_open.values()) == {1}
        assert barrier_open[:4] != [hosts[0]] * 4

    def test_the_delay_lies_between_all_requests_to_a_host(self, server, client):
        urls = [server.answer(f"/{number}") for number in range(3)]
        client.with_source(delay=0.2).fetch_all(urls)
        starts = [asked.time for asked in server.asked]
        assert len(starts) == 4
        assert starts[-1] - starts[0] >= 0.5  # three delays, of which a busy server may have seen the first late

    def test_a_crawl_delay_is_kept(self, server, client):
        server.answer("/robots.txt", b"User-agent: *\nCrawl-delay: 0.3", content_type="text/plain")
        client.fetch_all([server.answer("/1"), server.answer("/2")])
        starts = [asked.time for asked in server.asked]
        assert all(later - earlier >= 0.29 for earlier, later in pairwise(starts))

    def test_a_host_that_fails_again_and_again_is_parked(self, server, client):
        urls = [server.answer(f"/{number}", b"", "500 Oops") for number in range(7)]
        results = client.within(attempts=1).fetch_all(urls)
        assert [type(result) for result in results] == [Rejection] * 5 + [Deferred] * 2
        assert "parked" in results[-1].detail
        assert len(server.paths()) == 5

    def test_a_kept_connection_that_dies_is_not_asked_again_out_of_turn(self, server, client):
        server.answer("/1")
        server.raw("/2")
        client.with_source(delay=0.3).within(attempts=2).fetch_all([server.url("/1"), server.url("/2")])
        starts = [asked.time for asked in server.asked if asked.path == "/2"]
        assert len(starts) == 2
        assert starts[1] - starts[0] > 0.2

    @pytest.mark.parametrize(("trouble", "is_ours"), [(socket.EAI_AGAIN, True), (socket.EAI_NONAME, False)])
    def test_a_trouble_of_ours_is_not_held_against_the_host(self, client, trouble, is_ours):
        async def lookup(host: str, port: int) -> list[str]:
            raise socket.gaierror(trouble, "no answer")

        leases = LeasesInMemory()
        result = replace(client, lookup=lookup, leases=leases).fetch("http://news.example/dam")
        assert_rejected(result, Reason.UNREACHABLE, "news.example")
        assert ("news.example" in leases.hosts(["news.example"])) is not is_ours

    def test_connections_are_kept_open(self, server, client):
        client.fetch_all([server.answer(f"/{number}") for number in range(5)])
        assert len({asked.connection for asked in server.asked}) == 1

    def test_a_consumer_may_stop_early(self, server, client):
        import asyncio

        urls = [server.answer(f"/{number}") for number in range(50)]

        async def first() -> str:
            async with client.fetcher() as fetcher:
                results = fetcher.fetch_all([client.request(url) for url in urls])
                result = await anext(results)
                await results.aclose()
                return result.url

        assert asyncio.run(first()) == urls[0]
        assert len(server.paths()) < 50
