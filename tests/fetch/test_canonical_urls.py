"""URLs as identities."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.urls import (
    BadUrl,
    UrlTrouble,
    article_id,
    believable_canonical,
    canonical_url,
    content_id,
    fetchable_url,
    host_of,
    is_front_page,
    is_home_page,
    registrable_domain,
)

# Pieces in which URLs differ between parsers, after the ideas of the WHATWG URL tests.
PIECES = [
    *(
        "http://",
        "https://",
        "HTTP:",
        "//",
        "/",
        "\\",
        ":",
        ":80",
        ":443",
        ":0",
        ":65536",
        "@",
        "user:pw@",
        "?",
        "#",
        "&",
    ),
    *(
        "example.com",
        "EXAMPLE.com.",
        "bücher.example",
        "xn--bcher-kva.example",
        "127.1",
        "0x7f.1",
        "2130706433",
        "[::1]",
    ),
    *(
        "[::ffff:1.2.3.4]",
        "[fe80::1%25eth0]",
        "%",
        "%2",
        "%2e",
        "%2E%2e",
        "%41",
        "%zz",
        "%00",
        "..",
        ".",
        ";jsessionid=1",
    ),
    *("amp.", "/amp", "/amp/", ".amp", "~amp", ".html", "dam-7431", "amp", "cdn.ampproject.org/v/"),
    *("utm_source=x", "a=1", "a=", "=1", "amp=1", " ", "\t", "\n", "\x00", "\ud800", "\N{SNOWMAN}", "\N{SOFT HYPHEN}"),
    *("www.google.com/amp/s/", "a-b.cdn.ampproject.org/c/s/", "Ａ", "ß", "|", "^", "{", "'", '"', "<", "+"),
]
urls = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: "https://example.com/" + "".join(pieces)),
)


@given(urls)
@example("https://example.com/%%34%31")
@example("https://example.com/a;jsessionid=1/.;jsessionid=2")
@example("https://www.google.com/amp/s/www.google.com/amp/s/example.com/dam")
def test_a_second_pass_changes_nothing_and_nothing_else_is_raised(url):
    for spell in (canonical_url, fetchable_url):
        try:
            spelled = spell(url)
        except BadUrl:
            continue
        assert spell(spelled) == spelled
        assert spelled.isascii()
        assert spelled.startswith(("http://", "https://"))
        is_front_page(spelled)
        is_home_page(spelled)


plain_urls = st.from_regex(
    r"https?://[a-z0-9.-]{1,12}(:[0-9]{1,5})?/[\w.~/:@!$&*+,;=-]{0,20}(\?[\w.~/:@!$&*+,;=?-]{0,20})?\Z",
    alphabet=st.characters(codec="ascii"),
)


@given(plain_urls)
@example("http://a/.?a")
@example("https://a:00443/a//b;jsessionid=1?")
@example("http://127.1/")
def test_plain_urls_are_spelled_as_any_other(url):
    """A fragment is dropped, and only what has none is known to be plain."""
    for spell in (canonical_url, fetchable_url, host_of):
        assert _spelled(spell, url) == _spelled(spell, url + "#top")


def _spelled(spell, url):
    try:
        return spell(url)
    except BadUrl as error:
        return error.trouble


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTPS://WWW.Example.COM:443", "https://www.example.com/"),
        ("http://example.com:80/Dam", "http://example.com/Dam"),
        ("http://example.com:8080/dam", "http://example.com:8080/dam"),
        ("https://example.com./dam", "https://example.com/dam"),
        ("https://example.com/dam#comments", "https://example.com/dam"),
        ("  https://exa\nmple.com/dam\t", "https://example.com/dam"),
        ("https:\\\\example.com\\dam", "https://example.com/dam"),
        ("https://bücher.example/käse", "https://xn--bcher-kva.example/k%C3%A4se"),
        ("https://example.com/%7euser/%c3%a9%2f", "https://example.com/~user/%C3%A9%2F"),
        ("https://example.com/a/./b/../c/", "https://example.com/a/c/"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://example.com/dam?utm_source=x&id=7&UTM_medium=y&fbclid=z", "https://example.com/dam?id=7"),
        ("https://example.com/dam?gclid=1", "https://example.com/dam"),
        ("https://example.com/?z=1&a=2&z=0", "https://example.com/?z=1&a=2&z=0"),
        ("https://example.com/dam;jsessionid=A1B2?id=7", "https://example.com/dam?id=7"),
        ("https://example.com/dam?amp=1", "https://example.com/dam"),
        ("https://example.com/dam?outputType=amp&id=7", "https://example.com/dam?id=7"),
        ("https://example.com/topics/amp/", "https://example.com/topics/amp/"),
        ("https://example-com.cdn.ampproject.org/v/s/example.com/dam?amp=1", "https://example.com/dam"),
        ("https://cdn.ampproject.org/c/s/example.com/dam", "https://example.com/dam"),
        ("https://www.google.co.uk/amp/s/example.com/dam", "https://example.com/dam"),
        ("https://www.google.co.uk/amp/s/amp.example.com/2024/02/26/dam/amp", "https://www.example.com/2024/02/26/dam"),
        ("https://example.com/news/dam-7431/amp", "https://example.com/news/dam-7431"),
        ("https://example.com/news/dam-7431/amp/?amp", "https://example.com/news/dam-7431/"),
        ("https://example.com/news/dam-7431.amp.html?outputType=amp", "https://example.com/news/dam-7431.html"),
        ("https://example.com/news/dam-7431.html.amp", "https://example.com/news/dam-7431.html"),
        ("https://example.com/news/dam-100~amp.html", "https://example.com/news/dam-100.html"),
        ("https://amp.example.co.uk:8443/dam-7431", "https://www.example.co.uk:8443/dam-7431"),
        ("https://amp.sport.example.com/dam-7431", "https://sport.example.com/dam-7431"),
        ("http://[0:0::1]:80/dam", "http://[::1]/dam"),
    ],
)
def test_canonical_spelling(url, canonical):
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/amp",
        "https://example.com/music/amp/",
        "https://example.com/amp/the-best-amp-for-a-small-room",
        "https://example.com/reviews/the-best-new-guitar-amp",
        "https://example.com/reviews/a-loud-new-amp.html",
        "https://example.com/news/camp-7431/camp",
        "https://example.com/dam-7431?amplifier=1&tramp=1&amp=2",
        "https://amplified.example.com/dam-7431",
        "https://amp.dev/dam-7431",
        "https://amp.com.au/dam-7431",
        "https://amp.example.com/example/dam-7431",
        "https://example.com/news/dam-7431.amp",
    ],
)
def test_what_merely_contains_amp_is_no_twin(url):
    assert canonical_url(url) == url


@pytest.mark.parametrize(
    ("url", "trouble"),
    [
        ("ftp://example.com/", UrlTrouble.OTHER_SCHEME),
        ("javascript:alert(1)", UrlTrouble.OTHER_SCHEME),
        ("example.com/dam", UrlTrouble.UNPARSABLE),
        ("", UrlTrouble.UNPARSABLE),
        ("https:///dam", UrlTrouble.UNPARSABLE),
        ("https://a..b/", UrlTrouble.UNPARSABLE),
        ("https://example.com:99999/", UrlTrouble.UNPARSABLE),
        ("https://exa mple.com/", UrlTrouble.UNPARSABLE),
        ("https://user@example.com/", UrlTrouble.CREDENTIALS),
        ("http://0x7f000001/", UrlTrouble.ODD_ADDRESS),
        ("http://2130706433/", UrlTrouble.ODD_ADDRESS),
        ("http://127.1/", UrlTrouble.ODD_ADDRESS),
        ("http://017700000001/", UrlTrouble.ODD_ADDRESS),
        ("http://[fe80::1%25eth0]/", UrlTrouble.ODD_ADDRESS),
        ("https://example.com/" + "x" * 2083, UrlTrouble.TOO_LONG),
    ],
)
def test_what_is_no_usable_url_says_why(url, trouble):
    with pytest.raises(BadUrl) as caught:
        canonical_url(url)
    assert caught.value.trouble is trouble


def test_a_password_is_not_repeated():
    with pytest.raises(BadUrl) as caught:
        canonical_url("https://user:secret@example.com/")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://example.com/index.html",
        "https://example.com/world/",
        "https://example.com/arts-and-culture/",
        "https://example.com/2024/02/",
        "https://example.com/archive/2024-02-26/",
        "https://example.com/tag/dams-rivers-floods-and-rain",
        "https://example.com/news/page/7",
        "https://example.com/?lang=en",
    ],
)
def test_front_pages(url):
    assert is_front_page(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/world/the-dam-holds-through-the-night",
        "https://example.com/news/dam-7431",
        "https://example.com/2024/02/26/dam",
        "https://example.com/article/7",
        "https://example.com/?p=7431",
        "https://example.com/nachrichten/%E6%B0%B4%E5%9D%9D%E5%BD%BB%E5%A4%9C%E5%AE%88%E4%BD%8F",
    ],
)
def test_articles(url):
    assert not is_front_page(url)


@pytest.mark.parametrize("path", ["", "/", "/index.php", "/de/", "/en-GB", "/pt_br/index.html"])
def test_home_pages(path):
    assert is_home_page(f"https://example.com{path}")


@pytest.mark.parametrize("path", ["/world/", "/?p=7431", "/2024", "/dam", "/de/dam-7431", "/index.html?id=7"])
def test_what_is_no_home_page(path):
    assert not is_home_page(f"https://example.com{path}")


FETCHED = "https://m.example.co.uk/world/dam-7431?from=home"


@pytest.mark.parametrize(
    ("fetched", "claimed", "is_believed"),
    [
        (FETCHED, "https://www.example.co.uk/world/dam-7431", True),
        (FETCHED, "https://www.example.co.uk/", False),
        (FETCHED, "https://www.example.co.uk/world/", False),
        (FETCHED, "https://www.other.co.uk/world/dam-7431", False),
        (FETCHED, "/world/dam-7431", False),
        (FETCHED, "javascript:void(0)", False),
        (FETCHED, FETCHED, True),
        ("https://example.com/", "https://example.com/", True),
        ("https://one.blogspot.com/dam-7431", "https://two.blogspot.com/dam-7431", False),
        (None, "https://www.example.co.uk/world/dam-7431", True),
        (None, "https://www.example.co.uk/", False),
        (None, "world/dam-7431", False),
    ],
)
def test_which_canonical_is_believed(fetched, claimed, is_believed):
    assert believable_canonical(fetched, claimed) is is_believed


@pytest.mark.parametrize(
    ("host", "domain"),
    [("a.b.example.co.uk", "example.co.uk"), ("localhost", "localhost"), ("10.0.0.1", "10.0.0.1"), ("::1", "::1")],
)
def test_registrable_domain(host, domain):
    assert registrable_domain(host) == domain


def test_identities_are_short_stable_and_apart():
    ids = {article_id(key) for key in ("https://example.com/a", "https://example.com/b", content_id("0" * 64))}
    assert len(ids) == 3
    assert all(len(identity) == 32 and set(identity) <= set("0123456789abcdef") for identity in ids)
