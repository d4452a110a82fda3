// The recogniser in WebAssembly, run by Node: node browser.mjs MODULE MODEL.i8 SOUND.wav [WORD]
// Prints what it hears and what that cost, the compiling of the module among it; with WORD, fails where it is not among the words.
import { readFileSync } from "node:fs";

const RATE = 16000;
const [modulePath, modelPath, soundPath, word] = process.argv.slice(2);

// 16 bits, one channel, at any rate.
function readWav(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let rate = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const kind = bytes.toString("latin1", at, at + 4);
    const size = Math.min(view.getUint32(at + 4, true), bytes.length - at - 8);
    if (kind === "fmt ") rate = view.getUint32(at + 12, true);
    if (kind === "data") {
      const samples = Float32Array.from({ length: size >> 1 }, (_, i) => view.getInt16(at + 8 + 2 * i, true) / 32768);
      return resample(samples, rate);
    }
    at += 8 + size + (size & 1);
  }
  throw new Error(`${soundPath}: no samples`);
}

function resample(samples, rate) {
  const step = rate / RATE;
  return Float32Array.from({ length: Math.floor((samples.length - 1) / step) }, (_, i) => {
    const at = i * step, whole = Math.floor(at);
    return samples[whole] + (samples[whole + 1] - samples[whole]) * (at - whole);
  });
}

const { instance } = await WebAssembly.instantiate(readFileSync(modulePath), {});
const { memory, room, load, hear, words } = instance.exports;
const put = (bytes) => {
  const at = room(bytes.length);
  new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
};
put(readFileSync(modelPath));
if (load() !== 1) throw new Error(`${modelPath}: not a compact model file`);
put(new Uint8Array(readWav(readFileSync(soundPath)).buffer));
const start = process.cpuUsage();
const length = hear();
const spent = process.cpuUsage(start);
const ms = (spent.user + spent.system) / 1000;
const text = new TextDecoder().decode(new Uint8Array(memory.buffer, words(), length));
console.log(`${text} (${ms.toFixed(0)} ms of CPU time)`);
if (word && !text.toLowerCase().includes(word)) throw new Error(`"${word}" is not among the words`);
