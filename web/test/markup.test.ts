import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, blocksOf, type Inline, wordsOf } from "../src/model/markup.ts";

const SIGNS = { strong: "b", em: "i", del: "s" };
const draw = (parts: Inline[]): string =>
  parts
    .map((part) => {
      if ("parts" in part) return `<${SIGNS[part.type]}>${draw(part.parts)}</>`;
      return part.type === "text" ? part.text : `<${part.type}:${part.text}>`;
    })
    .join("");
const drawBlock = (block: Block) => (block.type === "code" ? `[${block.text}]` : block.type === "quote" ? `“${draw(block.parts)}”` : draw(block.parts));
const picture = (text: string, mentions?: Map<string, string>) => blocksOf(text, mentions).map(drawBlock).join("¶");

test("the marks of Markdown that people use", () => {
  assert.equal(picture("**a** *b* _c_ ~~d~~ `e`"), "<b>a</> <i>b</> <i>c</> <s>d</> <code:e>");
  assert.equal(picture("**a _b_ c**"), "<b>a <i>b</> c</>");
  assert.equal(picture("**粗体**文字"), "<b>粗体</>文字");
});

test("what only looks like marks is text", () => {
  for (const text of ["snake_case_name", "2*3*4", "a * b * c", "** a **", "**", "*", "``", "`", "_ _", "\\o/", "5 > 3", "``` open"]) assert.equal(picture(text), text);
});

test("nothing in code or in an address is a mark", () => {
  assert.equal(picture("`**a** https://x.example`"), "<code:**a** https://x.example>");
  assert.equal(picture("https://x.example/a_b_c and _d_"), "<link:https://x.example/a_b_c> and <i>d</>");
});

test("blocks of code and quotes stand apart", () => {
  assert.equal(picture("look:\n```js\nlet a = *1*;\n\nb();\n```\nthere"), "look:¶[let a = *1*;\n\nb();]¶there");
  assert.equal(picture("```one line```"), "[one line]");
  assert.equal(picture("> said\n> *so*\nI agree"), "“said\n<i>so</>”¶I agree");
});

test("markup of others stays text", () => {
  const attack = "<img src=x onerror=alert(1)> **<b>x</b>**";
  assert.equal(picture(attack), "<img src=x onerror=alert(1)> <b><b>x</b></>");
});

test("names after an @ are mentions, the longer one first", () => {
  const mentions = new Map([["Ann", "a"], ["Ann Lee", "l"], ["鸭鸭", "y"], ["C++ (Joe)", "c"]]);
  assert.equal(picture("hi @Ann Lee and **@Ann**, @鸭鸭你好 @C++ (Joe) @Bob", mentions), "hi <mention:@Ann Lee> and <b><mention:@Ann></>, <mention:@鸭鸭>你好 <mention:@C++ (Joe)> @Bob");
});

test("lists and quotes show the words without the marks", () => {
  assert.equal(wordsOf("**a** `b` _c_\n> d\n```\ne\n```"), "a b c d e");
});

test("a hostile text takes no longer than it is long", () => {
  for (const piece of ["**a ", "*", "_a", "`a", "~~ ", "> ", "```\n", "@", "**_~~"]) {
    const began = performance.now();
    blocksOf(piece.repeat(65_536 / piece.length), new Map([["Ann", "a"]]));
    assert.ok(performance.now() - began < 1_000, piece);
  }
});
