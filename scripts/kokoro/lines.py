"""What say.py is to say: the word by every English voice, at several speeds and tones, in Kokoro's phonemes.

Usage: lines.py WORD VOICES_DIR OUT_DIR VARIANTS. espeak-ng tells the phonemes, American or British by the voice's name;
Kokoro writes some of them with signs of its own.
"""
import pathlib
import subprocess
import sys

# (speed, what ends the word): the more variants are wanted, the further off the middle.
VARIANTS = [("1.00", "."), ("0.85", "!"), ("1.20", "?"), ("0.70", ","), ("1.10", "!"), ("0.92", "?")]
BOTH = {"ɐ": "ə", "r": "ɹ", "tʃ": "ʧ", "dʒ": "ʤ", "eɪ": "A", "aɪ": "I", "ɔɪ": "Y", "aʊ": "W", "g": "ɡ", "ʔ": "t"}
AMERICAN = {"ɚ": "əɹ", "ɜː": "ɜɹ", "oʊ": "O", "ɾ": "T", "ː": ""}
BRITISH = {"əʊ": "Q", "a": "æ"}


def phonemes(word: str, is_british: bool) -> str:
    voice = "en-gb" if is_british else "en-us"
    spoken = subprocess.run(["espeak-ng", "-q", "--ipa", "-v", voice, word], capture_output=True, text=True, check=True)
    text = " ".join(spoken.stdout.split())
    for signs in (BOTH, BRITISH if is_british else AMERICAN):
        for sign, own in signs.items():
            text = text.replace(sign, own)
    return text


def main() -> None:
    word, folder, out, variants = sys.argv[1:5]
    voices = sorted(path.stem for path in pathlib.Path(folder).glob("[ab][fm]_*.bin"))
    spoken = {british: phonemes(word, british) for british in (False, True)}
    for number, (speed, end) in enumerate(VARIANTS[: int(variants)]):
        for voice in voices:
            path = pathlib.Path(out, f"{voice}_{speed}_{number}.wav")
            if not path.exists():
                print(voice, speed, spoken[voice[0] == "b"] + end, path, sep="\t", flush=True)


main()
