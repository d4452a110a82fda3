// A real installation in a folder of its own: the cloud in one process, a device under `sotto ask` in another.
import { spawn, execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../target", import.meta.url));
const binary = process.env.SOTTO_BINARY ?? join(target, "release/sotto");

export class Sotto {
  #data = mkdtempSync(join(tmpdir(), "sotto-web-"));
  #cloud;

  // Starts the cloud on free ports; resolves with what `up --json` prints.
  async up() {
    this.#cloud = spawn(binary, ["--data", this.#data, "--port", "0", "up", "--json"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#cloud.stderr.resume();
    for await (const line of createInterface({ input: this.#cloud.stdout })) {
      this.told = JSON.parse(line);
      return this.told;
    }
    throw new Error("the cloud ended before it said where it is");
  }

  // Says a request to a device with a synthetic voice; resolves with the line that `ask --json` prints.
  async say(text) {
    const { stdout } = await run(binary, ["--data", this.#data, "ask", "--fast", "--json", "--say", text]);
    return JSON.parse(stdout.trim().split("\n")[0]);
  }

  // The names of all files under the data directory whose bytes hold `needle`.
  filesHolding(needle) {
    const bytes = Buffer.from(needle);
    return this.#files().filter((file) => readFileSync(file).includes(bytes));
  }

  blobs() {
    return this.#files().filter((file) => file.includes("/blobs/"));
  }

  async down() {
    if (this.#cloud?.exitCode === null) {
      const ended = new Promise((done) => this.#cloud.once("exit", done));
      this.#cloud.kill("SIGTERM");
      await ended;
    }
    rmSync(this.#data, { recursive: true, force: true });
  }

  #files() {
    return readdirSync(this.#data, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  }
}
