"""Kokoro-82M (Apache-2.0) as a child process: one line of standard input a clip, one line of standard output when done.

Input: VOICE <tab> SPEED <tab> PHONEMES <tab> FILE. The clip is written to FILE as 24 kHz mono 16-bit WAV.
Usage: kokoro.py MODEL.onnx VOCAB.json VOICES_DIR. Runs on one thread, and gives the same sound for the same line.
"""
import json
import sys
import wave

import numpy
import onnxruntime


def main() -> None:
    model, vocab, voices = sys.argv[1:4]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    numbers = json.load(open(vocab, encoding="utf-8"))["vocab"]
    styles: dict[str, numpy.ndarray] = {}
    for line in sys.stdin:
        voice, speed, phonemes, path = line.rstrip("\n").split("\t")
        if voice not in styles:
            styles[voice] = numpy.fromfile(f"{voices}/{voice}.bin", "<f4").reshape(-1, 1, 256)
        tokens = [numbers[letter] for letter in phonemes if letter in numbers]
        inputs = {
            "tokens": numpy.array([[0, *tokens, 0]], "int64"),
            "style": styles[voice][min(len(tokens), len(styles[voice]) - 1)],
            "speed": numpy.array([speed], "float32"),
        }
        sound = session.run(None, inputs)[0].reshape(-1)
        with wave.open(path, "wb") as file:
            file.setparams((1, 2, 24_000, 0, "NONE", ""))
            file.writeframes((numpy.clip(sound, -1, 1) * 32_767).astype("<i2").tobytes())
        print(path, flush=True)


main()
