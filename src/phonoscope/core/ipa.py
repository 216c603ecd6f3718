"""The viseme of any sound that the International Phonetic Alphabet can write, in any language.

Lips and jaw decide, not the ear: a trill of the tongue is no trill of the uvula, and what is made in the throat has no
shape of its own. English comes out as by ARPABET (`core.visemes`).

Source: the chart of the International Phonetic Association, revised 2020 (CC BY-SA 3.0), for the sounds; which viseme
each has is our choice, by where it is made and whether the lips are round.
"""

import unicodedata

from phonoscope.core.visemes import NOT_SCORED, VISEMES

_LETTERS = {
    "PP": "p b m ɓ ʙ ʘ",  # the lips meet
    "FF": "f v ɱ ʋ ⱱ ɸ β",  # a lip against the teeth, or lips that all but meet
    "TH": "θ ð",
    "DD": "t d ʈ ɖ ɗ ᶑ ɾ ɽ ǀ ǃ ǂ",
    "kk": "k g ɡ q ɢ c ɟ ŋ ɴ ɠ ʛ ʄ x ɣ χ ʁ ʀ ɰ ʟ",  # the back of the tongue, the German and the French r among them
    "CH": "ʃ ʒ ɕ ʑ ʂ ʐ ɧ",
    "SS": "s z",
    "nn": "n ɳ ɲ l ɭ ʎ ɫ ɬ ɮ ɺ ǁ",
    "RR": "r ɹ ɻ ɚ ɝ ɜ",  # ɜ: the vowel of nurse, ARPABET's ER
    "aa": "a ɑ ɐ ʌ æ ə",
    "E": "e ɛ ɘ ɤ",
    "ih": "i ɪ ɨ ᵻ ɯ j ʝ ç",
    "oh": "o ɔ ɒ ø œ ɶ ɞ ɵ",
    "ou": "u ʊ ʉ ᵿ y ʏ w ʍ ɥ",
}
IPA = {letter: VISEMES.index(name) for name, letters in _LETTERS.items() for letter in letters.split()}
IPA |= dict.fromkeys("hɦʔʡħʕʜʢ", NOT_SCORED)  # made in the throat: the mouth has its neighbours' shape

_STOPS = frozenset("pbtdʈɖkgɡqɢcɟŋ")
_FRICATIVES = frozenset("ɸβfvθðszʃʒʂʐɕʑçʝxɣχʁɬɮ")
_LABIALS = frozenset("pbm")
_GOAT = ("əʊ", "əw", "əu")  # the British vowel of goat ends round; it is ARPABET's OW
_OTHERWISE = {"ʦ": "ts", "ʣ": "dz", "ʧ": "tʃ", "ʤ": "dʒ", "ʨ": "tɕ", "ʥ": "dʑ", "ə˞": "ɚ", "ɜ˞": "ɝ"}


def of_ipa(phone: str) -> int:
    """The viseme of a sound in IPA, "tʃ" or "ˈɑ̃ː", as its number; NOT_SCORED for h and others of the throat.

    As espeak-ng, the Montreal Forced Aligner and most dictionaries spell it.

    Stress, length, tones, ties and diacritics change nothing. A diphthong has the shape that it begins with, a stop
    with a fricative the fricative's, unless the lips meet.

    Raises:
        KeyError: it has no letter of the IPA, or one that is none.
    """
    letters = _letters(phone)
    if not letters or not set(letters) <= IPA.keys():
        raise KeyError(phone)
    if letters.startswith(_GOAT):
        return VISEMES.index("oh")
    first, second = letters[0], letters[1:2]
    if first in _STOPS - _LABIALS and second in _FRICATIVES | _LABIALS:  # tʃ; k͡p, where lips close as well
        return IPA[second]
    return IPA[first]


def _letters(phone: str) -> str:
    """The letters of a sound without anything above, below, beside or between them."""
    for sign, meant in _OTHERWISE.items():
        phone = phone.replace(sign, meant)
    kept = ""
    for sign in unicodedata.normalize("NFC", phone):
        letter = sign if sign in IPA else unicodedata.normalize("NFD", sign)[0]
        kind = unicodedata.category(letter)
        kept += letter if letter in IPA or not (kind == "Lm" or kind[0] in "MNPSZC") else ""
    return kept
