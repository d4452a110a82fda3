#!/usr/bin/env bash
# Says a word with Kokoro's 28 English voices, for `sotto wake train WORD --voices DIR`.
#
#     scripts/kokoro/voices.sh WORD DIR [VARIANTS [alone]]
#
# The word is said before a request and cut off, which voices do better than saying it alone. For a word that people are
# recorded saying, whose clips are only company, `2 alone` is what "Alexa" was trained with.
# Takes about two seconds a clip; what is there already is not said again.
set -euo pipefail
word=${1:?the word}
out=${2:?the folder for the clips}
variants=${3:-4}
way=${4:-request}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
# shellcheck source=kokoro.sh
. "$here/kokoro.sh"

"$python" "$here/lines.py" "$word" "$voices" "$out" "$variants" "$way" |
    "$python" "$here/say.py" "$model" "$vocabulary" "$voices"
