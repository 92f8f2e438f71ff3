"""Which language a text is in.

The n-gram profiles and the normalisation are langdetect's. Its sampling is not: langdetect draws n-grams at random
until one language wins, so its answer depends on the draw; here every n-gram of a bounded sample counts once, which
gives the same answer in every process, is better on short texts and several times as fast. Scripts that only one
language uses are told first, and the small words of each language decide for headlines.
"""

import json
import math
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from threading import Lock

import numpy as np
from langdetect.detector_factory import PROFILES_DIRECTORY
from langdetect.utils.ngram import NGram
from numpy.typing import NDArray

from tasks.clean.data import vocabulary
from tasks.documents import Language, LanguageShare
from tasks.language_tags import same_language

Scores = NDArray[np.float32]

UNDETERMINED = "und"
# Languages in which much news is written, and the rest of the profiles that a newsroom may well meet: these must be
# more certain to win, and those of neither list (Afrikaans, Somali, Tagalog, …) much more, for they resemble the first.
NEWS_LANGUAGES = (
    "en",
    "fr",
    "de",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "cs",
    "ru",
    "uk",
    "zh",
    "ja",
    "ko",
    "ar",
    "he",
    "tr",
    "vi",
    "hi",
)
OTHER_NEWS_LANGUAGES = ("sv", "da", "no", "fi", "hu", "ro", "el", "bg", "id", "fa", "hr", "sk", "th", "bn", "ta", "ur")

# A bounded sample: so many pieces of the text, each so many characters long.
_PIECES = 8
_PIECE_LENGTH = 90
# Fewer letters than this say too little, and a declared language is believed.
_FEW_LETTERS = 12
# A text whose trigrams are rarer than its language's own by this much, in nats for each, is in a language that no
# profile knows: Zulu reads like Swahili to n-grams, Icelandic like Norwegian. Texts of known languages lie under 1.6,
# tables of names under 2, measured on twenty-seven languages.
_STRANGE, _STRANGE_OUTSIDE = 2.0, 1.6
_STRANGE_LENGTH = 360
_FEWEST_TRIGRAMS = 150
# What pages declare that is no language: the special codes of ISO 639, and the first part of a charset.
_NO_LANGUAGE = frozenset({"und", "mul", "mis", "zxx", "utf", "iso"})
# A paragraph in another language must speak for it this clearly, in nats; quotations and names stay with their page.
_INERTIA = 12.0

_SMOOTHING = 0.5e-4  # langdetect's alpha of 0.5 over its base frequency of 10,000
_OTHER_PRIOR = -8.0
_OUTSIDE_PRIOR = -10.0
_DECLARED = 4.0
_FUNCTION_WORD = 2.5
_WRONG_SCRIPT = -4.0  # for each letter
_HAN_WITHOUT_KANA = -0.35  # for each ideograph, against Japanese
_LEAST_KANA = 0.05
# Uni-, bi- and trigrams overlap, so that each letter is counted about three times.
_TEMPERATURE = 3.0

_LETTERS = re.compile(r"[^\W\d_]+")
# Bounded on the left of the @: texts without spaces would take time with the square of their length.
_ADDRESS = re.compile(r"https?://\S+|[\w.+-]{1,64}@\S+\.\S+")
_NOT_LATIN_LETTERS = re.compile(r"[^\W\d_a-zA-Z\u00aa-\u024f\u1e00-\u1eff]")

# Scripts that one language of the web's news uses alone.
_LANGUAGE_OF_SCRIPT = {
    "HANGUL": "ko", "GREEK": "el", "HEBREW": "he", "THAI": "th", "GEORGIAN": "ka", "ARMENIAN": "hy", "BENGALI": "bn",
    "GUJARATI": "gu", "GURMUKHI": "pa", "TAMIL": "ta", "TELUGU": "te", "KANNADA": "kn", "MALAYALAM": "ml",
    "KHMER": "km", "LAO": "lo", "MYANMAR": "my", "SINHALA": "si", "ETHIOPIC": "am", "TIBETAN": "bo", "CJK": "zh",
    "KANA": "ja",
}  # fmt: skip
_LANGUAGES_OF_SCRIPT = {
    **{script: frozenset({language}) for script, language in _LANGUAGE_OF_SCRIPT.items()},
    "CYRILLIC": frozenset({"ru", "uk", "bg", "mk"}),
    "ARABIC": frozenset({"ar", "fa", "ur"}),
    "DEVANAGARI": frozenset({"hi", "mr", "ne"}),
}
_NOT_LATIN: frozenset[str] = frozenset().union(*_LANGUAGES_OF_SCRIPT.values())
_LATIN = "LATIN"
# An ideograph or a syllable says as much as this many letters.
_WEIGHT_OF_SCRIPT = {"CJK": 3, "HANGUL": 2, "KANA": 2}


class _Normalised(dict[int, str]):
    """langdetect's normalisation of characters, as a table for `str.translate` that fills itself."""

    def __missing__(self, code: int) -> str:
        self[code] = character = str(NGram.normalize(chr(code)))
        return character


@dataclass(frozen=True, slots=True)
class Profiles:
    """Log-probabilities of n-grams (rows) in languages (columns), and what function words and scripts add.

    `usual` is what a language's own trigrams score on average: minus their entropy.
    """

    languages: tuple[str, ...]
    columns: dict[str, int]
    rows: dict[str, int]
    scores: Scores
    usual: Scores
    characters: _Normalised
    words: dict[str, Scores]


_loading = Lock()


def load_profiles() -> Profiles:
    """Load the language profiles, once in a process; call it before threads start, for it takes a third of a second."""
    with _loading:
        return _load()


@cache
def _load() -> Profiles:
    # The order of a folder differs between machines, the order of names does not. The profiles cannot tell the
    # Chinese scripts apart as well as their characters can, so one profile stands for both.
    paths = sorted(path for path in Path(PROFILES_DIRECTORY).iterdir() if path.name[0] != "." and path.name != "zh-tw")
    known = [path.name.removesuffix("-cn") for path in paths]
    languages = (*known, *sorted(_NOT_LATIN.difference(known)))
    columns = {language: column for column, language in enumerate(languages)}
    rows: dict[str, int] = {}
    shares = []
    usual = np.zeros(len(languages), np.float32)
    for column, path in enumerate(paths):
        profile = json.loads(path.read_text("utf-8"))
        counts = {ngram: count for ngram, count in profile["freq"].items() if ngram != " "}
        places = [rows.setdefault(ngram, len(rows)) for ngram in counts]
        lengths = np.fromiter(map(len, counts), np.intp)
        share = np.array(list(counts.values())) / np.array(profile["n_words"])[lengths - 1]
        shares.append((places, share))
        trigrams = share[lengths == 3] / share[lengths == 3].sum()
        usual[column] = (trigrams * np.log(trigrams)).sum()
    probabilities = np.zeros((len(rows), len(languages)), np.float32)
    for column, (places, share) in enumerate(shares):
        probabilities[places, column] = share
    return Profiles(
        languages=languages,
        columns=columns,
        rows=rows,
        scores=np.log(probabilities + np.float32(_SMOOTHING)),
        usual=usual,
        characters=_Normalised(),
        words=_function_words(columns),
    )


def _function_words(columns: dict[str, int]) -> dict[str, Scores]:
    words: dict[str, Scores] = {}
    for language, listed in vocabulary("function_words").items():
        for word in listed:
            words.setdefault(word, np.zeros(len(columns), np.float32))[columns[language]] = _FUNCTION_WORD
    return words


def detect_language(text: str, *, declared: tuple[str, ...] = (), prior: tuple[str, ...] = ()) -> Language:
    """Name the language of `text` by its BCP 47 tag, with each language's share where paragraphs differ.

    `declared` are the tags that page and feed give, `prior` the languages to expect (`NEWS_LANGUAGES` where empty).
    A text of a few letters is in the declared language; one without letters is `und`, and so is one that resembles its
    likeliest language too little, unless it declares that language.

    >>> detect_language("Le pont a tenu, dit le maire.").tag
    'fr'
    >>> detect_language("新聞說橋樑很堅固。").tag
    'zh-Hant'
    >>> detect_language("2024: 3.5 %").tag
    'und'
    """
    profiles = load_profiles()
    pieces = _pieces(text)
    if not pieces:
        return Language(tag=UNDETERMINED, confidence=0.0)
    judged = [_judge(piece, profiles) for piece, _ in pieces]
    expected = _expected(declared, prior, profiles)
    total = np.sum(judged, axis=0) + expected
    best = int(total.argmax())
    letters = sum(len(word) for piece, _ in pieces for word in _LETTERS.findall(piece))
    if inherited := _inherited(declared, total, best, letters, profiles):
        return Language(tag=inherited, confidence=0.5, shares=(LanguageShare(language=inherited, share=1.0),))
    columns = [_language_of_piece(scores + expected, best) for scores in judged]
    own = [piece for (piece, _), column in zip(pieces, columns, strict=True) if column == best]
    if profiles.languages[best] not in map(_primary, declared) and _is_strange(own, best, prior, profiles):
        return Language(tag=UNDETERMINED, confidence=0.0)
    weights: Counter[int] = Counter()
    for (_, weight), column in zip(pieces, columns, strict=True):
        weights[column] += weight
    whole = weights.total()
    shares = tuple(
        LanguageShare(language=_tag(profiles.languages[column], text, declared), share=weight / whole)
        for column, weight in weights.most_common()
    )
    tag = _tag(profiles.languages[best], text, declared)
    return Language(tag=tag, confidence=_confidence(total, best), shares=shares)


def plausibility(text: str) -> float:
    """Return how well the likeliest language explains a text, a log-probability: of two readings, take the higher.

    >>> plausibility("žluťoučký kůň úpěl") > plausibility("žlu»ouèký kùò úpìl")
    True
    """
    profiles = load_profiles()
    ngrams = _ngrams(text, profiles)
    rows = [row for ngram in ngrams if (row := profiles.rows.get(ngram)) is not None]
    unknown = (len(ngrams) - len(rows)) * math.log(_SMOOTHING)
    return unknown + float(profiles.scores[rows].sum(axis=0).max()) if rows else unknown


def _pieces(text: str) -> list[tuple[str, int]]:
    """Return pieces of the text, spread evenly over its letters, each with the characters it stands for."""
    paragraphs = [paragraph for paragraph in text.split("\n") if _LETTERS.search(paragraph)]
    sample = [(_without_addresses(paragraph), len(paragraph)) for paragraph in _spread(paragraphs)]
    chosen = [(beginning, weight) for beginning, weight in sample if _LETTERS.search(beginning)]
    length = _PIECE_LENGTH * _PIECES // max(1, len(chosen))
    return [(beginning[:length], weight) for beginning, weight in chosen]


def _spread(paragraphs: list[str]) -> list[str]:
    """Return so many paragraphs at the most, those in which equal parts of the text have their middle.

    Every so many-th would do where all are alike; on a page of times and items in turn it may meet the times only.
    """
    if len(paragraphs) <= _PIECES:
        return paragraphs
    ends = list(accumulate(map(len, paragraphs)))
    middles = (ends[-1] * (2 * part + 1) // (2 * _PIECES) for part in range(_PIECES))
    return [paragraphs[place] for place in sorted({bisect_right(ends, middle) for middle in middles})]


def _without_addresses(paragraph: str) -> str:
    """Return the beginning of a paragraph without the addresses in it, which are in no language."""
    return _ADDRESS.sub(" ", paragraph[: 2 * _PIECE_LENGTH * _PIECES])


def _judge(piece: str, profiles: Profiles) -> Scores:
    """Return how much a piece speaks for each language, in nats."""
    script, letters = _script(piece)
    allowed = _LANGUAGES_OF_SCRIPT.get(script)
    scores = _against_script(script, letters, profiles)
    if allowed is not None and len(allowed) == 1:
        return scores
    for word in _LETTERS.findall(piece.lower()):
        if (bonus := profiles.words.get(word)) is not None:
            scores += bonus
    rows = _rows(piece, profiles)
    return scores + profiles.scores[rows].sum(axis=0) if rows else scores


def _script(piece: str) -> tuple[str, int]:
    """Return the script of most of a piece's letters, and how many letters that makes."""
    foreign = _NOT_LATIN_LETTERS.findall(piece)
    latin = sum(map(len, _LETTERS.findall(piece))) - len(foreign)
    counts = Counter(_script_of(character) for character in foreign)
    han, kana = counts["CJK"], counts["KANA"]
    if kana and kana >= _LEAST_KANA * (han + kana):
        counts["KANA"] += counts.pop("CJK", 0)
    weighed = {script: count * _WEIGHT_OF_SCRIPT.get(script, 1) for script, count in counts.items()}
    script = max(weighed, key=weighed.__getitem__, default=_LATIN)
    return (script, counts[script]) if weighed and weighed[script] > latin else (_LATIN, latin)


@cache
def _script_of(character: str) -> str:
    name = unicodedata.name(character, "").partition(" ")[0]
    return "KANA" if name in ("HIRAGANA", "KATAKANA") else name


def _against_script(script: str, letters: int, profiles: Profiles) -> Scores:
    scores = np.zeros(len(profiles.languages), np.float32)
    if script == _LATIN:
        scores[[profiles.columns[language] for language in _NOT_LATIN]] = _WRONG_SCRIPT * letters
    elif allowed := _LANGUAGES_OF_SCRIPT.get(script):
        scores += _WRONG_SCRIPT * letters
        scores[[profiles.columns[language] for language in allowed]] = 0
        if script == "CJK":
            scores[profiles.columns["ja"]] = _HAN_WITHOUT_KANA * letters
    return scores


def _rows(piece: str, profiles: Profiles) -> list[int]:
    """Return the rows of a piece's n-grams, each as often as it occurs."""
    return [row for row in map(profiles.rows.get, _ngrams(piece, profiles)) if row is not None]


def _ngrams(piece: str, profiles: Profiles) -> list[str]:
    line = _line(piece, profiles)
    return [*line, *map("".join, pairwise(line)), *_trigrams(line)]


def _line(piece: str, profiles: Profiles) -> str:
    """Return a piece in langdetect's normal form, a blank about each word."""
    normalised = str(NGram.normalize_vi(piece)).translate(profiles.characters)
    return f" {' '.join(normalised.split())} "


def _trigrams(line: str) -> Iterator[str]:
    return map("".join, zip(line, line[1:], line[2:], strict=False))


def _expected(declared: tuple[str, ...], prior: tuple[str, ...], profiles: Profiles) -> Scores:
    expected = np.full(len(profiles.languages), _OUTSIDE_PRIOR, np.float32)
    for languages, nats in (
        (OTHER_NEWS_LANGUAGES, _OTHER_PRIOR),
        (prior or NEWS_LANGUAGES, 0.0),
        (declared, _DECLARED),
    ):
        for language in map(_primary, languages):
            if (column := profiles.columns.get(language)) is not None:
                expected[column] = nats
    return expected


def _primary(tag: str) -> str:
    """Return the language of a tag, by the name that the profiles use.

    >>> _primary("nb-NO"), _primary("pt_BR"), _primary("deu")
    ('no', 'pt', 'de')
    """
    language = re.split(r"[-_]", tag.strip().lower())[0]
    return same_language(language)


def _inherited(declared: tuple[str, ...], total: Scores, best: int, letters: int, profiles: Profiles) -> str:
    """Return the declared language where it is to be believed: of short texts, and where no profile knows it.

    A page that declares Galician and reads like Portuguese is in Galician; one that reads like English is not.
    """
    for language in filter(None, map(_primary, declared)):
        column = profiles.columns.get(language)
        if column is None:
            if profiles.languages[best] != "en" and _is_language(language):
                return language
        elif letters < _FEW_LETTERS and total[best] - total[column] < -_WRONG_SCRIPT * letters:
            return language
    return ""


def _is_language(subtag: str) -> bool:
    return len(subtag) in (2, 3) and subtag.isascii() and subtag.isalpha() and subtag not in _NO_LANGUAGE


def _is_strange(pieces: list[str], column: int, prior: tuple[str, ...], profiles: Profiles) -> bool:
    """Tell whether text is in none of the known languages, though it resembles this one most."""
    language = profiles.languages[column]
    if language in _LANGUAGE_OF_SCRIPT.values():  # its letters say so, whatever the words
        return False
    length = max(1, _STRANGE_LENGTH // max(1, len(pieces)))
    trigrams = [trigram for piece in pieces for trigram in _trigrams(_line(piece[:length], profiles))]
    if len(trigrams) < _FEWEST_TRIGRAMS:
        return False
    rows = [row for row in map(profiles.rows.get, trigrams) if row is not None]
    unknown = (len(trigrams) - len(rows)) * math.log(_SMOOTHING)
    mean = (float(profiles.scores[rows, column].sum()) + unknown) / len(trigrams)
    limit = _STRANGE if language in (prior or NEWS_LANGUAGES) else _STRANGE_OUTSIDE
    return float(profiles.usual[column]) - mean > limit


def _language_of_piece(scores: Scores, best: int) -> int:
    """Return the column of a piece's language: the document's, unless the piece clearly says otherwise."""
    other = int(scores.argmax())
    return other if scores[other] - scores[best] > _INERTIA else best


def _confidence(total: Scores, best: int) -> float:
    """Return how sure the answer is (0 to 1), as a softmax that counts each letter once."""
    return float(1.0 / np.exp((total - total[best]) / _TEMPERATURE).sum())


def _tag(language: str, text: str, declared: tuple[str, ...]) -> str:
    if language == "zh":
        return _chinese(text, declared)
    if language == "pt" and any(tag.replace("_", "-").lower() == "pt-br" for tag in declared):
        return "pt-BR"
    return language


def _chinese(text: str, declared: tuple[str, ...]) -> str:
    """Tell the scripts of Chinese apart by the characters that only one of them has."""
    sample = Counter(text[:2_000])
    simplified = sum(count for character, count in sample.items() if _is_in(character, "gb2312", not_in="big5"))
    traditional = sum(count for character, count in sample.items() if _is_in(character, "big5", not_in="gb2312"))
    if simplified == traditional:
        says_hant = any(re.search(r"hant|tw|hk|mo\b", tag.lower()) for tag in declared)
        return "zh-Hant" if says_hant else "zh-Hans"
    return "zh-Hant" if traditional > simplified else "zh-Hans"


@cache
def _is_in(character: str, charset: str, *, not_in: str) -> bool:
    return character >= "\u3400" and _has(charset, character) and not _has(not_in, character)


def _has(charset: str, character: str) -> bool:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
