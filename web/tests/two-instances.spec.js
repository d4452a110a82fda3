// Two installations and another program on one machine, in one browser: each cookie reaches the one it is for.
import { createServer } from "node:http";
import { expect, test } from "@playwright/test";
import { Sotto } from "./sotto.js";

const sottos = [new Sotto(), new Sotto()];

test.beforeAll(async () => {
  for (const sotto of sottos) await sotto.up();
});

test.afterAll(async () => {
  for (const sotto of sottos) await sotto.down();
});

test("both stay signed in, old links lead on, and another port is sent no cookie", async ({ page, context }) => {
  for (const { told } of sottos) {
    const port = new URL(told.app).port;
    await page.goto(`http://localhost:${port}/activity`);
    expect(new URL(page.url()).origin).toBe(told.app);
    await page.getByLabel("Account").fill(told.account);
    await page.getByLabel("Password").fill(told.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("heading", { name: "Activity", level: 1 })).toBeVisible();
  }
  for (const { told } of sottos) {
    await page.goto(`${told.app}/devices`);
    await expect(page).toHaveURL(`${told.app}/devices`);
  }
  for (const cookie of await context.cookies()) {
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", domain: expect.stringMatching(/^sotto-[0-9a-f]{8}\.localhost$/) });
  }

  const heard = [];
  const other = createServer((request, response) => {
    heard.push(request.headers.cookie);
    response.end("hello");
  });
  await new Promise((listening) => other.listen(0, "127.0.0.1", listening));
  await page.goto(`http://localhost:${other.address().port}/`);
  other.close();
  expect(heard.length).toBeGreaterThan(0);
  expect(heard.filter(Boolean)).toEqual([]);
});
