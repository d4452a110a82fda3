"""What say.py is to say: the word by every English voice, at several speeds, in Kokoro's phonemes.

Usage: lines.py WORD VOICES_DIR OUT_DIR VARIANTS request|alone. Before a request, or alone in several tones; American or
British by the voice's name.
"""
import pathlib
import sys

from phonemes import phonemes

# (speed, the request, what ends the word where it is alone): each request begins with a sound that is silent at first, so
# that the word before it ends in quiet.
VARIANTS = [
    ("1.00", "tell me the time", "."),
    ("0.85", "turn on the light", "!"),
    ("1.20", "play some music", "?"),
    ("1.10", "pause for a minute", ","),
    ("0.92", "put the kettle on", "?"),
    ("1.30", "take a note", "!"),
]
BOTH = {"ɐ": "ə", "r": "ɹ", "tʃ": "ʧ", "dʒ": "ʤ", "eɪ": "A", "aɪ": "I", "ɔɪ": "Y", "aʊ": "W", "g": "ɡ", "ʔ": "t"}
AMERICAN = {"ɚ": "əɹ", "ɜː": "ɜɹ", "oʊ": "O", "ɾ": "T", "ː": ""}
BRITISH = {"əʊ": "Q", "a": "æ"}


def english(text: str, is_british: bool) -> str:
    return phonemes("en-gb", text, BOTH, BRITISH) if is_british else phonemes("en-us", text, BOTH, AMERICAN)


def main() -> None:
    word, folder, out, variants, way = sys.argv[1:6]
    voices = sorted(path.stem for path in pathlib.Path(folder).glob("[ab][fm]_*.bin"))
    own = {british: english(word, british) for british in (False, True)}
    for number, (speed, request, end) in enumerate(VARIANTS[: int(variants)]):
        if way == "alone":
            spoken = {british: (own[british] + end, "") for british in own}
        else:
            spoken = {british: (own[british], english(request, british)) for british in own}
        for voice in voices:
            path = pathlib.Path(out, f"{voice}_{speed}_{number}.wav")
            if not path.exists():
                print(voice, speed, *spoken[voice[0] == "b"], path, sep="\t", flush=True)


main()
