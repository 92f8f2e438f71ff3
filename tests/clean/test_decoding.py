"""Bytes to text: what is declared, what is true, what cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clean.decoding import Decoded, decode
from tasks.documents import Article
from tasks.edit import Desk, edit
from tests.pages.redraw import page_of

SENTENCES = {
    "cp1252": "“Curly” quotes – and dashes… in a naïve café, says the façade’s owner.",
    "cp1250": "Zprávy: příliš žluťoučký kůň úpěl ďábelské ódy, řekl starosta města.",
    "iso8859_2": "Zprávy: příliš žluťoučký kůň úpěl ďábelské ódy, řekl starosta města.",
    "cp1251": "Новости: мост выдержал бурю, сообщил главный инженер района.",
    "koi8_r": "Новости: мост выдержал бурю, сообщил главный инженер района.",
    "iso8859_7": "Ειδήσεις: η γέφυρα άντεξε στην καταιγίδα, είπε ο δήμαρχος.",
    "cp1256": "أخبار: صمد الجسر أمام العاصفة، كما قال رئيس البلدية.",
    "gb18030": "新闻：桥梁在暴风雨中安然无恙，市长昨天在记者会上说。",
    "big5": "新聞：橋樑在暴風雨中安然無恙，市長昨天在記者會上說。",
    "shift_jis": "ニュース：橋は嵐に耐えたと市長が昨日の記者会見で述べた。",
    "euc_jp": "ニュース：橋は嵐に耐えたと市長が昨日の記者会見で述べた。",
    "iso2022_jp": "ニュース：橋は嵐に耐えたと市長が昨日の記者会見で述べた。",
    "euc_kr": "뉴스: 다리는 폭풍우를 견뎌냈다고 시장이 어제 기자회견에서 말했다.",
}


def page(sentence: str, head: str = "") -> str:
    return f"<!doctype html><html><head>{head}</head><body><p>{sentence * 10}</p></body></html>"


@pytest.mark.parametrize(("codec", "sentence"), SENTENCES.items(), ids=SENTENCES)
def test_declared_in_the_page(codec: str, sentence: str) -> None:
    text = page(sentence, f'<meta charset="{codec.replace("_", "-")}">')
    assert decode(text.encode(codec), "text/html").text == text


@pytest.mark.parametrize(("codec", "sentence"), SENTENCES.items(), ids=SENTENCES)
def test_declared_by_the_server(codec: str, sentence: str) -> None:
    text = page(sentence, '<meta charset="utf-8">')
    answer = decode(text.encode(codec), f"text/html; charset={codec}")
    assert answer.text == text
    assert answer.evidence == ("detected" if codec == "iso2022_jp" else "http")


@pytest.mark.parametrize(("codec", "sentence"), SENTENCES.items(), ids=SENTENCES)
def test_not_declared(codec: str, sentence: str) -> None:
    answer = decode(page(sentence).encode(codec), "text/html")
    assert sentence in answer.text
    assert answer.evidence == "detected"


@pytest.mark.parametrize(("codec", "sentence"), SENTENCES.items(), ids=SENTENCES)
def test_wrongly_declared_as_utf8(codec: str, sentence: str) -> None:
    assert sentence in decode(page(sentence, "<meta charset=utf-8>").encode(codec), "text/html; charset=utf-8").text


@pytest.mark.parametrize("declared", ["gb2312", "iso-8859-1", "windows-1251", "shift_jis"])
def test_plain_utf8_declared_as_something_else(declared: str) -> None:
    body = page(SENTENCES["big5"], f"<meta charset={declared}>").encode()
    answer = decode(body, f"text/html; charset={declared}")
    assert (answer.encoding, answer.evidence) == ("utf-8", "detected")


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_mark_wins(codec: str) -> None:
    answer = decode(SENTENCES["cp1251"].encode(codec), "text/html; charset=koi8-r")
    assert (answer.text, answer.evidence) == (SENTENCES["cp1251"], "bom")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(codec: str) -> None:
    text = page(SENTENCES["big5"])
    assert decode(text.encode(codec), "text/html").text == text


def test_counts_what_cannot_be_read() -> None:
    body = page(SENTENCES["big5"]).encode().replace(b"</p>", b"\xff</p>")
    assert decode(body, "text/html; charset=utf-8").replacements == 1


def test_unknown_label_is_not_believed() -> None:
    assert decode("Café".encode(), "text/html; charset=x-foo-bar") == Decoded(
        text="Café", encoding="utf-8", evidence="detected", replacements=0
    )


@given(
    st.binary(max_size=400),
    st.text(max_size=60) | st.sampled_from(["text/html; charset=utf-7", "x; charset=rot13", "charset=idna"]),
)
def test_never_raises(body: bytes, content_type: str) -> None:
    answer = decode(body, content_type)
    assert answer.replacements == answer.text.count("\ufffd")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_decoding_what_was_decoded_changes_nothing(text: str) -> None:
    once = decode(b"\xef\xbb\xbf" + text.encode(), "text/html").text
    assert decode(b"\xef\xbb\xbf" + once.encode(), "text/html").text == once


def test_the_encoding_and_what_could_not_be_read_are_kept() -> None:
    text = page("The ferry crossed four times on Saturday, says the café’s owner. ", "<title>Ferry</title>")
    body = text.encode().replace(b"</p>", b"\xff\xfe</p>")
    article = edit(page_of(body), Desk())
    assert isinstance(article, Article)
    assert (article.encoding, article.unreadable) == ("utf-8", 2)


@pytest.mark.parametrize("byte", [0x81, 0x8D, 0x8F, 0x90, 0x9D])
def test_a_byte_that_windows_1252_leaves_open_is_a_control(byte: int) -> None:
    decoded = decode(b"caf\xe9 " + bytes([byte]), "text/html; charset=iso-8859-1")
    assert (decoded.text, decoded.encoding, decoded.replacements) == (f"café {chr(byte)}", "cp1252", 0)


@pytest.mark.parametrize(
    ("codec", "declared", "sentence"),
    [
        ("utf-8", "iso-8859-1", "Der Bürgermeister sagte, die Brücke sei schön und größer als früher."),
        ("utf-8", "windows-1251", "Новости: мост выдержал бурю, сообщил главный инженер района."),
        ("latin-1", "utf-8", "Der Bürgermeister sagte, die Brücke sei schön und größer als früher."),
        ("cp1252", "iso-8859-15", "The café’s owner said “no” – and paid €10."),
        ("cp1254", "iso-8859-9", "Belediye başkanı köprünün yarın açılacağını söyledi, dedi ki: “İyi.”"),
        ("cp1251", "iso-8859-1", "Новости: мост выдержал бурю, сообщил главный инженер района."),
        ("koi8_r", "windows-1251", "Новости: мост выдержал бурю, сообщил главный инженер района."),
        ("shift_jis", "iso-8859-1", "ニュース：橋は嵐に耐えたと市長が昨日の記者会見で述べた。"),
        ("euc_jp", "shift_jis", "ニュース：橋は嵐に耐えたと市長が昨日の記者会見で述べた。"),
        ("euc_kr", "iso-8859-1", "뉴스: 다리는 폭풍우를 견뎌냈다고 시장이 어제 기자회견에서 말했다."),
        ("gb18030", "iso-8859-1", "新闻：桥梁在暴风雨中安然无恙，市长昨天在记者会上说。"),
        ("big5", "gb2312", "新聞：橋樑在暴風雨中安然無恙，市長昨天在記者會上說。"),
        ("cp1253", "windows-1252", "Ειδήσεις: η γέφυρα άντεξε στην καταιγίδα, είπε ο δήμαρχος."),
        ("cp1255", "iso-8859-1", "ראש העיר אמר שהגשר ייפתח מחדש לפני סוף השבוע."),
        ("cp1256", "iso-8859-1", "أخبار: صمد الجسر أمام العاصفة، كما قال رئيس البلدية."),
        ("cp1250", "iso-8859-1", "Zprávy: příliš žluťoučký kůň úpěl ďábelské ódy, řekl starosta města."),
        ("cp874", "iso-8859-1", "นายกเทศมนตรีกล่าวว่าสะพานจะเปิดอีกครั้งก่อนสิ้นสัปดาห์"),
        ("iso8859_5", "windows-1251", "Новости: мост выдержал бурю, сообщил главный инженер района."),
        ("utf-16-le", "utf-8", "新聞：橋樑在暴風雨中安然無恙，市長昨天在記者會上說。"),
    ],
    ids=lambda value: value if value.isascii() and " " not in value else "",
)
def test_a_wrong_declaration_is_found_out(codec: str, declared: str, sentence: str) -> None:
    text = page(sentence, f'<meta charset="{declared}"><title>{sentence}</title>')
    answer = decode(text.encode(codec), f"text/html; charset={declared}")
    assert sentence in answer.text, answer


@pytest.mark.parametrize(("codec", "words"), [("gb18030", "港口关闭"), ("euc-kr", "항구"), ("windows-1251", "Порт")])
def test_few_characters_are_no_reason_to_doubt_a_declaration(codec: str, words: str) -> None:
    assert words in decode(f"<p>{words}".encode(codec), f"text/html; charset={codec}").text
