// The first link of a message, and what stands at an address.
import { test } from "node:test";
import assert from "node:assert/strict";
import { firstLink, mediaOf, showable, siteOf } from "../src/model/links.ts";

test("the first link counts, wherever it stands but in code", () => {
  for (const [text, link] of [
    ["no link", undefined],
    ["see https://a.example/x and https://b.example/", "https://a.example/x"],
    ["见https://a.example/鸭。", "https://a.example/"],
    ["**bold https://a.example/**", "https://a.example/"],
    ["> quoted\n> *https://a.example/*", "https://a.example/"],
    ["`https://code.example/` https://a.example/", "https://a.example/"],
    ["```\nhttps://code.example/\n```\nhttps://a.example/", "https://a.example/"],
    ["```\nhttps://code.example/\n```", undefined],
    ["javascript://a.example/%0aalert(1)", undefined],
  ] as const) {
    assert.equal(firstLink(text), link, text);
  }
});

test("media are known by the ending of the path", () => {
  for (const [href, media] of [
    ["https://a.example/duck.PNG", "image"],
    ["https://a.example/duck.jpeg?size=2#x", "image"],
    ["https://a.example/duck.webm", "video"],
    ["https://a.example/duck.mp3", "audio"],
    ["https://a.example/duck.png/", undefined],
    ["https://a.example/?file=duck.png", undefined],
    ["https://a.png", undefined],
    ["https://a.example/duck.svg", undefined],
  ] as const) {
    assert.equal(mediaOf(href), media, href);
  }
});

test("a site goes by its host, and a page of https shows nothing of http", () => {
  assert.equal(siteOf("https://www.a.example/x"), "a.example");
  assert.equal(siteOf("http://a.example:8080/x"), "a.example:8080");
  assert.ok(showable("https://a/", "https:") && showable("https://a/", "http:") && showable("http://a/", "http:"));
  assert.ok(!showable("http://a/", "https:") && !showable("data:image/png;base64,", "http:"));
});
