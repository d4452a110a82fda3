#!/usr/bin/env bash
# Says sentences in twelve languages (languages.tsv) with all of Kokoro's voices, for `sotto wake train WORD --other-speech DIR`.
#
#     scripts/kokoro/languages.sh DIR [VOICES_EACH]
#
# Takes about two seconds a clip; what is there already is not said again.
set -euo pipefail
out=${1:?the folder for the clips}
each=${2:-4}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
# shellcheck source=kokoro.sh
. "$here/kokoro.sh"

"$python" "$here/sentences.py" "$here/languages.tsv" "$voices" "$out" "$each" |
    "$python" "$here/say.py" "$model" "$vocabulary" "$voices"
