"""Every sound that the IPA can write has a viseme; English has that of ARPABET, whoever spells it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.ipa import IPA, of_ipa
from phonoscope.core.visemes import NOT_SCORED, VISEMES, of_arpabet

# The letters of the chart of 2020, row by row: pulmonic consonants, the others, vowels.
CHART = """
p b t d ʈ ɖ c ɟ k ɡ q ɢ ʔ m ɱ n ɳ ɲ ŋ ɴ ʙ r ʀ ⱱ ɾ ɽ ɸ β f v θ ð s z ʃ ʒ ʂ ʐ ç ʝ x ɣ χ ʁ ħ ʕ h ɦ ɬ ɮ ʋ ɹ ɻ j ɰ l ɭ ʎ ʟ
ʘ ǀ ǃ ǂ ǁ ɓ ɗ ʄ ɠ ʛ ʍ w ɥ ʜ ʢ ʡ ɕ ʑ ɺ ɧ
i y ɨ ʉ ɯ u ɪ ʏ ʊ e ø ɘ ɵ ɤ o ə ɛ œ ɜ ɞ ʌ ɔ æ ɐ a ɶ ɑ ɒ
"""
IN_IPA = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AX": "ə", "AY": "aɪ", "EH": "ɛ", "ER": "ɝ", "AXR": "ɚ",
    "EY": "eɪ", "IH": "ɪ", "IX": "ɨ", "IY": "i", "OW": "oʊ", "OY": "ɔɪ", "UH": "ʊ", "UW": "u", "UX": "ʉ", "B": "b",
    "CH": "tʃ", "D": "d", "DH": "ð", "DX": "ɾ", "F": "f", "G": "ɡ", "HH": "h", "JH": "dʒ", "K": "k", "L": "l", "M": "m",
    "N": "n", "NG": "ŋ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ", "V": "v", "W": "w", "Y": "j",
    "Z": "z", "ZH": "ʒ",
}  # fmt: skip
MARKS = "ˈˌːˑʰʲʷˠˤⁿˡ̩̯̥̤̬̪̺̃̈̽̚˞˥˦˧˨˩ʼ͜͡"


@pytest.mark.parametrize("arpabet", IN_IPA)
def test_english_is_as_by_arpabet(arpabet):
    assert of_ipa(IN_IPA[arpabet]) == of_arpabet(arpabet)


def test_every_letter_of_the_chart_has_a_viseme():
    assert len(CHART.split()) == len(set(CHART.split())) == 107
    assert all(of_ipa(letter) in (NOT_SCORED, *range(1, len(VISEMES))) for letter in CHART.split())


def test_the_throat_alone_has_no_shape():
    assert {letter for letter in CHART.split() if of_ipa(letter) == NOT_SCORED} == set("hɦħʕʔʡʜʢ")


@given(letter=st.sampled_from(sorted(IPA)), before=st.text("ˈˌⁿᵐ"), after=st.text(MARKS))
def test_marks_change_nothing(letter, before, after):
    if "˞" not in after:  # which makes an r of ə and ɜ
        assert of_ipa(before + letter + after) == of_ipa(letter)


@given(first=st.sampled_from(sorted("pbm")), second=st.sampled_from(sorted(IPA)), tie=st.sampled_from(["", "͡", "͜"]))
def test_lips_that_meet_are_seen_whatever_else_is_made(first, second, tie):
    assert of_ipa(first + tie + second) == VISEMES.index("PP")


@pytest.mark.parametrize("closed", ["k͡p", "ɡ͡b", "ŋ͡m", "pf", "p͡f", "m̩", "bʲ", "ᵐb", "ɓ"])
def test_a_closure_of_the_lips_is_one_in_any_company(closed):
    assert of_ipa(closed) == VISEMES.index("PP")


@pytest.mark.parametrize(
    ("phone", "viseme"),
    [
        # espeak-ng
        ("ɚ", "RR"), ("ɜː", "RR"), ("əʊ", "oh"), ("aɪə", "aa"), ("ᵻ", "ih"), ("t͡ʃ", "CH"), ("ts.h", "SS"),
        ("ɑu5", "aa"), ("ɔø", "oh"), ("ʁ", "kk"), ("ɑ̃", "aa"), ("ɛ̃", "E"), ("yː", "ou"), ("ç", "ih"), ("ə˞", "RR"),
        ("tɕʰ", "CH"),
        # Montreal Forced Aligner
        ("aj", "aa"), ("ow", "oh"), ("əw", "oh"), ("ɫ̩", "nn"), ("cʰ", "kk"), ("t̪", "DD"), ("dʲ", "DD"), ("ɐ̃", "aa"),
        # signs of one letter for two, signs with accents
        ("ʧ", "CH"), ("ʦ", "SS"), ("ã", "aa"), ("õ", "oh"), ("c\u0327", "ih"), ("tɬ", "nn"), ("th", "DD"), ("kx", "kk"),
    ],
)  # fmt: skip
def test_sounds_are_known_as_others_spell_them(phone, viseme):
    assert VISEMES[of_ipa(phone)] == viseme


@pytest.mark.parametrize("phone", ["", "AH0", "ː", "5", "ʃЖ", "SIL"])
def test_what_is_no_sound_is_refused(phone):
    with pytest.raises(KeyError):
        of_ipa(phone)
