// A real nginx in front of a test's server: its own process, ports, directory and certificate.
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../lib/server.mjs";
import { until } from "../lib/until.mjs";

const PROGRAMS = [process.env.NGINX, "nginx", "/usr/sbin/nginx"];
const template = new URL("./nginx.conf", import.meta.url);
const manual = new URL("../../docs/operating.md", import.meta.url);

/** Blocks with TLS; their certificate is for `localhost`. */
const SECURE = new Set(["tls", "recommended"]);

/** What to start it with; undefined where there is none. */
export const nginx = PROGRAMS.find((program) => {
  try {
    execFileSync(program, ["-v"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});

export class Proxy {
  ports = {};

  /** Ports for these server blocks of nginx.conf: the server behind must know its public addresses before it starts. */
  async reserve(blocks) {
    for (const block of blocks) this.ports[block] = await freePort();
  }

  origin(block) {
    return SECURE.has(block) ? `https://localhost:${this.ports[block]}` : `http://127.0.0.1:${this.ports[block]}`;
  }

  get origins() {
    return Object.keys(this.ports).map((block) => this.origin(block));
  }

  async start(wigeon) {
    this.directory = await mkdtemp(join(tmpdir(), "wigeon-nginx-"));
    this.certificate = join(this.directory, "certificate.pem");
    execFileSync("openssl", [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
      "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
      "-keyout", join(this.directory, "key.pem"), "-out", this.certificate,
    ], { stdio: "ignore" });
    const values = { wigeon, ...this.ports };
    values.manual = adapt(await readFile(manual, "utf8"), wigeon, this.ports.recommended);
    const text = (await readFile(template, "utf8")).replace(/\{\{(\w+)\}\}/g, (_, name) => values[name]);
    const file = join(this.directory, "nginx.conf");
    await writeFile(file, text);
    this.process = spawn(nginx, ["-p", this.directory, "-c", file, "-e", "stderr"], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    this.process.stderr.on("data", (chunk) => (said += chunk));
    await until("nginx passes requests on", async () => {
      if (this.process.exitCode !== null) throw new Error(`nginx ended: ${said}`);
      return (await fetch(`${this.origin("plain")}/healthz`)).ok;
    });
  }

  /** The requests that came to an end at this block, oldest first. */
  async ended(block) {
    const log = await readFile(join(this.directory, "access.log"), "utf8");
    // The last line may still be on its way.
    const lines = log.slice(0, log.lastIndexOf("\n") + 1).split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line)).filter((request) => request.port === this.ports[block]);
  }

  async end() {
    if (this.process && this.process.exitCode === null) {
      const gone = new Promise((resolve) => this.process.once("exit", resolve));
      this.process.kill("SIGKILL");
      await gone;
    }
    if (this.directory) await rm(this.directory, { recursive: true, force: true });
  }
}

/** The manual's nginx block, on our port and paths. Everything else of it stays. */
function adapt(text, wigeon, port) {
  const block = /```nginx\n(map [\s\S]*?)```/.exec(text)?.[1];
  if (!block) throw new Error("docs/operating.md has no nginx block");
  const changes = [
    [/listen 443/, `listen 127.0.0.1:${port}`],
    ["chat.example;", "localhost;"],
    [/ssl_certificate .*;/, "ssl_certificate certificate.pem;"],
    [/ssl_certificate_key .*;/, "ssl_certificate_key key.pem;"],
    [/access_log \S+ .*;/, "access_log access.log requests;"],
    ["127.0.0.1:8088", `127.0.0.1:${wigeon}`],
  ];
  return changes.reduce((changed, [from, to]) => {
    const next = changed.replace(from, to);
    if (next === changed) throw new Error(`docs/operating.md: nothing to replace by "${to}"`);
    return next;
  }, block);
}
