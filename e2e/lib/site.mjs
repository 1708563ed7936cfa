// A web site that is not Wigeon's: a few pages on a port of their own, for everything across origins.
import { createServer } from "node:http";
import { after, before } from "node:test";

/** A site for the suite around the call; `pages` maps a path to HTML, or to what makes it. It answers on every name of 127.0.0.1. */
export function useSite(pages) {
  const server = createServer((request, response) => {
    const page = pages[new URL(request.url, "http://site").pathname];
    const html = typeof page === "function" ? page() : page;
    // 204 for the icon that a browser asks for by itself: a 404 would be an error on its console.
    response.writeHead(html === undefined ? 204 : 200, { "content-type": "text/html; charset=utf-8" });
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
  const body = "<!doctype html><title>blank</title><body>";
  await page.route(url, (route) => route.fulfill({ contentType: "text/html", body }));
  // A page that came from no address counts as a public one, which may not reach this machine unasked.
  await page.context().grantPermissions(["local-network-access"]);
  await page.goto(url);
}
