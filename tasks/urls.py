"""URLs as identities: one canonical spelling, and which claims of a page about itself are believed."""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache, lru_cache
from hashlib import sha256
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

LONGEST_URL = 2083  # what the longest-lived browsers and the sitemap protocol agree on

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_UNSAFE_ENDS = "".join(map(chr, range(0x21)))  # C0 controls and space: what browsers cut off at both ends
_LINE_BREAKS = str.maketrans("", "", "\t\n\r")  # and what they drop inside
_BEFORE_QUERY = re.compile(r"[^?#]*")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# An address as nearly all are written: nothing in it has to be cut off, guessed or escaped.
_PLAIN = re.compile(
    r"(https?)://([a-z0-9.-]+(?::[0-9]+)?)(/[\w.~/:@!$&*+,;=-]*)(?:\?([\w.~/:@!$&*+,;=?-]*))?", re.ASCII
)
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SESSION_IN_PATH = re.compile(r";jsessionid=[^/;?]*", re.IGNORECASE)
# What names an AMP page's twin beyond doubt. Not here, since sites differ: `/amp/` before or inside a path, a bare
# `.amp` at its end.
_AMP_CACHES = (
    re.compile(r"https?://(?:[a-z0-9-]+\.)?cdn\.ampproject\.org/[cv]/(?P<tls>s/)?(?P<rest>.+)"),
    re.compile(r"https?://www\.google\.[a-z.]{2,6}/amp/(?P<tls>s/)?(?P<rest>.+)"),
    re.compile(r"https?://www\.bing\.com/amp/(?P<tls>s/)?(?P<rest>.+)"),
)
_AMP_PARAMETERS = frozenset(
    {"amp", "amp=1", "amp=true", "amp=y", "amp=yes", "_amp=true", "hs_amp=true", "outputtype=amp", "template=ampart"}
)
_AMP_NAME = re.compile(r"[.~]amp(?P<ending>\.s?html?)|(?P<before>\.s?html?)\.amp")

_INDEX_FILE = re.compile(r"(?:index|default|home)(?:\.[a-z]{3,5})?", re.IGNORECASE)
_LANGUAGE_SEGMENT = re.compile(r"[a-z]{2}(?:[-_][a-z]{2})?", re.IGNORECASE)
_ARTICLE_QUERY = re.compile(r"(?:^|&)(?:[a-z_]*id|p|article|story|art|doc)=[\w.-]*\d", re.IGNORECASE)
_LISTING_WORDS = frozenset(
    {
        "author",
        "authors",
        "autor",
        "auteur",
        "category",
        "categoria",
        "categorie",
        "tag",
        "tags",
        "topic",
        "topics",
        "thema",
        "tema",
        "theme",
        "search",
        "page",
    }
)
_ARTICLE_WORDS = frozenset({"article", "articles", "story", "stories", "artikel", "articulo", "artigo", "articolo"})
_DAY = re.compile(r"(?:19|20)\d\d[/-]?\d\d?[/-]?\d\d?/")
_FIRST_CJK = "\u2e80"  # scripts written without spaces, where a headline is one word
_DIGITS = re.compile(r"\d{3,}")
_DATE_PART = re.compile(r"\d{1,2}|(?:19|20)\d\d(?:-?\d\d){0,2}")


class UrlTrouble(StrEnum):
    """Why a text is no usable URL. Counted and shown: add, never rename."""

    OTHER_SCHEME = "other-scheme"
    CREDENTIALS = "credentials"
    TOO_LONG = "too-long"
    ODD_ADDRESS = "odd-address"
    UNPARSABLE = "unparsable"


class BadUrl(ValueError):  # noqa: N818 - named after the situation
    """A text that is not a usable http(s) URL; `trouble` says why in a word, the message in a sentence."""

    def __init__(self, trouble: UrlTrouble, detail: str) -> None:
        super().__init__(detail)
        self.trouble = trouble


def canonical_url(url: str) -> str:
    """Return the one spelling of an http(s) URL under which a page is known; raise `BadUrl` and nothing else.

    >>> canonical_url("HTTPS://Www.Example.com:443/a/../Dam?id=7&utm_source=feed#top")
    'https://www.example.com/Dam?id=7'
    >>> canonical_url("https://www-example-com.cdn.ampproject.org/c/s/www.example.com/dam")
    'https://www.example.com/dam'
    >>> canonical_url("https://amp.example.com/news/dam-7431/amp/?amp=1")
    'https://www.example.com/news/dam-7431/'

    Query parameters keep their order, which some servers read; a second pass changes nothing.
    """
    spelled = _spell(url)
    while "amp" in spelled and (original := _amp_original(spelled)) is not None:  # each is shorter than the last
        spelled = _spell(original)
    return spelled


def fetchable_url(url: str) -> str:
    """Return a URL spelled safely with all its parameters, as a redirect gives it; raise `BadUrl` and nothing else.

    >>> fetchable_url("http://example.com/dam?utm_source=feed#top")
    'http://example.com/dam?utm_source=feed'
    """
    return _spell(url, keep_all=True)


def host_of(url: str) -> str:
    """Return the lower-case host of a URL, without brackets ("[::1]" → "::1"), or "" where it has none.

    >>> host_of("https://www.example.com/dam")
    'www.example.com'
    """
    if plain := _PLAIN.fullmatch(url):
        return plain[2].partition(":")[0]
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


@lru_cache(maxsize=65536)
def registrable_domain(host: str) -> str:
    """Return the domain that its owner registered; an address or a bare name is returned as it is.

    >>> registrable_domain("news.bbc.co.uk"), registrable_domain("127.0.0.1"), registrable_domain("localhost")
    ('bbc.co.uk', '127.0.0.1', 'localhost')
    """
    return _suffixes()(host) or host


def is_front_page(url: str) -> bool:
    """Tell whether a URL looks like a home or section page rather than an article.

    >>> is_front_page("https://example.com/world/europe/"), is_front_page("https://example.com/2024/02/26/dam-holds")
    (True, False)

    In doubt the answer is yes: an article whose canonical claim is refused keeps its own address, while a section
    believed to be an article would swallow every article that names it.
    """
    parts = urlsplit(url)
    segments = [unquote(segment) for segment in parts.path.split("/") if segment]
    if segments and _INDEX_FILE.fullmatch(segments[-1]):
        segments.pop()
    if _ARTICLE_QUERY.search(parts.query):
        return False
    if not segments or segments[0].lower() in _LISTING_WORDS or _is_paging(segments) or _is_date_archive(segments):
        return True
    below_articles = any(segment.lower() in _ARTICLE_WORDS for segment in segments[:-1])
    below_a_day = _DAY.search("/".join(segments[:-1]) + "/") is not None
    return not (below_articles or below_a_day or any(map(_names_an_article, segments)))


def is_home_page(url: str) -> bool:
    """Tell whether a URL is that of a site's home page, or of one of its languages; a section's is not.

    >>> [is_home_page(f"https://example.com{path}") for path in ("", "/index.html", "/pt-br/", "/world/", "/?p=7431")]
    [True, True, True, False, False]
    """
    parts = urlsplit(url)
    segments = [segment for segment in parts.path.split("/") if segment]
    if segments and _INDEX_FILE.fullmatch(segments[-1]):
        segments.pop()
    is_root = not segments or (len(segments) == 1 and _LANGUAGE_SEGMENT.fullmatch(segments[0]) is not None)
    return is_root and not parts.query


def believable_canonical(fetched: str | None, claimed: str) -> bool:
    """Tell whether the address that a page claims for itself may become its identity.

    The claim must be an absolute http(s) URL, not a home or section page, and on the registrable domain of the page
    that was fetched (a saved page without a URL has nothing to compare).

    >>> believable_canonical("https://m.example.com/a?id=7", "https://www.example.com/news/dam-7431")
    True
    >>> believable_canonical("https://www.example.com/news/dam-7431", "https://www.example.com/")
    False
    """
    try:
        claim = canonical_url(claimed)
        own = canonical_url(fetched) if fetched is not None else None
    except BadUrl:
        return False
    if own == claim:
        return True
    if own is not None and registrable_domain(host_of(own)) != registrable_domain(host_of(claim)):
        return False
    return not is_front_page(claim)


def article_id(key: str) -> str:
    """Return the identity of an article from its canonical URL, or from `content_id` where it has none.

    128 bits of SHA-256 as 32 hex digits: among a billion articles a collision has odds of one in 10^20.

    >>> article_id("https://www.example.com/dam")
    'a93014d72e5d8a6cd3fa4439a0468e7a'
    """
    return sha256(key.encode()).hexdigest()[:32]


def content_id(body_sha256: str) -> str:
    """Return the key of a document without a URL, from the SHA-256 of its body; it can never equal a URL.

    >>> content_id("9f86d0")
    'sha256:9f86d0'
    """
    return f"sha256:{body_sha256}"


# how a URL is spelled


def _spell(url: str, *, keep_all: bool = False) -> str:
    plain = _PLAIN.fullmatch(url)
    scheme, netloc, path, query = plain.groups("") if plain else _taken_apart(url)
    netloc = _netloc(scheme, netloc)
    if not keep_all:
        path = _SESSION_IN_PATH.sub("", path)
        query = "&".join(_meaningful(query))
    path = _without_dots(path)
    spelled = f"{scheme}://{netloc}{path}?{query}" if query else f"{scheme}://{netloc}{path}"
    if len(spelled) > LONGEST_URL:
        raise BadUrl(UrlTrouble.TOO_LONG, f"longer than {LONGEST_URL} characters: {spelled[:80]}…")
    return spelled


def _taken_apart(url: str) -> tuple[str, str, str, str]:
    """Return scheme, host with port, path and query of a URL in whatever spelling."""
    parts = _split(url)
    path, _, query = _escaped(parts.path, parts.query).partition("?")
    return parts.scheme, parts.netloc, path, query


def _split(url: str) -> SplitResult:
    text = url.strip(_UNSAFE_ENDS).translate(_LINE_BREAKS)
    if "\\" in text:
        text = _BEFORE_QUERY.sub(_forward, text, count=1)
    if len(text) > 8 * LONGEST_URL:
        raise BadUrl(UrlTrouble.TOO_LONG, f"longer than {LONGEST_URL} characters: {text[:80]}…")
    try:
        text.encode()
        parts = urlsplit(text)
    except ValueError as error:
        raise BadUrl(UrlTrouble.UNPARSABLE, f"{text[:200]!r} is not a URL: {error}") from error
    if parts.scheme not in _DEFAULT_PORTS:
        trouble = UrlTrouble.OTHER_SCHEME if parts.scheme else UrlTrouble.UNPARSABLE
        raise BadUrl(trouble, f"{text[:200]!r} does not begin with http:// or https://")
    if "@" in parts.netloc:
        raise BadUrl(
            UrlTrouble.CREDENTIALS, f"{parts.scheme}://…@{parts.netloc.rpartition('@')[2]} carries credentials"
        )
    return parts


def _forward(match: re.Match[str]) -> str:
    return match[0].replace("\\", "/")  # as browsers read them


@lru_cache(maxsize=65536)
def _netloc(scheme: str, written: str) -> str:
    try:
        parts = urlsplit(f"//{written}")
        name, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadUrl(UrlTrouble.UNPARSABLE, f"{written!r} has no usable port: {error}") from error
    host = _ipv6(name) if ":" in name or written.startswith("[") else _host(name)
    if port == 0:
        raise BadUrl(UrlTrouble.UNPARSABLE, f"{written!r} names port 0")
    return host if port in {None, _DEFAULT_PORTS[scheme]} else f"{host}:{port}"


def _ipv6(name: str) -> str:
    try:
        address = IPv6Address(name)
    except AddressValueError as error:
        raise BadUrl(UrlTrouble.ODD_ADDRESS, f"[{name}] is not an IPv6 address") from error
    if address.scope_id is not None:
        raise BadUrl(UrlTrouble.ODD_ADDRESS, f"[{name}] names a network interface")
    return f"[{address.compressed}]"


def _host(name: str) -> str:
    """Return a host name in ASCII; addresses must be written as four plain decimal numbers."""
    ascii_name = _idna(unquote(name)).removesuffix(".")
    labels = ascii_name.split(".")
    if len(ascii_name) > 253 or not all(map(_HOST_LABEL.fullmatch, labels)):
        raise BadUrl(UrlTrouble.UNPARSABLE, f"{name[:200]!r} is not a host name")
    if labels[-1].isdigit() or re.fullmatch(r"0x[0-9a-f]*", labels[-1]):
        try:
            return str(IPv4Address(ascii_name))
        except AddressValueError as error:
            raise BadUrl(UrlTrouble.ODD_ADDRESS, f"{name[:200]!r} is an address in an odd spelling") from error
    return ascii_name


def _idna(name: str) -> str:
    if name.isascii():
        return name.lower()
    import idna

    try:
        return idna.encode(name, uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise BadUrl(UrlTrouble.UNPARSABLE, f"{name[:200]!r} is not a host name: {error}") from error


def _escaped(path: str, query: str) -> str:
    """Return path and query with everything unsafe escaped, and each escape written in one way."""
    from w3lib.url import safe_url_string

    text = _BARE_PERCENT.sub("%25", path or "/") + "?" + _BARE_PERCENT.sub("%25", query)
    safe = safe_url_string("http://h" + (text if text.startswith("/") else "/" + text)).removeprefix("http://h")
    return _ESCAPE.sub(_one_escape, safe)


def _one_escape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _without_dots(path: str) -> str:
    """Return the path with "." and ".." segments resolved (RFC 3986, section 5.2.4).

    >>> _without_dots("/a/./b/../../c/..")
    '/'
    """
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _meaningful(query: str) -> Iterator[str]:
    """Yield the parameters of a query that choose the page, in their order."""
    names, prefixes = _tracking()
    for parameter in query.split("&"):
        name = parameter.partition("=")[0].lower()
        if (
            parameter
            and name not in names
            and not name.startswith(prefixes)
            and parameter.lower() not in _AMP_PARAMETERS
        ):
            yield parameter


@cache
def _tracking() -> tuple[frozenset[str], tuple[str, ...]]:
    lines = Path(__file__).with_name("tracking_parameters.txt").read_text("utf-8").splitlines()
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    prefixes = tuple(name.removesuffix("*") for name in names if name.endswith("*"))
    return frozenset(name for name in names if not name.endswith("*")), prefixes


def _amp_original(url: str) -> str | None:
    """Return the address that an AMP cache holds a copy of, or that a publisher's AMP page is the twin of."""
    for pattern in _AMP_CACHES:
        if match := pattern.fullmatch(url):
            return ("https://" if match["tls"] else "http://") + match["rest"]
    parts = urlsplit(url)
    twin = parts._replace(netloc=_host_of_twin(parts), path=_path_of_twin(parts))
    return None if twin == parts else urlunsplit(twin)


def _path_of_twin(parts: SplitResult) -> str:
    """Return the path of an AMP page's twin: without `/amp` below an article, or `.amp` in the name of a file.

    >>> _path_of_twin(urlsplit("https://example.com/news/dam-7431/amp/")), _path_of_twin(urlsplit("/topics/amp/"))
    ('/news/dam-7431/', '/topics/amp/')
    >>> _path_of_twin(urlsplit("/news/dam-7431.amp.html")), _path_of_twin(urlsplit("/gear/a-new-amp.html"))
    ('/news/dam-7431.html', '/gear/a-new-amp.html')
    """
    folder, _, name = parts.path.removesuffix("/").rpartition("/")
    if name == "amp" and not is_front_page(f"{parts.scheme}://{parts.netloc}{folder}"):
        return folder + "/" * parts.path.endswith("/")
    return f"{folder}/{_AMP_NAME.sub(_without_amp, name)}" if _AMP_NAME.search(name) else parts.path


def _without_amp(match: re.Match[str]) -> str:
    return match["ending"] or match["before"]


def _host_of_twin(parts: SplitResult) -> str:
    """Return the host of an AMP page's twin: `www.` for `amp.` before a site's name, else what follows `amp.`.

    >>> [_host_of_twin(urlsplit(f"//{host}/")) for host in ("amp.example.com", "amp.sport.example.com", "amp.dev")]
    ['www.example.com', 'sport.example.com', 'amp.dev']
    """
    host = parts.hostname or ""
    if not host.startswith("amp."):
        return parts.netloc
    site = registrable_domain(host)
    # amp.cnn.com/cnn/2024/… has a folder that the twin may have, or not
    if site == host or parts.path.startswith(f"/{site.partition('.')[0]}/"):
        return parts.netloc
    return ("www." if host == f"amp.{site}" else "") + parts.netloc.removeprefix("amp.")


@cache
def _suffixes() -> "_Suffixes":
    return _Suffixes()


class _Suffixes:
    """The public suffix list as shipped with tldextract: nothing is fetched, nothing is cached on disk."""

    def __init__(self) -> None:
        from tldextract import TLDExtract

        self._extract = TLDExtract(cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True)

    def __call__(self, host: str) -> str:
        return self._extract.extract_str(host).top_domain_under_public_suffix


# what a URL's path says


def _names_an_article(segment: str) -> bool:
    """Tell whether one segment of a path is a slug or a number that a newsroom gives to one story."""
    stem = segment.rsplit(".", 1)[0]
    words = [word for word in re.split(r"[-_]", stem) if word]
    without_spaces = sum(character >= _FIRST_CJK for character in stem)
    return len(words) >= 4 or bool(_DIGITS.search(stem)) or without_spaces >= 6


def _is_date_archive(segments: list[str]) -> bool:
    return bool(_DATE_PART.fullmatch(segments[-1])) and segments[0].lower() not in _ARTICLE_WORDS


def _is_paging(segments: list[str]) -> bool:
    return len(segments) >= 2 and segments[-2].lower() == "page" and segments[-1].isdigit()
