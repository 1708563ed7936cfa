// A web site that is not Wigeon's: a few pages on a port of their own, for everything across origins.
import { createServer } from "node:http";
import { after, before } from "node:test";

/** A site for the suite around the call; `pages` maps a path to HTML, or to what makes it. It answers on every name of 127.0.0.1. */
export function useSite(pages) {
  const server = createServer((request, response) => {
    const page = pages[new URL(request.url, "http://site").pathname];
    const html = typeof page === "function" ? page() : page;
    response.writeHead(html === undefined ? 404 : 200, { "content-type": "text/html; charset=utf-8" });
    response.end(html ?? "");
  });
  const site = { originAs: (host) => `http://${host}:${site.port}` };
  before(async () => {
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    site.port = server.address().port;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return site;
}

/** An empty page of Wigeon's own origin, without the policy of its real pages: for code that uses no library. */
export async function blankPageOf(server, page) {
  const url = `${server.origin}/blank-for-tests`;
  await page.route(url, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>blank</title><body>" }));
  await page.goto(url);
}
