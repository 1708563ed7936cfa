// What is committed in dist/: it is what the sources build, it is small, and the legacy file runs where it must.
import { after, test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parse } from "acorn";
import { files } from "../build.mjs";

const dist = name => readFileSync(new URL(`../dist/${name}`, import.meta.url), "utf8");
const gzipped = name => gzipSync(dist(name), { level: 9 }).length;
const directory = mkdtempSync(join(tmpdir(), "wigeon-build-"));
after(() => rmSync(directory, { recursive: true }));

test("dist is what the sources build, to the byte, twice", async () => {
  const [one, two] = [await files(), await files()];
  for (const name in one) {
    assert.equal(one[name], two[name], `${name} differs from build to build`);
    assert.ok(one[name] === dist(name), `client/dist/${name} is stale: node client/build.mjs`);
  }
});

test("the modern files are at most 10 KB, the legacy one at most 16 KB", () => {
  assert.ok(gzipped("wigeon.js") <= 10 * 1024, `wigeon.js has ${gzipped("wigeon.js")} bytes`);
  assert.ok(gzipped("wigeon.mjs") <= 10 * 1024, `wigeon.mjs has ${gzipped("wigeon.mjs")} bytes`);
  assert.ok(gzipped("wigeon-legacy.js") <= 16 * 1024, `wigeon-legacy.js has ${gzipped("wigeon-legacy.js")} bytes`);
});

test("the legacy file is ES3 for the parser", () => {
  parse(dist("wigeon-legacy.js"), { ecmaVersion: 3, allowReserved: "never" });
});

test("the legacy file asks the engine for nothing newer than IE 8 has", () => {
  const found = dist("wigeon-legacy.js").match(
    /\b(Promise|Symbol|Proxy|Reflect|WeakMap|Map|Set|Array\.(isArray|from|of)|Object\.(keys|assign|create|defineProperty|getOwnPropertyNames)|Date\.now)\b|\.(forEach|map|filter|some|every|reduce|indexOf\(|trim|bind|includes|padStart|repeat|find|findIndex)\(/g);
  assert.deepEqual(found, null);
});

test("no build evaluates text, none speaks to anybody but the server", () => {
  for (const name of ["wigeon.js", "wigeon.mjs", "wigeon-legacy.js"]) {
    assert.doesNotMatch(dist(name), /\beval\b|new Function|Function\(|https?:\/\//, name);
  }
});

test("the modern files parse as ES2020", () => {
  parse(dist("wigeon.js"), { ecmaVersion: 2020 });
  parse(dist("wigeon.mjs"), { ecmaVersion: 2020, sourceType: "module" });
});

test("the declarations are types only and name everything public", () => {
  const text = dist("wigeon.d.ts");
  for (const name of ["Wigeon", "Options", "State", "Message", "WigeonError", "OutboxEntry", "TransportName"]) assert.match(text, new RegExp(`export (interface|type|declare const) ${name}\\b`));
  assert.doesNotMatch(text, /^import /m);
});

// An engine of that age: ES5 and no browser. It gets a window with timers that the test winds, and an XMLHttpRequest that answers.
const STAGE = `
var out = typeof print === "function" ? print : function (s) { console.log(s); };
var window = this, timers = [], requests = [], log = [], clock = 0;
delete Array.prototype.forEach; delete Array.prototype.map; delete Array.prototype.filter; delete Array.prototype.indexOf; delete Array.prototype.some;
delete Object.keys; delete Date.now; delete String.prototype.trim; delete Function.prototype.bind; delete Array.isArray;
window.location = { protocol: "http:", host: "old.example" };
window.document = {};
window.setTimeout = function (f, ms) { timers.push({ f: f, at: clock + (ms || 0), id: timers.length + 1 }); return timers.length; };
window.clearTimeout = function (id) { if (timers[id - 1]) timers[id - 1].f = null; };
function XMLHttpRequest() { this.readyState = 0; this.status = 0; this.responseText = ""; this.headers = {}; }
XMLHttpRequest.prototype.open = function (method, url) { this.method = method; this.url = url; };
XMLHttpRequest.prototype.setRequestHeader = function (n, v) { this.headers[n] = v; };
XMLHttpRequest.prototype.getResponseHeader = function () { return null; };
XMLHttpRequest.prototype.abort = function () { this.aborted = true; };
XMLHttpRequest.prototype.send = function (body) { this.body = body; requests.push(this); };
XMLHttpRequest.prototype.answer = function (value) { this.status = 200; this.responseText = JSON.stringify(value); this.readyState = 4; this.onreadystatechange(); };
window.XMLHttpRequest = XMLHttpRequest;
function wind(ms) {
  var end = clock + ms, i, next;
  for (;;) {
    next = null;
    for (i = 0; i < timers.length; i++) if (timers[i].f && timers[i].at <= end && (!next || timers[i].at < next.at)) next = timers[i];
    if (!next) break;
    clock = next.at; i = next.f; next.f = null; i();
  }
  clock = end;
}
function take(part) { for (var i = 0; i < requests.length; i++) if (requests[i].url.indexOf(part) >= 0) return requests.splice(i, 1)[0]; throw new Error("no request for " + part); }
`;
const STORY = `
var chat = new Wigeon({ token: "t" });
chat.on("message", function (m) { log.push(m.body.text); });
chat.connect();
take("/v1/commands").answer({ replies: [{ re: "x", ok: { user: "ann", cursor: "1aaaaaaaab1", rooms: [] } }] });
take("transport=poll").answer({ frames: [], cursor: "1aaaaaaaab1" });
log.push(chat.state.status + " by " + chat.state.transport);
var id = chat.send({ room: "r", body: { text: "hi" } }, function (error, ok) { log.push("sent " + (error ? error.code : ok.seq)); });
var post = take("/v1/commands");
log.push(post.headers.Authorization + " " + (JSON.parse(post.body)[0].id === id));
post.answer({ replies: [{ re: id, ok: { room: "r", seq: 4 } }] });
wind(10);
var stream = take("transport=ndjson");
stream.status = 200; stream.readyState = 3;
var nonce = /nonce=([^&]*)/.exec(stream.url)[1];
function more(text) { stream.responseText += text; stream.onreadystatechange(); }
more('    \\n{"type":"ready","cursor":"1aaaaaaaab1","nonce":"' + nonce + '"}\\n{"type":"message","cursor":"1aaaaaaaab2","id":"m","seq":5,"body":{"text":"streamed"}}\\n{"type":"mess');
more('age","cursor":"1aaaaaaaab3","id":"n","seq":6,"body":{"text":"in two pieces"}}\\n');
more('{"type":"message","cursor":"1aaaaaaaab2","id":"m","seq":5,"body":{"text":"seen already"}}\\n');
log.push(chat.cursor);
chat.close();
out(log.join("|"));
`;
const EXPECTED = "online by longpoll|Bearer t true|sent 4|streamed|in two pieces|1aaaaaaaab3";

for (const [engine, ...args] of [["duk"], ["rhino", "-opt", "-1", "-version", "150", "-f"]]) {
  const installed = spawnSync("which", [engine]).status === 0;
  test(`the legacy file lives through a session in ${engine}`, { skip: !installed && `${engine} is not installed` }, () => {
    const file = join(directory, `${engine}.js`);
    writeFileSync(file, STAGE + dist("wigeon-legacy.js") + STORY);
    assert.equal(execFileSync(engine, [...args, file], { encoding: "utf8" }).trim(), EXPECTED);
  });
}
