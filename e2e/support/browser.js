// One Chromium for the whole run; each story gets contexts of its own in it.
import { chromium } from "playwright-core";

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A microphone that beeps, and nobody to ask whether it may be used.
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
];

/** Starts the browser that `connect` reaches. */
export function launch() {
  return chromium.launchServer({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: flags,
    handleSIGINT: false,
    handleSIGTERM: false,
  });
}

let connected;

/** The run's browser. */
export const browser = () => {
  connected ??= chromium.connect(process.env.E2E_BROWSER);
  return connected;
};

/** Lets the process of a test file end. */
export async function letGo() {
  await (await connected)?.close();
}
