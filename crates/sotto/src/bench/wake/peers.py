"""Plays WAV files to a free wake word engine and prints one JSON object a file, as `sotto wake detect --json` does.

    peers.py pymicro-wakeword|pyopen-wakeword WORD    (the files' names on standard input, one a line)

Ends with 3 where the package or a model of the word is not there.
"""

import json
import sys
import time
import wave

# One step of 80 ms, and how long a detection stays the same one.
STEP_BYTES = 2560
SAME_S = 1.0
# The threshold its authors use (its command line's default).
OPEN_THRESHOLD = 0.5


def micro(word):
    from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

    engine, features = MicroWakeWord.from_builtin(Model(word)), MicroWakeWordFeatures()

    def step(audio):
        return any([engine.process_streaming(frame) for frame in features.process_streaming(audio)])

    return step, (engine, features)


def open_(word):
    from pyopen_wakeword import Model, OpenWakeWord, OpenWakeWordFeatures

    engine, features = OpenWakeWord.from_builtin(Model(word)), OpenWakeWordFeatures.from_builtin()

    def step(audio):
        scores = [list(engine.process_streaming(frame)) for frame in features.process_streaming(audio)]
        return any(score > OPEN_THRESHOLD for group in scores for score in group)

    return step, (engine, features)


def main():
    try:
        step, parts = {"pymicro-wakeword": micro, "pyopen-wakeword": open_}[sys.argv[1]](sys.argv[2])
    except (ImportError, ValueError):
        sys.exit(3)
    for name in sys.stdin.read().splitlines():
        for part in parts:
            part.reset()
        with wave.open(name, "rb") as file:
            audio = file.readframes(file.getnframes())
        start, detections = time.process_time(), []
        for at in range(0, len(audio) - STEP_BYTES + 1, STEP_BYTES):
            if step(audio[at : at + STEP_BYTES]):
                now = (at + STEP_BYTES) / 32000
                if not detections or now - detections[-1]["last_s"] > SAME_S:
                    detections.append({"at_s": now})
                detections[-1]["last_s"] = now
        cpu_s = time.process_time() - start
        print(json.dumps({"file": name, "seconds": len(audio) / 32000, "cpu_s": cpu_s, "detections": detections}), flush=True)


main()
