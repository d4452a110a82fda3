"""Kokoro-82M (Apache-2.0) as a child process: one line of standard input a clip, one line of standard output when done.

Input: VOICE <tab> SPEED <tab> PHONEMES OF A WORD <tab> PHONEMES OF WHAT FOLLOWS IT <tab> FILE. The word, without what follows,
is written to FILE as 24 kHz mono 16-bit WAV. Where nothing follows, all of it is, and what ends it stands behind its phonemes.
Usage: say.py MODEL.onnx VOCAB.json VOICES_DIR. Runs on one thread, and gives the same sound for the same line.

Kokoro mumbles words said alone: of 56 clips of a lone "Echo" a recogniser wrote 32 so. Before a request it says them
well. The word is cut off at the quietest place near where it would end if it were said alone.
"""
import json
import sys
import wave

import numpy
import onnxruntime

RATE_HZ = 24_000
# A frame of the loudness, in samples; what is quieter than the loudest frame by so many decibels is no speech.
FRAME = RATE_HZ // 100
SPEECH_DB = -30
# Where the word ends, in parts of its length alone.
SHORTEST, LONGEST = 0.65, 1.3


def energy(sound: numpy.ndarray) -> numpy.ndarray:
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    return (frames**2).mean(1)


def speech(sound: numpy.ndarray) -> tuple[int, int]:
    """The first frame of speech, and the one after the last."""
    loud = energy(sound)
    frames = numpy.flatnonzero(loud > loud.max() * 10 ** (SPEECH_DB / 10))
    return int(frames[0]), int(frames[-1]) + 1


def first_word(sound: numpy.ndarray, length: int) -> numpy.ndarray:
    """The first word of `sound`, of a word that takes `length` frames alone; faded out."""
    start, _ = speech(sound)
    quiet = numpy.convolve(energy(sound), numpy.ones(4) / 4, "same")
    earliest, latest = start + int(SHORTEST * length), start + int(LONGEST * length)
    end = earliest + int(numpy.argmin(quiet[earliest:latest]))
    word = sound[: end * FRAME].copy()
    word[-FRAME:] *= numpy.linspace(1, 0, FRAME)
    return word


def main() -> None:
    model, vocab, voices = sys.argv[1:4]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    numbers = json.load(open(vocab, encoding="utf-8"))["vocab"]
    styles: dict[str, numpy.ndarray] = {}

    def say(voice: str, speed: str, phonemes: str) -> numpy.ndarray:
        if voice not in styles:
            styles[voice] = numpy.fromfile(f"{voices}/{voice}.bin", "<f4").reshape(-1, 1, 256)
        tokens = [numbers[letter] for letter in phonemes if letter in numbers]
        inputs = {
            "tokens": numpy.array([[0, *tokens, 0]], "int64"),
            "style": styles[voice][min(len(tokens), len(styles[voice]) - 1)],
            "speed": numpy.array([speed], "float32"),
        }
        return session.run(None, inputs)[0].reshape(-1)

    for line in sys.stdin:
        voice, speed, word, rest, path = line.rstrip("\n").split("\t")
        if rest:
            start, end = speech(say(voice, speed, f"{word}."))
            sound = first_word(say(voice, speed, f"{word}, {rest}."), end - start)
        else:
            sound = say(voice, speed, word)
        with wave.open(path, "wb") as file:
            file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
            file.writeframes((numpy.clip(sound, -1, 1) * 32_767).astype("<i2").tobytes())
        print(path, flush=True)


main()
