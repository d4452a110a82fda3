// Debian's Chromium, one test at a time: each starts a real cloud and a real device. Playwright 1.61 is the last that runs
// on Node 18, which is what Debian 12 has.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "tests",
  workers: 1,
  timeout: 180_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  outputDir: "test-results",
  use: {
    browserName: "chromium",
    launchOptions: {
      executablePath: process.env.SOTTO_CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--autoplay-policy=no-user-gesture-required",
      ],
    },
    viewport: { width: 1200, height: 820 },
    screenshot: "only-on-failure",
    trace: "off",
  },
});
