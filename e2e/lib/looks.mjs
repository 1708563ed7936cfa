// What can be said of a page's looks without eyes: whether anything is cut off, and whether anything serious
// stands in the way of a screen reader.
import axe from "axe-core";

/** What moves stands where it goes to; what breathes for ever does not count. */
const settled = (page) =>
  page.evaluate(async () => {
    const moving = document.getAnimations().filter((animation) => animation.effect.getComputedTiming().endTime < Infinity);
    await Promise.allSettled(moving.map((animation) => animation.finished));
  });

/** What reaches over an edge of the window; what a screen reader alone sees is one pixel wide. */
export async function overflow(page) {
  await settled(page);
  return page.evaluate(() => {
    const over = [...document.querySelectorAll("body *")].filter((element) => {
      const { left, right, width, height } = element.getBoundingClientRect();
      return width > 1 && height > 1 && (right > innerWidth + 1 || left < -1);
    });
    return over.map((element) => `${element.tagName}.${element.getAttribute("class")}`).slice(0, 5);
  });
}

/** Serious and critical findings of axe. */
export async function judge(page) {
  await settled(page);
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.target.join(" ")).join(" · ")}`);
}
