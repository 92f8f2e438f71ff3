"""Typography of other target languages: what translation into French, German, Chinese and others left English."""

import re

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.words import table

_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_KANA = "\u3040-\u30ff"
_HANGUL = "\uac00-\ud7af"
_NARROW = {"，": ",", "。": ".", "；": ";", "：": ":", "？": "?", "！": "!", "（": "(", "）": ")"}
_ENGLISH_MONTHS: dict[str, dict[str, str]] = {english: {} for _, _, english in table("months")}
for _language, _word, _english in table("months"):
    _ENGLISH_MONTHS[_english].setdefault(_language, _word)
_QUESTION_WORDS = "Qué|Quién(?:es)?|Cómo|Cuándo|Cuánt[oa]s?|Dónde|Por qué|Cuál(?:es)?"
_DATES = {"fr": "{} {} {}", "it": "{} {} {}", "es": "{} de {} de {}", "pt": "{} de {} de {}", "de": "{}. {} {}"}
_MONTH = "|".join(_ENGLISH_MONTHS)


def _swapped(number: str, thousands: str) -> str:
    return (
        number.replace(",", thousands).replace(".", ",")
        if thousands != "."
        else number.translate(str.maketrans(",.", ".,"))
    )


def _number_rule(language: str, name: str, thousands: str, example: str) -> Rule:
    return Rule(
        id=f"english-number-in-{name}",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=frozenset({language}),
        sources=frozenset({"en"}),
        pattern=re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+\.\d{1,2}(?![\d.,]*\d)"),
        cues=tuple(f",{digits:03}." for digits in range(1000)),
        replacement=lambda match, _: _swapped(match[0], thousands),
        telling=True,
        why="The number kept the comma of its English thousands and the point of its decimals.",
        reference="Bureau international des poids et mesures, SI Brochure, 5.4.4",
        mends={f"1,234,567.89 {example}": f"1{thousands}234{thousands}567,89 {example}"},
        keeps=(f"1{thousands}234,56 {example}", f"1,234 {example}", f"1.234,56 {example}"),
    )


def _date_rule(language: str, name: str, form: str) -> Rule:
    months = {english: words[language] for english, words in _ENGLISH_MONTHS.items() if language in words}
    foreign = "|".join(english for english, word in months.items() if english != word)

    def _date(match: re.Match[str], _: Habits) -> str:
        month = months[match["month"] or match["first"]]
        return form.format(match["day"] or match["second"], month, match["year"])

    return Rule(
        id=f"english-date-in-{name}",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.GATED,
        languages=frozenset({language}),
        sources=frozenset({"en"}),
        pattern=re.compile(
            rf"(?<![\w.])(?:(?P<day>\d{{1,2}}) (?P<month>{foreign})|(?P<first>{foreign}) (?P<second>\d{{1,2}}),?)"
            r" (?P<year>(?:19|20)\d\d)(?!\w)"
        ),
        cues=tuple(foreign.split("|")),
        replacement=_date,
        telling=True,
        why="The month kept its English name.",
        reference="MQM, Accuracy: Untranslated",
        mends={
            "(12 March 2024)": f"({form.format(12, months['March'], 2024)})",
            "(October 3, 2023)": f"({form.format(3, months['October'], 2023)})",
        },
        keeps=(f"({form.format(12, months['March'], 2024)})", "(March)", "(12 March)"),
    )


RULES = (
    *(
        _number_rule(language, name, thousands, example)
        for language, name, thousands, example in (
            ("fr", "french", "\u202f", "euros"),
            ("de", "german", ".", "Euro"),
            ("it", "italian", ".", "euro"),
            ("pt", "portuguese", ".", "euros"),
            ("ru", "russian", "\u00a0", "евро"),
        )
    ),
    *(
        _date_rule(language, name, _DATES[language])
        for language, name in (
            ("fr", "french"),
            ("de", "german"),
            ("es", "spanish"),
            ("it", "italian"),
            ("pt", "portuguese"),
        )
    ),
    Rule(
        id="narrow-mark-in-chinese",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.DETECT,
        languages=frozenset({"zh"}),
        sources=frozenset({"en"}),
        pattern=re.compile(rf"(?<=[{_HAN}]) ?(?P<mark>[,;:?!]) ?(?=[{_HAN}])"),
        listed=False,
        why="A mark of Latin width stands between Chinese characters. People type so too: evidence only.",
        reference="GB/T 15834-2011",
        finds=("市长说, 桥不开;门也不开。",),
        keeps=("市长说，桥不开。", "比分是3:2,对吗", "Li, Fang 说"),
    ),
    Rule(
        id="narrow-stop-in-chinese",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.DETECT,
        languages=frozenset({"zh"}),
        sources=frozenset({"en"}),
        pattern=re.compile(rf"(?<=[{_HAN}]{{2}})\.(?=\s|$|[{_HAN}]{{2}})"),
        listed=False,
        why="A full stop of Latin width ends a Chinese sentence. People type so too: evidence only.",
        reference="GB/T 15834-2011",
        finds=("市长说桥不开.门也不开.",),
        keeps=("市长说桥不开。", "增长3.5个百分点", "网址 example.org"),
    ),
    Rule(
        id="spaced-characters",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.GATED,
        languages=frozenset({"zh", "ja"}),
        sources=frozenset({"en"}),
        pattern=re.compile(
            rf"(?<![{_HAN}{_KANA}])(?:[{_HAN}{_KANA}]{{1,4}} [，、。]? ?){{5,60}}[{_HAN}{_KANA}]{{1,4}}(?: [。，])?"
        ),
        replacement=lambda match, _: match[0].replace(" ", ""),
        telling=True,
        why="The words a segmenter parted were not joined again.",
        reference="GB/T 13715, word segmentation",
        mends={"市长 说 ， 桥 明天 不 会 开放 。": "市长说，桥明天不会开放。"},
        keeps=("市长说，桥明天不会开放。", "新闻 体育 天气", "市长 张三"),
    ),
    Rule(
        id="wide-mark-in-korean",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=frozenset({"ko"}),
        sources=frozenset({"zh", "ja"}),
        pattern=re.compile(rf"(?<=[{_HANGUL}\d])(?P<mark>[，。；：？！])(?P<gap> ?)(?=[{_HANGUL}\d]|$)"),
        cues=tuple("，。；：？！"),
        replacement=lambda match, _: (
            _NARROW[match["mark"]] + (match["gap"] or (" " if match.end() < len(match.string) else ""))
        ),
        telling=True,
        why="Korean sets its marks in Latin width; the full-width one was copied from the source.",
        reference="국립국어원, 문장 부호",
        mends={"시장은 말했다，다리는 닫혔다。": "시장은 말했다, 다리는 닫혔다."},
        keeps=("시장은 말했다, 다리는 닫혔다.", "下雨，快走。"),
    ),
    Rule(
        id="wide-mark-in-cyrillic",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.ALWAYS,
        languages=frozenset({"ru", "uk", "bg"}),
        sources=frozenset({"zh", "ja"}),
        pattern=re.compile(r"(?<=[\u0400-\u04ff\d”»)]) ?(?P<mark>[，。；：？！])(?P<gap> ?)(?=[\u0400-\u04ff\d“«(]|$)"),
        cues=tuple("，。；：？！"),
        replacement=lambda match, _: (
            _NARROW[match["mark"]] + (match["gap"] or (" " if match.end() < len(match.string) else ""))
        ),
        telling=True,
        why="The full-width mark was copied from the source; Cyrillic text has marks of its own width.",
        reference="Unicode Standard, Halfwidth and Fullwidth Forms",
        mends={"Мэр сказал，что мост закрыт。": "Мэр сказал, что мост закрыт."},
        keeps=("Мэр сказал, что мост закрыт.", "Слово 雨，雪 значит"),
    ),
    Rule(
        id="missing-opening-mark",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.DETECT,
        languages=frozenset({"es"}),
        sources=frozenset({"en"}),
        pattern=re.compile(rf"(?:(?<=[.?!»”\"] )|(?<=\n)|^)(?:{_QUESTION_WORDS}) [^.?!¿¡\n]{{2,150}}\?"),
        cues=("Qué ", "Quién", "Cómo ", "Cuándo ", "Cuánt", "Dónde ", "Por qué ", "Cuál"),
        listed=False,
        why="A Spanish question opens with a mark of its own. Some writers leave it out: evidence only.",
        reference="Real Academia Española, Ortografía, 3.4.9",
        finds=("El alcalde calló. Qué hará el ayuntamiento?",),
        keeps=("El alcalde calló. ¿Qué hará el ayuntamiento?", "Nadie sabe qué hará."),
    ),
)
