// The server and the simulator, each on a free port with a directory of its own.
import { mkdtemp } from "node:fs/promises";
import path from "node:path";
import { freePort, Program, root, scratch } from "./processes.js";

const built = (name) => path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"), "debug", name);

const answers = (url) => async () => (await fetch(url)).ok;

/** Starts a simulator whose waits are short. */
export async function startSimulator(name = "simulator") {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = await Program.start(name, built("indaba-simulator"), ["--listen", `127.0.0.1:${port}`, "--fast"]);
  await program.until("the simulator", answers(`${url}/ready`));
  return { url, program };
}

/**
 * Starts a server with one operator gateway, the simulator. `again`: what an earlier start of the same server answered; its data and
 * its address stay.
 */
export async function startServer(simulatorUrl, { name = "indaba", again } = {}) {
  const port = again?.port ?? (await freePort());
  const data = again?.data ?? (await mkdtemp(path.join(scratch, `${name}-`)));
  const url = `http://127.0.0.1:${port}`;
  const program = await Program.start(name, built("indaba"), ["serve"], {
    env: {
      INDABA_DATA_DIR: data,
      INDABA_LISTEN: `127.0.0.1:${port}`,
      INDABA_LOG_FORMAT: "text",
      INDABA_GATEWAY_KIND: "waha",
      INDABA_GATEWAY_URL: simulatorUrl,
      INDABA_GATEWAY_KEY: "simulator",
      INDABA_GATEWAY_CAPACITY: "1000",
      // Meta's API is played there too, and people of a workspace may name it as a gateway of their own.
      INDABA_GRAPH_URL: `${simulatorUrl}/graph/v26.0`,
      INDABA_PRIVATE_HOSTS: new URL(simulatorUrl).host,
      // Everybody comes from one address here, and nobody waits between two messages.
      INDABA_LIMITS_SIGN_IN_PER_MINUTE: "100000",
      INDABA_LIMITS_USER_PER_MINUTE: "100000",
      INDABA_LIMITS_TENANT_PER_MINUTE: "100000",
      INDABA_PACE_LINKED_MIN_MS: "0",
      INDABA_PACE_LINKED_MAX_MS: "1",
      INDABA_SENDING_UNKNOWN_AFTER_S: "1",
    },
  });
  await program.until("the server", answers(`${url}/api/health/ready`));
  return { url, port, data, program };
}
