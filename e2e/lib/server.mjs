// A Wigeon of the test's own: the release binary, a free port, a new data directory, both gone afterwards.
import { execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { after, before } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.mjs";

const wigeon = process.env.WIGEON ?? new URL("../../target/release/wigeon", import.meta.url).pathname;

export async function freePort() {
  const listener = createServer();
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

/** A server for the suite around the call. `args(server)` gives it more flags. */
export function useServer({ args = () => [] } = {}) {
  const server = new Server(args);
  before(() => server.begin());
  after(() => server.end());
  return server;
}

class Server {
  said = "";

  constructor(args) {
    this.args = args;
  }

  async begin() {
    this.port = await freePort();
    this.origin = `http://127.0.0.1:${this.port}`;
    this.data = await mkdtemp(join(tmpdir(), "wigeon-e2e-"));
    await this.start();
  }

  async start() {
    const args = ["serve", "--listen", `127.0.0.1:${this.port}`, "--data", this.data, ...this.args(this)];
    // Links in messages of tests lead to sites that exist. The tests of previews switch it on again.
    const env = { ...process.env, WIGEON_PREVIEWS: "off" };
    this.process = spawn(wigeon, args, { stdio: ["ignore", "pipe", "pipe"], env });
    const say = (chunk) => (this.said = (this.said + chunk).slice(-20_000));
    this.process.stdout.on("data", say);
    this.process.stderr.on("data", say);
    await until("the server is healthy", async () => {
      if (this.process.exitCode !== null) throw new Error(`wigeon ended: ${this.said}`);
      return (await fetch(`${this.origin}/healthz`)).ok;
    });
  }

  /** `kill -9`, and gone when this returns. */
  async kill() {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await gone;
  }

  async end() {
    await this.kill();
    if (this.data) await rm(this.data, { recursive: true, force: true });
  }

  /** A token of somebody with an id of their own; `role` "service" is exempt from rates. */
  token(user, { name = user, role = "user" } = {}) {
    return execFileSync(wigeon, ["token", "--user", user, "--name", name, "--role", role, "--data", this.data], { encoding: "utf8" }).trim();
  }

  async guest(name) {
    const response = await this.post("/v1/guests", { name });
    if (response.status !== 201) throw new Error(`guest: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** One command; its `ok`, or an error that carries the reply. */
  async command(token, command) {
    const response = await this.post("/v1/commands", { id: randomUUID(), ...command }, token);
    const answer = await response.json();
    const reply = answer.replies?.[0];
    if (!reply?.ok) throw new Error(`${command.type}: ${response.status} ${JSON.stringify(answer)}`);
    return reply.ok;
  }

  send(token, room, text) {
    return this.command(token, { type: "send", room, body: { text } });
  }

  /** The texts that a room holds, oldest first, whole. */
  async texts(token, room) {
    const texts = [];
    for (let after = 0; ; ) {
      const page = await this.command(token, { type: "history", room, after, limit: 100 });
      texts.push(...page.messages.map((message) => message.body?.text));
      if (!page.messages.length || !page.more) return texts;
      after = page.messages.at(-1).seq;
    }
  }

  /** A ticket bound to the origin of a page. */
  async ticket(token, origin) {
    const response = await this.post("/v1/tickets", {}, token, origin ? { origin } : {});
    if (!response.ok) throw new Error(`ticket: ${response.status} ${await response.text()}`);
    return (await response.json()).ticket;
  }

  /** The cursor of now. */
  async cursor(token) {
    const response = await fetch(`${this.origin}/v1/events?transport=poll`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return (await response.json()).cursor;
  }

  post(path, body, token, headers = {}) {
    return fetch(this.origin + path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      body: JSON.stringify(body),
    });
  }
}
