// A real nginx in front of the server, as operators have it: one process for the suite around the call, each
// way of configuring it on a port of its own.
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { after, before } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort, useServer } from "./server.mjs";
import { until } from "./until.mjs";

const run = promisify(execFile);

/**
 * A server and the nginx in front of it. `ways` maps a name to `{ location, more, tls }`: what stands in the
 * location, what stands in the server around it, and whether it speaks TLS.
 */
export function useNginx(ways) {
  const nginx = { ports: {}, origin: (way) => `${ways[way].tls ? "https" : "http"}://127.0.0.1:${nginx.ports[way]}` };
  // The server has to be told the addresses that people use, and nginx where the server is.
  before(async () => {
    for (const way of Object.keys(ways)) nginx.ports[way] = await freePort();
  });
  const publicUrls = () => Object.keys(ways).flatMap((way) => ["--public-url", nginx.origin(way)]);
  const server = useServer({ args: () => ["--guests", "on", ...publicUrls()] });
  before(async () => {
    nginx.folder = await mkdtemp(join(tmpdir(), "wigeon-nginx-"));
    const pair = ["-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1"];
    await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...pair], { cwd: nginx.folder });
    const servers = Object.entries(ways).map(([way, { location = "", tls = false, more = "" }]) => `
      server {
        listen 127.0.0.1:${nginx.ports[way]} ${tls ? "ssl http2" : ""};
        ${tls ? "ssl_certificate cert.pem; ssl_certificate_key key.pem;" : ""}
        ${more}
        location / { proxy_pass http://127.0.0.1:${server.port}; ${location} }
      }`);
    await writeFile(join(nginx.folder, "nginx.conf"), `
      daemon off; worker_processes 1; pid nginx.pid; error_log stderr warn;
      events { worker_connections 512; }
      http {
        access_log off;
        client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        ${servers.join("\n")}
      }`);
    nginx.process = spawn("nginx", ["-p", nginx.folder, "-c", "nginx.conf"], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    nginx.process.stderr.on("data", (chunk) => (said += chunk));
    const plain = Object.keys(ways).find((way) => !ways[way].tls);
    await until("nginx listens", async () => {
      if (nginx.process.exitCode !== null) throw new Error(said);
      return (await fetch(`${nginx.origin(plain)}/healthz`)).ok;
    });
  });
  after(async () => {
    if (nginx.process?.exitCode === null) {
      const gone = new Promise((resolve) => nginx.process.once("exit", resolve));
      nginx.process.kill("SIGTERM");
      await gone;
    }
    if (nginx.folder) await rm(nginx.folder, { recursive: true, force: true });
  });
  return { nginx, server };
}
