// What is on the screen, by the names that the UI gives it.
import assert from "node:assert/strict";

/** The inbox: rows, the open thread, the composer. */
export class Inbox {
  constructor(page) {
    this.page = page;
    this.rows = page.getByTestId("conversation-row");
    this.thread = page.getByTestId("thread");
    this.messages = this.thread.getByTestId("message");
    this.composer = page.getByTestId("composer");
  }

  /** The row of a conversation. */
  row(name) {
    return this.rows.filter({ hasText: name });
  }

  /** Opens a conversation from the list, and waits for its thread. */
  async openRow(name) {
    await this.row(name).click();
    await this.page.getByTestId("thread-name").filter({ hasText: name }).waitFor();
    await this.thread.waitFor();
  }

  /** The bubble with these words. */
  message(words) {
    return this.messages.filter({ hasText: words });
  }

  /** Waits until the message with these words is in this state; once only. */
  async is(words, state) {
    await this.thread.locator(`[data-testid="message"][data-state="${state}"]`).filter({ hasText: words }).waitFor();
    assert.equal(await this.message(words).count(), 1, `"${words}" stands there once`);
  }

  /** The state's word as a screen reader says it. */
  async tick(words) {
    return await this.message(words).getByTestId("tick").getAttribute("aria-label");
  }

  /** Writes and sends. */
  async say(words) {
    await this.composer.fill(words);
    await this.page.getByTestId("composer-send").click();
  }

  /** The words of all bubbles that carry one of these, in the order of the screen. */
  async order(some) {
    const all = await this.messages.allTextContents();
    return all.map((text) => some.find((one) => text.includes(one))).filter(Boolean);
  }
}
