// A stranger's first minutes: a request is asked, seen in a browser, played, deleted, and nothing of it is left.
import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { Sotto } from "./sotto.js";

const sotto = new Sotto();
let asked;

test.beforeAll(async () => {
  await sotto.up();
  asked = await sotto.say("Alexa, what time is it");
});

test.afterAll(async () => {
  await sotto.down();
});

async function signIn(page) {
  await page.goto(sotto.told.app);
  await page.getByLabel("Account").fill(sotto.told.account);
  await page.getByLabel("Password").fill(sotto.told.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Activity", level: 1 })).toBeVisible();
}

test("a request asked aloud is answered", async () => {
  expect(asked.woke).toBe(true);
  expect(asked.transcript.toLowerCase()).toContain("what time is it");
  expect(asked.reply).toBeTruthy();
});

test("pages need the owner's password", async ({ page }) => {
  await page.goto(`${sotto.told.app}/activity`);
  await expect(page).toHaveURL(/\/sign-in$/);
  await page.getByLabel("Account").fill(sotto.told.account);
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("do not match");
});

test("the list is readable on a desk and on a phone, by eye and by screen reader", async ({ page }) => {
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await signIn(page);
  await expect(page.locator("main")).toMatchAriaSnapshot(`
    - main:
      - heading "Activity" [level=1]
      - paragraph
      - region "Today":
        - heading "Today" [level=2]
        - group: /what time is it/
  `);
  for (const scheme of ["light", "dark"]) {
    // Without motion: a colour on its way from one scheme to the other is no colour of either.
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map((violation) => `${scheme}: ${violation.id}`)).toEqual([]);
    await page.screenshot({ path: `test-results/activity-${scheme}.png` });
  }
  await page.setViewportSize({ width: 390, height: 844 });
  const overflows = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  expect(overflows).toBe(false);
  await page.screenshot({ path: "test-results/activity-phone.png" });
  expect(complaints).toEqual([]);
});

test("a request is seen, played, deleted, and nothing of it is left", async ({ page }) => {
  await signIn(page);
  await page.getByText(/what time is it/i).first().click();
  await page.screenshot({ path: "test-results/request.png" });
  const player = page.locator("details[open] audio");
  const played = await player.evaluate(async (audio) => {
    const ended = new Promise((done, failed) => {
      audio.addEventListener("ended", () => done(audio.duration));
      audio.addEventListener("error", () => failed(new Error("does not play")));
    });
    audio.playbackRate = 4;
    await audio.play();
    return ended;
  });
  expect(played).toBeGreaterThan(1);
  const source = await player.getAttribute("src");
  expect(sotto.blobs().length).toBe(1);

  await page.locator("details[open]").getByRole("link", { name: /Delete/ }).click();
  await expect(page.getByRole("heading", { name: "Delete this request?" })).toBeVisible();
  await page.screenshot({ path: "test-results/delete.png" });
  await page.getByRole("button", { name: "Delete for good" }).click();

  await expect(page.getByRole("status")).toContainText(/Deleted\. Receipt/);
  await expect(page.getByText(/what time is it/i)).toHaveCount(0);
  // By the browser, which knows names under `localhost`; Node leaves them to the system.
  expect((await page.goto(sotto.told.app + source)).status()).toBe(404);
  expect(sotto.blobs()).toEqual([]);
  expect(sotto.filesHolding("what time is it")).toEqual([]);
  expect(sotto.filesHolding("What time is it")).toEqual([]);
});

test("without JavaScript, a request is listed and deleted just the same", async ({ browser }) => {
  await sotto.say("Alexa, what time is it");
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await signIn(page);
  await page.getByText(/what time is it/i).first().click();
  await page.locator("details[open]").getByRole("link", { name: /Delete/ }).click();
  await page.getByRole("button", { name: "Delete for good" }).click();
  await expect(page.getByRole("status")).toContainText(/Deleted\. Receipt/);
  await context.close();
});
