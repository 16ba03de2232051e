"""Who speaks: from the voice names that applications write to a language and a gender.

Names of voices that nobody here has are never refused: what is known of them (their language, how they sound) chooses
among what the engine has. The tables are facts of the public voice lists of Amazon Polly and Google Cloud.
"""

from __future__ import annotations

import re
import unicodedata

from controlplane.speech.utterance import Gender, Utterance
from controlplane.speech.words import without_controls
from controlplane.verbs.documents import Say

_DEFAULT_LANGUAGE = "en-us"
_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*\Z")
_GOOGLE = re.compile(r"google\.([a-z]{2,3}-[a-z0-9]{2,4})(?:-|\Z)")

_POLLY_WOMEN = {
    "arb": "zeina", "ar-ae": "hala", "ca-es": "arlet", "cmn-cn": "zhiyu", "cs-cz": "jitka", "cy-gb": "gwyneth",
    "da-dk": "naja sofie", "de-at": "hannah", "de-ch": "sabrina", "de-de": "marlene vicki lena",
    "en-au": "nicole olivia", "en-gb": "amy emma", "en-ie": "niamh", "en-in": "aditi raveena kajal",
    "en-nz": "aria", "en-sg": "jasmine", "en-us": "danielle ivy joanna kendra kimberly salli ruth tiffany",
    "en-za": "ayanda", "es-es": "conchita lucia alba", "es-mx": "mia", "es-us": "lupe penelope", "fi-fi": "suvi",
    "fr-be": "isabelle", "fr-ca": "chantal gabrielle", "fr-fr": "celine lea", "is-is": "dora",
    "it-it": "carla bianca beatrice", "ja-jp": "mizuki kazuha tomoko", "ko-kr": "seoyeon jihye", "nb-no": "liv ida",
    "nl-be": "lisa", "nl-nl": "laura lotte", "pl-pl": "ewa maja ola", "pt-br": "camila vitoria", "pt-pt": "ines",
    "ro-ro": "carmen", "ru-ru": "tatyana", "sv-se": "astrid elin", "tr-tr": "filiz burcu", "yue-cn": "hiujin",
}  # fmt: skip
_POLLY_MEN = {
    "ar-ae": "zayd", "da-dk": "mads", "de-de": "hans daniel", "en-au": "russell", "en-gb": "brian arthur geraint",
    "en-us": "gregory joey justin kevin matthew stephen patrick", "es-es": "enrique sergio raul", "es-mx": "andres",
    "es-us": "miguel pedro", "fr-ca": "liam", "fr-fr": "mathieu remi", "is-is": "karl",
    "it-it": "giorgio adriano lorenzo", "ja-jp": "takumi", "nl-nl": "ruben", "pl-pl": "jacek jan",
    "pt-br": "ricardo thiago", "pt-pt": "cristiano", "ru-ru": "maxim",
}  # fmt: skip
_POLLY = {
    name: (language, gender)
    for gender, table in ((Gender.FEMALE, _POLLY_WOMEN), (Gender.MALE, _POLLY_MEN))
    for language, names in table.items()
    for name in names.split()
}
_GOOGLE_MEN = (
    "achird algenib algieba alnilam charon enceladus fenrir iapetus orus puck rasalgethi sadachbia sadaltager schedar"
    " umbriel zubenelgenubi"
)


def utterance_of(say: Say) -> Utterance:
    """Cast a Say: what is spoken, in which language, by what kind of voice. Never fails.

    A language that was written wins; where it is the default and the voice has one of its own, the voice's wins. An
    unknown voice is a woman's, as most are.
    """
    voice_language, gender = _cast(_plain(say.voice))
    written = say.language.casefold().replace("_", "-")
    language = written if _TAG.match(written) else _DEFAULT_LANGUAGE
    if language == _DEFAULT_LANGUAGE and voice_language is not None:
        language = voice_language
    return Utterance(without_controls(say.text), language, gender, say.markup)


def _cast(voice: str) -> tuple[str | None, Gender]:
    """The language a voice speaks, if it is known to have one, and how it sounds."""
    if voice == "man":
        return None, Gender.MALE
    if voice.startswith("polly."):
        return _POLLY.get(voice.removeprefix("polly.").partition("-")[0], (None, Gender.FEMALE))
    found = _GOOGLE.match(voice)
    if found is None:
        return None, Gender.FEMALE
    return found[1], Gender.MALE if voice.rpartition("-")[2] in _GOOGLE_MEN.split() else Gender.FEMALE


def _plain(name: str) -> str:
    """A name without accents and case: Céline is also written Celine."""
    return "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c)).strip()
