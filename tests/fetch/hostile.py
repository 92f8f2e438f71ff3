"""A hostile server: every way to answer that we know of, and what a good client makes of it.

Each endpoint is a line: its path, how it answers, and the outcome that is right.
"""

import gzip
import zlib
from dataclasses import dataclass
from typing import Final

from tasks.documents import Reason
from tasks.fetch.results import Validator, Wanted
from tests.fetch.hostile_answers import (
    BOMBS,
    PAGE,
    SHORTER,
    START,
    STORY,
    Reply,
    answer,
    bomb,
    broken_off,
    dripping,
    encoded,
    endless,
    first,
    in_turn,
    late,
    page,
    redirect,
    reset,
    retry_in,
    said,
    silence,
    status,
    unless,
)

RULES: Final = page(b"User-agent: *\nDisallow: /private/\nAllow: /private/open\nCrawl-delay: 0.1", "text/plain")


@dataclass(frozen=True, kw_only=True)
class Right:
    """The right outcome. Without a reason the page is fetched; `desk` is what the desk then says of it.

    `asks` is how often the endpoint may be asked, `lands` the path after redirects, `reads` what the page says.
    """

    reason: Reason | None = None
    says: str = ""
    is_deferred: bool = False
    is_unchanged: bool = False
    desk: Reason | None = None
    asks: int = 1
    lands: str | None = None
    reads: str = ""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A way to answer. `is_slow` asks it with little patience; `robots` is how its host answers for robots.txt.

    An endpoint with `elsewhere` is asked for at that address instead of its own.
    """

    path: str
    reply: Reply
    right: Right
    robots: Reply = RULES
    is_slow: bool = False
    wanted: Wanted = Wanted.PAGE
    validator: Validator | None = None
    elsewhere: str | None = None


def refused(reason: Reason, says: str = "", **more: int) -> Right:
    """What is right where a page is not to be had."""
    return Right(reason=reason, says=says, **more)  # type: ignore[arg-type]


HAD = Right()
LOST = refused(Reason.INCOMPLETE, asks=3)  # asked for again, and given up
NOT_HTTP = refused(Reason.HTTP_ERROR, "not HTTP as it should be")
LATE = refused(Reason.TIMEOUT, asks=3)
BIG = refused(Reason.TOO_LARGE)
CIRCLE = refused(Reason.TOO_MANY_REDIRECTS, "in a circle")
BUSY = status("503 Busy")


def _each(endpoints: dict[str, tuple[Reply, Right]], **more: object) -> list[Endpoint]:
    return [Endpoint(path=path, reply=reply, right=right, **more) for path, (reply, right) in endpoints.items()]  # type: ignore[arg-type]


GOOD = _each(
    {
        "/good/page": (page(), Right(reads=STORY)),
        "/good/with?query=1&empty=": (page(), HAD),
        "/good/chunks": (said(START, b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\n<p>t\r\n", b"0\r\n\r\n"), HAD),
        "/good/until-it-closes": (broken_off(b"\r\n", PAGE), HAD),
        "/good/a-hundred-hints": (said(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100, *answer()), HAD),
        "/good/for-those-who-say-who-they-are": (
            unless("user-agent", lambda agent: "copydesk/" in agent and "(+http" in agent, status("403 Who?"), page()),
            HAD,
        ),
        **{f"/good/{name}": (encoded(encode, name), Right(reads=STORY)) for name, encode in BOMBS.items()},
        "/good/raw-deflate": (encoded(lambda body: zlib.compress(body)[2:-4], "deflate"), Right(reads=STORY)),
        "/good/two-members": (encoded(lambda body: gzip.compress(body[:99]) + gzip.compress(body[99:]), "gzip"), HAD),
    }
)
LISTINGS = _each(
    {
        "/listing/feed.rss": (page(b"<rss version='2.0'><channel/></rss>", "application/rss+xml"), HAD),
        "/listing/sitemap.xml.gz": (page(gzip.compress(b"<urlset/>"), "application/x-gzip"), HAD),
        "/listing/maintenance": (page(b"<html>Back soon</html>", "application/rss+xml"), HAD),
        "/listing/too-large": (page(b"x" * 600_000, "application/xml"), BIG),
        "/listing/gone": (status("410 Gone"), refused(Reason.GONE)),
    },
    wanted=Wanted.LISTING,
)
TIME = _each(
    {
        "/time/silence": (silence, LATE),
        "/time/dripping-body": (
            dripping(START + b"Content-Length: 99999\r\n\r\n", b"a"),
            refused(Reason.TIMEOUT, asks=1),
        ),
        "/time/dripping-chunks": (
            dripping(START + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
            refused(Reason.TIMEOUT, asks=1),
        ),
        "/time/dripping-head": (dripping(b"HTTP/1.1 200 OK\r\n", b"X-More: y\r\n"), refused(Reason.TIMEOUT, asks=1)),
        "/time/silent-once": (first(1, silence, page()), Right(asks=2)),
    },
    is_slow=True,
) + _each({"/time/late": (late(0.3), HAD)})
SIZE = _each(
    {
        "/size/endless": (endless(START + b"\r\n", b"<p>more</p>" * 1000), refused(Reason.TOO_LARGE, "on the wire")),
        "/size/endless-chunks": (
            endless(START + b"Transfer-Encoding: chunked\r\n\r\n", b"2000\r\n" + b"x" * 8192 + b"\r\n"),
            refused(Reason.TOO_LARGE, "on the wire"),
        ),
        "/size/announced": (
            said(START, b"Content-Length: 99999999999\r\n\r\n"),
            refused(Reason.TOO_LARGE, "announced"),
        ),
        "/size/many-headers": (said(START, b"X-More: y\r\n" * 5000, b"Content-Length: 0\r\n\r\n"), NOT_HTTP),
        "/size/long-header": (said(START, b"X-More: ", b"y" * 500_000, b"\r\n\r\n"), NOT_HTTP),
        "/size/cookies": (
            page(PAGE, "text/html", *(f"Set-Cookie: c{number}={'v' * 1000}" for number in range(100))),
            refused(Reason.TOO_LARGE, "of headers"),
        ),
        **{
            f"/size/bomb-{name}": (bomb(encode, name), refused(Reason.TOO_LARGE, "decoded"))
            for name, encode in BOMBS.items()
        },
        "/size/bomb-in-a-bomb": (
            bomb(lambda body: gzip.compress(gzip.compress(body)), "gzip, gzip"),
            refused(Reason.BAD_CONTENT_ENCODING),
        ),
        "/size/thousand-encodings": (
            encoded(gzip.compress, ", ".join(["gzip"] * 1000)),
            refused(Reason.BAD_CONTENT_ENCODING),
        ),
    }
)
# Where no redirect and no stub may lead, and what is said of it.
FORBIDDEN: Final = {
    "http://169.254.169.254/latest/meta-data/": Reason.PRIVATE_ADDRESS,
    "HTTP://169.254.169.254/": Reason.PRIVATE_ADDRESS,
    "//169.254.169.254/": Reason.PRIVATE_ADDRESS,
    "http://10.0.0.1/": Reason.PRIVATE_ADDRESS,
    "http://192.168.0.1/": Reason.PRIVATE_ADDRESS,
    "http://100.64.0.1/": Reason.PRIVATE_ADDRESS,
    "http://127.0.0.77/": Reason.PRIVATE_ADDRESS,
    "http://0.0.0.0/": Reason.PRIVATE_ADDRESS,
    "http://localhost/": Reason.PRIVATE_ADDRESS,
    "http://localhost./": Reason.PRIVATE_ADDRESS,
    "http://rebinding.example/": Reason.PRIVATE_ADDRESS,
    "http://[::1]/": Reason.PRIVATE_ADDRESS,
    "http://[::ffff:169.254.169.254]/": Reason.PRIVATE_ADDRESS,
    "http://[::127.0.0.1]/": Reason.PRIVATE_ADDRESS,
    "http://[64:ff9b::a9fe:a9fe]/": Reason.PRIVATE_ADDRESS,
    "http://[64:ff9b:1::7f00:1]/": Reason.PRIVATE_ADDRESS,
    "http://[2002:7f00:1::]/": Reason.PRIVATE_ADDRESS,
    "http://[fe80::1]/": Reason.PRIVATE_ADDRESS,
    "http://[fd00::1]/": Reason.PRIVATE_ADDRESS,
    "http://2130706433/": Reason.PRIVATE_ADDRESS,
    "http://0x7f000001/": Reason.PRIVATE_ADDRESS,
    "http://0177.0.0.1/": Reason.PRIVATE_ADDRESS,
    "http://127.1/": Reason.PRIVATE_ADDRESS,
    "http://rebinding.example:8080/": Reason.FORBIDDEN_PORT,
    "http://localhost:22/": Reason.FORBIDDEN_PORT,
    "https://news.example:6379/": Reason.FORBIDDEN_PORT,
    "file:///etc/passwd": Reason.BAD_URL,
    "ftp://127.0.0.1/x": Reason.BAD_URL,
    "gopher://127.0.0.1:6379/_INFO": Reason.BAD_URL,
    "data:text/html,<h1>x</h1>": Reason.BAD_URL,
    "javascript:alert(1)": Reason.BAD_URL,
    "http://editor:secret@news.example/": Reason.BAD_URL,
    "http://[bad/": Reason.BAD_URL,
}
REDIRECTS = _each(
    {
        "/redirect/moved": (redirect("/good/page", "301 Moved"), Right(lands="/good/page")),
        "/redirect/see-other": (redirect("/good/page", "303 See Other"), Right(lands="/good/page")),
        "/redirect/temporary": (redirect("/good/page", "307 Temporary"), Right(lands="/good/page")),
        "/redirect/permanent": (redirect("../good/page#part", "308 Permanent"), Right(lands="/good/page")),
        "/redirect/line-breaks": (
            redirect("/good/page?%0d%0aX-Injected:%201"),
            Right(lands="/good/page?%0D%0AX-Injected:%201"),
        ),
        "/redirect/to-itself": (redirect("/redirect/to-itself"), refused(Reason.TOO_MANY_REDIRECTS, "in a circle")),
        "/redirect/there": (redirect("/redirect/back"), CIRCLE),
        "/redirect/chain-0": (redirect("/redirect/chain-1"), refused(Reason.TOO_MANY_REDIRECTS, "more than 10")),
        "/redirect/nowhere": (status("302 Found"), refused(Reason.HTTP_ERROR, "0 usable Location")),
        "/redirect/empty": (redirect(""), refused(Reason.HTTP_ERROR, "0 usable Location")),
        "/redirect/two-ways": (redirect("/good/page", "302 Found", "Location: /other"), refused(Reason.HTTP_ERROR)),
        "/redirect/into-private": (redirect("/private/story"), refused(Reason.ROBOTS_DISALLOWED)),
        "/redirect/cookie-wall": (
            unless(
                "cookie",
                lambda sent: sent == "seen=1",
                redirect("/redirect/cookie-wall", "302 Found", "Set-Cookie: seen=1; Path=/"),
                page(),
            ),
            Right(asks=2),
        ),
        "/redirect/stub": (
            page(b"<meta http-equiv=refresh content='0; url=/good/page'>"),
            Right(lands="/good/page"),
        ),
        "/redirect/stub-to-stub": (
            page(b"<meta http-equiv=refresh content='0; url=/redirect/stub-to-stub?again'>"),
            Right(lands="/redirect/stub-to-stub?again", desk=Reason.EMPTY),
        ),
        **{
            f"/redirect/out-{number}": (redirect(to), refused(reason))
            for number, (to, reason) in enumerate(FORBIDDEN.items())
        },
        **{
            f"/redirect/stub-out-{number}": (
                page(f"<meta http-equiv='refresh' content='0;url={to}'>".encode()),
                refused(reason),
            )
            for number, (to, reason) in enumerate(FORBIDDEN.items())
        },
    }
)
# Where redirects and stubs pass on their way.
STEPS: Final = {
    **{f"/redirect/chain-{step}": redirect(f"/redirect/chain-{step + 1}") for step in range(1, 40)},
    "/redirect/back": redirect("/redirect/there"),
    "/redirect/stub-to-stub?again": page(b"<meta http-equiv=refresh content='0; url=/trap'>"),
    "/good/page?%0D%0AX-Injected:%201": page(),
}
STATUSES = _each(
    {
        **{
            f"/status/{line[:3]}": (status(line), refused(Reason.HTTP_ERROR, line))
            for line in ("204 No Content", "400 Bad", "401 Who?", "403 No", "418 Teapot", "451 Law", "501 No", "999 No")
        },
        **{
            f"/status/{line[:3]}": (status(line), refused(Reason.HTTP_ERROR, line, asks=3))
            for line in ("408 Slow", "425 Early", "429 Slow Down", "500 Oops", "502 Bad", "503 Busy", "504 Slow")
        },
        "/status/404": (status("404 Not Found"), refused(Reason.NOT_FOUND)),
        "/status/410": (status("410 Gone"), refused(Reason.GONE)),
        "/status/busy-twice": (first(2, BUSY, page()), Right(asks=3)),
        "/status/back-in-a-second": (first(1, status("429 Slow Down", "Retry-After: 1"), page()), Right(asks=2)),
        "/status/back-at": (first(1, retry_in(1.5), page()), Right(asks=2)),
        "/status/nonsense": (
            in_turn(*(status("429 Slow Down", f"Retry-After: {when}") for when in ("soon", "-5", "9" * 20))),
            refused(Reason.HTTP_ERROR, "429", asks=3),
        ),
        "/status/401-basic": (status("401 Who?", "WWW-Authenticate: Basic realm=x"), refused(Reason.HTTP_ERROR)),
    }
)
TOMORROW = _each(
    {
        "/tomorrow/seconds": (status("429 Slow Down", "Retry-After: 86400"), Right(is_deferred=True, says="429")),
        "/tomorrow/date": (retry_in(86400), Right(is_deferred=True, says="429")),
        "/tomorrow/busy": (status("503 Busy", "Retry-After: 3600"), Right(is_deferred=True, says="503")),
    }
)
V1 = Validator(etag='"v1"')
MONDAY = Validator(last_modified="Mon, 26 Feb 2024 08:00:00 GMT")
CACHES = [
    Endpoint(
        path="/cache/etag",
        reply=unless("if-none-match", lambda etag: etag == '"v1"', page(), status("304 Not Modified")),
        right=Right(is_unchanged=True),
        validator=V1,
    ),
    Endpoint(
        path="/cache/date",
        reply=unless(
            "if-modified-since", lambda date: date == MONDAY.last_modified, page(), status("304 Not Modified")
        ),
        right=Right(is_unchanged=True),
        validator=MONDAY,
    ),
    Endpoint(path="/cache/changed", reply=page(), right=HAD, validator=V1),
    Endpoint(path="/cache/lie", reply=status("304 Not Modified"), right=refused(Reason.HTTP_ERROR, "304")),
]
BROKEN = _each(
    {
        "/broken/short": (broken_off(b"Content-Length: 9999\r\n\r\n", SHORTER), LOST),
        "/broken/chunk-cut": (broken_off(b"Transfer-Encoding: chunked\r\n\r\n9\r\n<p>H\r\n"), LOST),
        "/broken/reset-within": (reset(START, b"Content-Length: 9999\r\n\r\n", SHORTER), LOST),
        "/broken/reset-at-once": (reset(), refused(Reason.UNREACHABLE, asks=3)),
        "/broken/reset-once": (first(1, reset(), page()), Right(asks=2)),
        "/broken/close-at-once": (said(), refused(Reason.UNREACHABLE, asks=3)),
        **{
            f"/broken/cut-{name}": (encoded(lambda body, encode=encode: encode(body)[:-20], name), LOST)  # type: ignore[misc]
            for name, encode in BOMBS.items()
        },
        "/broken/checksum": (encoded(lambda body: gzip.compress(body)[:-8] + bytes(8), "gzip"), LOST),
        "/broken/chunk-size": (said(START, b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n"), NOT_HTTP),
        "/broken/two-lengths": (said(START, b"Content-Length: 5\r\nContent-Length: 9\r\n\r\n<p>helloo"), NOT_HTTP),
        "/broken/no-http": (said(b"HELLO WORLD\r\n\r\n<p>"), NOT_HTTP),
        "/broken/http-0.9": (said(PAGE), NOT_HTTP),
        "/broken/nul": (said(START, b"X-A: a\0b\r\nContent-Length: 0\r\n\r\n"), NOT_HTTP),
        "/broken/latin-1-header": (
            said(START, b"X-T: caf\xe9 \xff\r\nContent-Length: 5\r\n\r\n<p>ok"),
            HAD,
        ),
        "/broken/encoding-unknown": (encoded(bytes, "x-rot13"), refused(Reason.BAD_CONTENT_ENCODING)),
        **{
            f"/broken/not-{name}": (encoded(bytes, name), refused(Reason.BAD_CONTENT_ENCODING))
            for name in ("gzip", "deflate", "br", "zstd")
        },
    }
)
TYPES = _each(
    {
        "/type/pdf-as-html": (page(b"%PDF-1.7 \xe2\xe3"), refused(Reason.NOT_HTML)),
        "/type/image": (page(b"\x89PNG\r\n", "image/png"), refused(Reason.NOT_HTML)),
        "/type/json": (page(b"{}", "application/json"), refused(Reason.NOT_HTML)),
        "/type/text": (page(b"plain words", "text/plain"), refused(Reason.NOT_HTML)),
        "/type/endless-video": (
            endless(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n", bytes(9999)),
            refused(Reason.NOT_HTML),
        ),
        "/type/events": (
            dripping(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", b"data: x\n\n"),
            refused(Reason.NOT_HTML),
        ),
        "/type/html-as-bytes": (page(PAGE, "application/octet-stream"), Right(reads=STORY)),
        "/type/none": (page(PAGE, None), Right(reads=STORY)),
    }
)
WORDS = "Der Fluß führt Hochwasser, und die Brücke bleibt für den Verkehr gesperrt, teilte die Behörde mit. " * 3
CHARSETS = _each(
    {
        "/charset/latin-1-called-utf-8": (
            page(f"<p>{WORDS}".encode("latin-1"), "text/html; charset=utf-8"),
            Right(reads="Der Fluß führt"),
        ),
        "/charset/utf-8-called-latin-1": (
            page(f"<meta charset=utf-8><p>{WORDS}".encode(), "text/html; charset=iso-8859-1"),
            Right(reads="Der Fluß führt"),
        ),
        "/charset/gb18030": (
            page("<p>港口关闭".encode("gb18030"), "text/html; charset=gb18030"),
            Right(reads="港口关闭"),
        ),
        "/charset/none-shift-jis": (
            page(("<p>港は閉鎖された。" * 30).encode("shift_jis")),
            Right(reads="港は閉鎖された"),
        ),
        "/charset/none-utf-16": (page("<p>The lock is closed".encode("utf-16-le")), Right(reads="The lock is closed")),
        "/charset/unheard-of": (page(b"<p>The lock", "text/html; charset=x-none"), Right(reads="The lock")),
        "/charset/quoted": (page("<p>Fluß".encode(), 'text/html; charset="UTF-8"; x'), Right(reads="Fluß")),
        "/charset/mixed": (page(b"<p>Flu\xc3\x9f and Flu\xdf", "text/html; charset=utf-8"), Right(reads="Flu")),
    }
)
# What is fetched well, and is no article: the desk says so.
WALLS = _each(
    {
        "/wall/nothing": (page(b""), Right(desk=Reason.EMPTY)),
        "/wall/not-found": (
            page(b"<title>404 Not Found</title><h1>Page not found</h1><p>The page you asked for is not here."),
            Right(desk=Reason.SOFT_404),
        ),
        "/wall/captcha": (
            page(b"<title>Just a moment...</title><p>Checking your browser. Enable JavaScript and cookies to continue"),
            Right(desk=Reason.CAPTCHA),
        ),
        "/wall/consent": (
            page(b"<h1>We value your privacy</h1><p>We and our partners use cookies.<button>Accept all</button>"),
            Right(desk=Reason.CONSENT_WALL),
        ),
        "/wall/empty-shell": (
            page(b"<title>The Courier</title><div id=root></div><script src=/app.js></script>"),
            Right(desk=Reason.EMPTY),
        ),
        "/wall/same-story-again?utm_source=feed": (page(), Right(reads=STORY)),
        "/wall/endless-calendar?day=1": (page(PAGE + b"<a href='?day=2'>Next day</a>"), Right(reads=STORY)),
    }
)
GIANT = b"User-agent: *\nDisallow: /private/\n" + b"# padding\n" * 60_000 + b"Disallow: /robots/\n"
CLOSED = refused(Reason.ROBOTS_UNREACHABLE, asks=0)
ROBOTS = [
    Endpoint(path=f"/robots/{name}", reply=page(), right=right, robots=robots, is_slow=robots is silence)
    for name, robots, right in (
        ("disallowed", page(b"User-agent: *\nDisallow: /\n", "text/plain"), refused(Reason.ROBOTS_DISALLOWED, asks=0)),
        ("empty", page(b"", "text/plain"), HAD),
        ("html", page(b"<html>No robots here</html>"), HAD),
        ("giant", page(GIANT, "text/plain"), HAD),
        ("missing", status("404 Not Found"), HAD),
        ("forbidden", status("403 No"), HAD),
        ("moved", redirect("/rules.txt", "301 Moved"), HAD),
        ("moved-away", redirect("http://169.254.169.254/robots.txt"), refused(Reason.PRIVATE_ADDRESS, asks=0)),
        ("in-a-circle", redirect("/robots.txt"), HAD),
        ("failing", status("500 Oops"), CLOSED),
        ("failing-once", first(1, BUSY, RULES), HAD),
        ("reset", reset(), refused(Reason.UNREACHABLE, asks=0)),
        ("silent", silence, CLOSED),
        ("tomorrow", status("503 Busy", "Retry-After: 86400"), Right(is_deferred=True, says="503", asks=0)),
        ("bomb", bomb(BOMBS["gzip"], "gzip"), CLOSED),
    )
]
PRIVATE = _each(
    {
        "/private/story": (page(), refused(Reason.ROBOTS_DISALLOWED, asks=0)),
        "/private/open": (page(), HAD),
    }
)
UNASKED = [
    Endpoint(path=f"/unasked/{number}", reply=page(), right=refused(reason, asks=0), elsewhere=address)
    for number, (address, reason) in enumerate(
        {
            "http://many-faces.example/": Reason.PRIVATE_ADDRESS,
            "http://169.254.169.254/": Reason.PRIVATE_ADDRESS,
            "http://2852039166/": Reason.PRIVATE_ADDRESS,
            "http://editor:secret@news.example/": Reason.BAD_URL,
            "http://unknown.example/": Reason.UNREACHABLE,
        }.items()
    )
]
ENDPOINTS: Final = [
    *(*GOOD, *LISTINGS, *TIME, *SIZE, *REDIRECTS, *STATUSES, *TOMORROW, *CACHES, *BROKEN, *TYPES, *CHARSETS, *WALLS),
    *(*ROBOTS, *PRIVATE, *UNASKED),
]
NAMES: Final = {
    "rebinding.example": ["127.0.0.1"],
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1", "::1"],
    "news.example": ["93.184.216.34"],
    "many-faces.example": ["93.184.216.34", "169.254.169.254"],
}
"""What the names of these addresses resolve to; nothing is ever sent to the public one among them."""
