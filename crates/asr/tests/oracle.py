"""A maintainer's tool: what faster-whisper hears in the development clips, as the golden that `asr` is held to.

    python3 -m venv VENV && VENV/bin/pip install faster-whisper soundfile
    VENV/bin/python crates/asr/tests/oracle.py MODEL_DIR DATA_DIR > crates/asr/tests/it/oracle.tsv

    VENV/bin/python crates/asr/tests/oracle.py MODEL_DIR DATA_DIR --tokens tiny.en > crates/asr/tests/it/tokens.tiny.en.tsv
    VENV/bin/python crates/asr/tests/oracle.py MODEL_DIR DATA_DIR --tokens base > crates/asr/tests/it/tokens.base.tsv

MODEL_DIR is a CTranslate2 folder such as whisper-tiny-en, DATA_DIR the folder that holds `speech/manifest.tsv`.
With `--tokens`, of some of the clips: each token that it chooses, and by how much its score exceeds the next best one's.
Greedy, float32, without time stamps, without a fallback to other temperatures; the window is the full 30 s.
"""
import csv
import pathlib
import sys

import numpy
import soundfile
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer

SOURCES = {"speech-to-phrase", "rhasspy-old", "mycroft-core", "richtier-alexa"}
NO_WORDS = ("test", "oov", "beep", "record")


# Every so manieth clip is gone through token by token.
EVERY = {"tiny.en": 3, "base": 6}


def clips(data_dir):
    speech = pathlib.Path(data_dir) / "speech"
    rows = list(csv.DictReader((speech / "manifest.tsv").open(), delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in sorted(rows, key=lambda row: row["path"]):
        if row["source"] not in SOURCES:
            continue
        audio, rate = soundfile.read(speech / row["path"], dtype="float32")
        assert rate == 16000 and audio.ndim == 1, row["path"]
        yield row, audio


def texts(model, data_dir):
    print("file", "label", "oracle", sep="\t")
    for row, audio in clips(data_dir):
        segments, _ = model.transcribe(
            audio, language="en", beam_size=1, temperature=0.0, without_timestamps=True,
            condition_on_previous_text=False, compression_ratio_threshold=None, log_prob_threshold=None,
            no_speech_threshold=None)
        text = "".join(segment.text for segment in segments).strip()
        label = row["label"].replace("_", " ")
        label = "" if label.startswith(NO_WORDS) else label
        print(row["path"], label, text, sep="\t")


def tokens(model, data_dir, name):
    tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language="en")
    prompt = model.get_prompt(tokenizer, [], without_timestamps=True)
    print("file", "token:margin", sep="\t")
    for row, audio in list(clips(data_dir))[::EVERY[name]]:
        features = pad_or_trim(model.feature_extractor(audio)[:, :-1])
        result = model.model.generate(
            model.encode(features), [prompt], beam_size=1, return_logits_vocab=True, suppress_blank=True,
            suppress_tokens=[-1], max_length=len(prompt) + 40)[0]
        chosen = result.sequences_ids[0] + [tokenizer.eot]
        steps = []
        for token, logits in zip(chosen, result.logits[0]):
            scores = numpy.array(logits)
            margin = scores[token] - numpy.delete(scores, token).max()
            if margin < 0:  # a token that is never spoken, or the blank that nothing begins with
                margin = 0.0
            steps.append(f"{token}:{margin:.2f}")
        print(row["path"], " ".join(steps), sep="\t")


def main(model_dir, data_dir, *how):
    model = WhisperModel(model_dir, device="cpu", compute_type="float32", cpu_threads=1)
    tokens(model, data_dir, how[1]) if how else texts(model, data_dir)


if __name__ == "__main__":
    main(*sys.argv[1:])
