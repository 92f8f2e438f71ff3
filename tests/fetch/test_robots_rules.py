"""robots.txt: what it says, and what it cannot do."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.documents import Reason
from tasks.fetch.robots import ALLOW_ALL, MOST_BYTES, Robots, robots_from_body

URL = "https://example.com"


@pytest.mark.parametrize(
    ("robots", "path", "is_allowed"),
    [
        (b"User-agent: *\nDisallow: /", "/dam", False),
        (b"User-agent: *\nDisallow:", "/dam", True),
        (b"User-agent: copydesk\nDisallow: /\nUser-agent: *\nAllow: /", "/dam", False),
        (b"User-agent: CopyDesk\nDisallow: /", "/dam", False),
        (b"User-agent: otherbot\nDisallow: /", "/dam", True),
        (b"User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        (b"User-agent: *\nDisallow: /*.pdf$", "/dam.pdf", False),
        (b"User-agent: *\nDisallow: /*.pdf$", "/dam.pdf?x", True),
        (b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /dam", "/dam", False),
        (b"User-agent: *\rDisallow: /dam", "/dam", False),
        (b"User-agent: copydesk\nUnheard-of: x\nUser-agent: *\nDisallow: /", "/dam", False),
        (b"User-agent: copydesk\nSitemap: https://example.com/s.xml\nUser-agent: b\nDisallow: /", "/dam", False),
        (b"User-agent: copydesk/2.0 (news)\nDisallow: /", "/dam", False),
        (b"User agent: *\nDissallow: /", "/dam", False),
        (b"<html><body>Not found</body></html>", "/dam", True),
        (b"", "/dam", True),
        # section 2.2.1: the group of our product token, whole, in any case; all groups of one token are one
        (b"User-agent: copy\nDisallow: /", "/dam", True),
        (b"User-agent: copydesk-news\nDisallow: /", "/dam", True),
        (b"User-agent: desk\nDisallow: /", "/dam", True),
        (b"user-AGENT:COPYdesk # ours\ndisALLOW:/", "/dam", False),
        (b"User-agent: a\nUser-agent: copydesk\nDisallow: /dam", "/dam", False),
        (b"User-agent: copydesk\nDisallow: /dam\n\nUser-agent: copydesk\nDisallow: /sea", "/dam", False),
        (b"User-agent: copydesk\nDisallow: /dam\n\nUser-agent: copydesk\nDisallow: /sea", "/sea", False),
        (b"User-agent: *\nDisallow: /\n\nUser-agent: copydesk\nDisallow: /sea", "/dam", True),
        (b"Disallow: /\nUser-agent: *\nDisallow: /sea", "/dam", True),
        # section 2.2.2: the longest rule holds, allow before disallow; paths are compared octet by octet, decoded alike
        (b"User-agent: *\nDisallow: /dam\nAllow: /dam", "/dam", True),
        (b"User-agent: *\nAllow: /dam/\nDisallow: /dam/north/", "/dam/north/lock", False),
        (b"User-agent: *\nDisallow: /Dam", "/dam", True),
        (b"User-agent: *\nDisallow: /dam", "/dams/north", False),
        (b"User-agent: *\nDisallow: /dam?page=2", "/dam?page=2&all", False),
        (b"User-agent: *\nDisallow: /d\xc3\xa4mme", "/d%C3%A4mme", False),
        (b"User-agent: *\nDisallow: /d%C3%A4mme", "/d\u00e4mme", False),
        (b"User-agent: *\nDisallow: /d%c3%a4mme", "/d%C3%A4mme", False),
        (b"User-agent: *\nDisallow: /%64am", "/dam", False),
        (b"User-agent: *\nDisallow: /dam", "/%64%61m", False),
        (b"User-agent: *\nDisallow: /dam%2Fnorth", "/dam/north", True),
        # section 2.2.3: $ is the end, * is anything, and a comment is none of our business
        (b"User-agent: *\nDisallow: /dam$", "/dam", False),
        (b"User-agent: *\nDisallow: /dam$", "/dam/north", True),
        (b"User-agent: *\nDisallow: /*/lock", "/dam/north/lock", False),
        (b"User-agent: *\nDisallow: /dam # closed", "/dam", False),
        (b"User-agent: *\nDisallow: *", "/dam", False),
        # section 2.2.4: other lines belong to no group and end none
        (b"User-agent: *\nCrawl-delay: 3\nDisallow: /dam", "/dam", False),
        (b"User-agent: *\nnonsense\nDisallow: /dam", "/dam", False),
        (b"Sitemap: /s.xml\nUser-agent: *\nHost: a\nDisallow: /dam", "/dam", False),
    ],
)
def test_rules(robots, path, is_allowed):
    assert robots_from_body(robots).allows(URL + path) is is_allowed


@pytest.mark.parametrize(
    ("value", "delay"),
    [(b"5", 5.0), (b"0.5", 0.5), (b"120", 120.0), (b"121", 0.0), (b"-1", 0.0), (b"soon", 0.0), (b"nan", 0.0)],
)
def test_a_crawl_delay_is_used_up_to_two_minutes(value, delay):
    assert robots_from_body(b"User-agent: *\nCrawl-delay: " + value).delay == delay


def test_a_rule_is_not_cut_in_half():
    body = b"User-agent: *\nDisallow: /private\n"
    body += b"#" * (MOST_BYTES - len(body) - len(b"\nDisallow: /d")) + b"\nDisallow: /dam-closed\n"
    robots = robots_from_body(body)
    assert robots.allows(URL + "/dam")
    assert not robots.allows(URL + "/private")


def test_wildcards_take_no_time():
    started = time.process_time()
    robots = robots_from_body(b"User-agent: *\nDisallow: /" + b"*a" * 500 + b"b\n")
    assert robots.allows(URL + "/" + "a" * 2000)
    assert time.process_time() - started < 5


def test_trouble_forbids_all_and_silence_allows_all():
    assert not Robots(trouble="500 Oops").allows(URL)
    assert Robots(trouble="500 Oops").reason is Reason.ROBOTS_UNREACHABLE
    assert ALLOW_ALL.allows(URL)


@given(st.binary(max_size=500))
def test_no_body_makes_it_fail(body):
    robots_from_body(b"User-agent: *\n" + body).allows(URL + "/dam")
