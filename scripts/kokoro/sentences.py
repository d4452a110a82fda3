"""What say.py is to say: sentences in other languages, each by a few of all of Kokoro's voices, in its phonemes.

Usage: sentences.py SENTENCES.tsv VOICES_DIR OUT_DIR VOICES_EACH. A line of SENTENCES.tsv is a voice of espeak-ng's, which
tells the phonemes, a tab and a sentence. A language that Kokoro has voices for is spoken by one of them first; most
are foreigners to what they say.
"""
import pathlib
import sys

from phonemes import phonemes

# The first letter of the voices that speak a language as their own.
NATIVES = {"es": "e", "fr-fr": "f", "it": "i", "pt-br": "p"}
SPEEDS = ["1.00", "0.90", "1.15", "1.05", "1.25"]
# A step through the voices that shares no factor with their number, so that all take their turn.
STEP = 17
SIGNS = {"tʃ": "ʧ", "dʒ": "ʤ", "ts": "ʦ", "dz": "ʣ", "g": "ɡ", "ɭ": "l", "ɫ": "l", "ʑ": "ʒ", "ʉ": "u", "ɵ": "ø", "-": " "}


def main() -> None:
    table, folder, out, each = sys.argv[1:5]
    voices = sorted(path.stem for path in pathlib.Path(folder).glob("??_*.bin"))
    lines = pathlib.Path(table).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        language, text = line.split("\t")
        own = [voice for voice in voices if voice[0] == NATIVES.get(language)]
        turn = [own[number % len(own)]] if own else []
        turn += [voices[(number * int(each) + place) * STEP % len(voices)] for place in range(int(each) - len(turn))]
        for place, voice in enumerate(turn):
            speed = SPEEDS[(number + place) % len(SPEEDS)]
            path = pathlib.Path(out, f"{language}_{number:03}_{voice}_{speed}.wav")
            if not path.exists():
                print(voice, speed, phonemes(language, text, SIGNS) + ".", "", path, sep="\t", flush=True)


main()
