"""Marks of translation services on a page, in its address and in its text, and marks that are none."""

import pytest

from tasks.artifacts.markers import SeenIn, is_page_evidence, notice_markers, page_markers
from tasks.documents import Marker

PAGE = "<html{html}><head>{head}</head><body><p>It rained.</p>{body}</body></html>"

MARKED = [
    (' lang="en-x-mtfrom-fr"', "", "", ("unnamed", SeenIn.LANGUAGE_TAG, "fr")),
    (
        "",
        '<meta http-equiv="X-Translated-By" content="Google">',
        "",
        ("google", SeenIn.META, None),
    ),
    (
        "",
        '<link rel="alternate machine-translated-from" hreflang="ja" href="https://example.org/a">',
        "",
        ("unnamed", SeenIn.LINK, "ja"),
    ),
    (' lang="en" class="js translated-ltr"', "", "", ("google", SeenIn.HTML_CLASS, None)),
    (' class="translated-rtl"', "", "", ("google", SeenIn.HTML_CLASS, None)),
    ("", "", '<p _msttexthash="98123" _msthash="7">It rained.</p>', ("microsoft", SeenIn.ATTRIBUTE, None)),
    ("", "", '<font _mstmutation="1">It rained.</font>', ("microsoft", SeenIn.ATTRIBUTE, None)),
    ("", "", '<span _istranslated="1">It rained.</span>', ("microsoft", SeenIn.ATTRIBUTE, None)),
    ("", "", '<p x-bergamot-translated="">It rained.</p>', ("mozilla", SeenIn.ATTRIBUTE, None)),
    (
        "",
        "",
        '<ya-tr-span data-index="1-0" data-source-lang="ru" data-target-lang="en">It rained.</ya-tr-span>',
        ("yandex", SeenIn.ELEMENT, "ru"),
    ),
    (
        "",
        "",
        '<font style="vertical-align: inherit;"><font style="vertical-align: inherit;">It rained.</font></font>',
        ("google", SeenIn.FONT_WRAPPER, None),
    ),
    (
        ' lang="fr-FR"',
        '<script>var trp_data = {"trp_original_language":"en_US","trp_current_language":"fr_FR"};</script>',
        "",
        ("translatepress", SeenIn.PLUG_IN, "en"),
    ),
    (
        ' lang="es"',
        '<script>window.gtranslateSettings = {"default_language":"en","languages":["en","es"]}</script>',
        "",
        ("gtranslate", SeenIn.PLUG_IN_TRANSLATION, "en"),
    ),
    (
        ' lang="en"',
        '<script id="weglot-data" type="application/json">{"language_from":"fr","language_to":"en"}</script>',
        "",
        ("weglot", SeenIn.PLUG_IN_TRANSLATION, "fr"),
    ),
    (
        ' lang="en"',
        '<script>var t_jp = {"plugin_url":"/wp-content/plugins/transposh","lang":"en","olang":"he"};</script>',
        "",
        ("transposh", SeenIn.PLUG_IN_TRANSLATION, "he"),
    ),
    (
        ' lang="en"',
        '<script src="https://static.linguise.com/a.js"></script><script>{"default_language":"fr"}</script>',
        "",
        ("linguise", SeenIn.PLUG_IN_TRANSLATION, "fr"),
    ),
    (
        ' lang="en"',
        '<script src="https://cdn.conveythis.com/a.js"></script><script>{"source_language":"de"}</script>',
        "",
        ("conveythis", SeenIn.PLUG_IN_TRANSLATION, "de"),
    ),
    (
        "",
        "",
        '<font dir="auto" style="vertical-align: inherit;"><font dir="auto" style="vertical-align: inherit;">It</font>',
        ("google", SeenIn.FONT_WRAPPER, None),
    ),
    ("", '<meta name="generator" content="WPML ver:4.6 stt:1,4;">', "", ("wpml", SeenIn.PLUG_IN, None)),
    (
        "",
        "<!-- saved from url=(0047)https://www-example-fr.translate.goog/a?_x_tr_sl=fr -->",
        "",
        ("google", SeenIn.ADDRESS, "fr"),
    ),
    ("", '<base href="https://www-example-fr.translate.goog/a?_x_tr_sl=fr">', "", ("google", SeenIn.ADDRESS, "fr")),
]


@pytest.mark.parametrize(("html", "head", "body", "expected"), MARKED)
def test_reads_a_mark_in_the_page(html: str, head: str, body: str, expected: tuple[str, str, str | None]) -> None:
    service, seen_in, source = expected
    marker = Marker(service=service, seen_in=seen_in, source_language=source)
    assert marker in page_markers(PAGE.format(html=html, head=head, body=body), None)


def test_reads_every_mark_of_a_page_that_has_them_all() -> None:
    heads, bodies = ("".join(mark[part] for mark in MARKED) for part in (1, 2))
    for html in dict.fromkeys(mark[0] for mark in MARKED):
        marks = {marker.service for marker in page_markers(PAGE.format(html=html, head=heads, body=bodies), None)}
        assert marks >= {"google", "microsoft", "mozilla", "yandex", "weglot", "wpml", "unnamed"}


@pytest.mark.parametrize(
    ("url", "service", "source"),
    [
        ("https://www-example-fr.translate.goog/a?_x_tr_sl=fr&_x_tr_tl=en", "google", "fr"),
        ("https://translate.googleusercontent.com/translate_c?sl=zh-CN&tl=en&u=https://example.org/", "google", "zh"),
        ("https://translate.yandex.com/translate?lang=ru-en&url=https://example.org/", "yandex", "ru"),
        ("https://papago.naver.net/website?source=ko&target=en&url=https://example.org/", "papago", "ko"),
        ("https://www-example-fr.translate.goog/a?_x_tr_sl=auto", "google", None),
    ],
)
def test_reads_a_proxy_in_the_address(url: str, service: str, source: str | None) -> None:
    assert page_markers("", url) == (Marker(service=service, seen_in=SeenIn.ADDRESS, source_language=source),)


@pytest.mark.parametrize(
    "html",
    [
        PAGE.format(html=' lang="en"', head="", body=""),
        PAGE.format(
            html=' lang="en"', head="", body='<a href="https://www-example-org.translate.goog/a">In French</a>'
        ),
        PAGE.format(html=' lang="en"', head="", body="<p>The class translated-ltr is set by browsers.</p>"),
        PAGE.format(html=' lang="en"', head="", body='<font style="vertical-align: inherit;">Once.</font>'),
        PAGE.format(html=' lang="en"', head="", body="<p>The attribute _msttexthash is set by Edge.</p>"),
    ],
)
def test_a_page_that_only_speaks_of_translation_has_no_mark(html: str) -> None:
    assert page_markers(html, "https://example.org/translate.goog") == ()


def test_an_installed_plug_in_is_weaker_than_a_translated_page() -> None:
    settings = '<script>window.gtranslateSettings = {"default_language":"en"}</script>'
    (original,) = page_markers(PAGE.format(html=' lang="en-GB"', head=settings, body=""), None)
    (translated,) = page_markers(PAGE.format(html=' lang="de"', head=settings, body=""), None)
    assert (original.seen_in, original.source_language) == (SeenIn.PLUG_IN, None)
    assert not is_page_evidence(original)
    assert is_page_evidence(translated)


def test_the_strongest_mark_stands_first() -> None:
    head = '<meta name="generator" content="WPML ver:4.6"><link rel="alternate machine-translated-from" hreflang="fr">'
    assert [marker.seen_in for marker in page_markers(PAGE.format(html="", head=head, body=""), None)] == [
        "link",
        "plug-in",
    ]


@pytest.mark.parametrize("url", ["http://[broken", "", "mailto:a@example.org", "https://example.org/?_x_tr_sl=fr"])
def test_an_address_that_is_no_proxy_has_no_mark(url: str) -> None:
    assert page_markers("", url) == ()


@pytest.mark.parametrize(
    ("notice", "service", "source"),
    [
        ("This article was translated from French by DeepL.", "deepl", "fr"),
        ("Translated by Google", "google", None),
        ("[Machine translation]", "unnamed", None),
        ("Automatically translated from Spanish", "unnamed", "es"),
        ("This page has been automatically translated from Chinese.", "unnamed", "zh"),
        ("Note: this text was translated from German with the help of artificial intelligence.", "unnamed", "de"),
        ("Cet article a été traduit automatiquement de l'anglais.", "unnamed", None),
        ("Dieser Text wurde maschinell übersetzt.", "unnamed", None),
        ("Este artículo ha sido traducido automáticamente.", "unnamed", None),
        ("Questo articolo è stato tradotto automaticamente.", "unnamed", None),
        ("Este texto foi traduzido automaticamente por Google.", "google", None),
        ("Deze pagina is automatisch uit het Engels vertaald.", "unnamed", None),
        ("Автоматический перевод", "unnamed", None),
        ("本文由机器翻译", "unnamed", None),
        ("この記事は自動翻訳されています", "unnamed", None),
    ],
)
def test_reads_a_notice_in_the_text(notice: str, service: str, source: str | None) -> None:
    marker = Marker(service=service, seen_in=SeenIn.NOTICE, source_language=source)
    assert notice_markers(f"It rained.\n\n{notice}\n\nIt snowed.") == (marker,)


@pytest.mark.parametrize(
    "text",
    [
        "Translated from French by Anna Lund.",
        "This article was translated from German by our Berlin office.",
        "Machine translation has come a long way, the council says.",
        "Her novel was translated into nine languages.",
        "Traduction automatique : le métier de traducteur change",
        "机器翻译正在改变新闻业",
        "She said the text was automatically translated, which nobody had told her.",
    ],
)
def test_what_people_translated_or_wrote_about_it_is_no_notice(text: str) -> None:
    assert notice_markers(text) == ()
