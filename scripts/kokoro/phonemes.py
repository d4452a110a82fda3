"""How espeak-ng says a text, in the signs that Kokoro was taught."""
import re
import subprocess


def phonemes(language: str, text: str, *spellings: dict[str, str]) -> str:
    """`language` is a voice of espeak-ng's; each of `spellings` says which of its signs Kokoro writes otherwise."""
    spoken = subprocess.run(["espeak-ng", "-q", "--ipa", "-v", language, text], capture_output=True, text=True, check=True)
    # A word that espeak-ng takes for another language's stands behind that language's name.
    text = " ".join(re.sub(r"\([a-z-]+\)", "", spoken.stdout).split())
    for signs in spellings:
        for sign, own in signs.items():
            text = text.replace(sign, own)
    return text
