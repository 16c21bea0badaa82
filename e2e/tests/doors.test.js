import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { story } from "../support/story.js";
import { password } from "../support/workspace.js";

story("somebody new signs up, is told what to do first, signs out and in again", async (stage) => {
  const context = await stage.context();
  const page = await context.newPage();
  const email = `thabo.${randomUUID()}@example.com`;
  await page.goto(`${stage.server}/`);
  await page.waitForURL("**/sign-in*");
  await page.getByRole("link", { name: "Make a workspace" }).click();
  await page.getByLabel("Your name").fill("Thabo Molefe");
  await page.getByLabel("Work e-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByTestId("strength").filter({ hasText: "Strong" }).waitFor();
  await page.getByLabel("Workspace name").fill("Baobab Rentals");
  await page.getByLabel("Country").selectOption("ZA");
  await page.getByRole("button", { name: "Make the workspace" }).click();

  await page.waitForURL("**/chat");
  await page.getByTestId("empty").filter({ hasText: "No number yet" }).waitFor();
  await page.getByTestId("user-menu").click();
  await page.getByTestId("sign-out").click();
  await page.waitForURL("**/sign-in*");

  await page.getByLabel("Work e-mail").fill(email.toUpperCase());
  await page.getByLabel("Password", { exact: true }).fill("not this one at all");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page
    .getByTestId("form-problem")
    .filter({ hasText: "This combination of e-mail and password is wrong." })
    .waitFor();
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/chat");
  await page.getByTestId("empty").filter({ hasText: "No number yet" }).waitFor();

  const cookies = await context.cookies();
  assert.deepEqual(
    cookies.filter((one) => one.name.startsWith("indaba")).map((one) => [one.httpOnly, one.sameSite]),
    [
      [true, "Lax"],
      [true, "Lax"],
    ],
    "two cookies that no script can read",
  );
});

story("a page that was asked for is opened after the sign-in", async (stage) => {
  const { owner } = await stage.workspace({ linked: false });
  const context = await stage.context();
  const page = await context.newPage();
  await page.goto(`${stage.server}/settings/jobs`);
  await page.waitForURL("**/sign-in?next=*");
  await page.getByLabel("Work e-mail").fill(owner.email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/settings/jobs");
});

story("an invited colleague joins by the link that the team page shows", async (stage) => {
  const { owner } = await stage.workspace({ linked: false });
  const page = await owner.open("/settings/team");
  const email = `lerato.${randomUUID()}@example.com`;
  const form = page.locator("main form").filter({ hasText: "Work e-mail" });
  await form.getByLabel("Work e-mail").fill(email);
  await form.getByRole("button", { name: "Invite" }).click();
  const link = page.getByTestId("invitation-link");
  await link.waitFor();
  const address = (await link.textContent()).match(/http\S+/)[0];

  const hers = await (await stage.context()).newPage();
  await hers.goto(address);
  await hers.getByLabel("Your name").fill("Lerato Dube");
  await hers.getByLabel("Password", { exact: true }).fill(password);
  await hers.getByRole("button", { name: /^Join/ }).click();
  await hers.waitForURL("**/chat");

  await page.reload();
  await page.getByText("Lerato Dube").waitFor();
});

story("nobody leaves what is not saved without a question, by the browser's own buttons neither", async (stage) => {
  const { owner } = await stage.workspace({ linked: false });
  const page = await owner.open("/settings/team");
  await page.getByRole("link", { name: "Profile" }).click();
  const field = page.getByLabel("Your name");
  await field.fill("Somebody Else");
  const asked = [];
  let leaves = false;
  page.on("dialog", (dialog) => {
    asked.push(dialog.message());
    return leaves ? dialog.accept() : dialog.dismiss();
  });
  await page.getByRole("link", { name: "Team" }).click();
  await page.goBack().catch(() => undefined);
  await page.waitForURL("**/settings/profile");
  assert.equal(await field.inputValue(), "Somebody Else");
  assert.deepEqual(asked, Array(2).fill("Leave without saving? What you changed here is lost."));
  leaves = true;
  await page.goBack();
  await page.waitForURL("**/settings/team");
  await field.waitFor({ state: "detached" }); // the address is there before the page
  await page.goForward();
  await page.waitForURL("**/settings/profile");
  assert.notEqual(await field.inputValue(), "Somebody Else");
});
