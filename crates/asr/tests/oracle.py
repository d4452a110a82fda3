"""A maintainer's tool: what faster-whisper hears in the development clips, as the golden that `asr` is held to.

    python3 -m venv VENV && VENV/bin/pip install faster-whisper soundfile
    VENV/bin/python crates/asr/tests/oracle.py MODEL_DIR DATA_DIR > crates/asr/tests/it/oracle.tsv

MODEL_DIR is a CTranslate2 folder such as whisper-tiny-en, DATA_DIR the folder that holds `speech/manifest.tsv`.
Greedy, float32, without time stamps, without a fallback to other temperatures; the window is the full 30 s.
"""
import csv
import pathlib
import sys

import soundfile
from faster_whisper import WhisperModel

SOURCES = {"speech-to-phrase", "rhasspy-old", "mycroft-core", "richtier-alexa"}
NO_WORDS = ("test", "oov", "beep", "record")


def main(model_dir, data_dir):
    speech = pathlib.Path(data_dir) / "speech"
    model = WhisperModel(model_dir, device="cpu", compute_type="float32", cpu_threads=1)
    rows = list(csv.DictReader((speech / "manifest.tsv").open(), delimiter="\t", quoting=csv.QUOTE_NONE))
    print("file", "label", "oracle", sep="\t")
    for row in sorted(rows, key=lambda row: row["path"]):
        if row["source"] not in SOURCES:
            continue
        audio, rate = soundfile.read(speech / row["path"], dtype="float32")
        assert rate == 16000 and audio.ndim == 1, row["path"]
        segments, _ = model.transcribe(
            audio, language="en", beam_size=1, temperature=0.0, without_timestamps=True,
            condition_on_previous_text=False, compression_ratio_threshold=None, log_prob_threshold=None,
            no_speech_threshold=None)
        text = "".join(segment.text for segment in segments).strip()
        label = row["label"].replace("_", " ")
        label = "" if label.startswith(NO_WORDS) else label
        print(row["path"], label, text, sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
