// Sentences around names. A Hebrew or Arabic name keeps its direction to itself, so that "Ban דן?" ends with its
// question mark in every language; Chinese and Latin text that meet get a space between them.

const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const HAN_THEN_LATIN = /^[\p{Script=Han}][A-Za-z0-9]$/u;
const LATIN_THEN_HAN = /^[A-Za-z0-9][\p{Script=Han}]$/u;

/** The invisible marks are Unicode's: first strong isolate, and its end. */
export const isolated = (name: string): string => (RIGHT_TO_LEFT.test(name) ? `\u2068${name}\u2069` : name);

export function sentence(texts: TemplateStringsArray, ...values: (string | number)[]): string {
  let whole = texts[0] ?? "";
  for (const [index, value] of values.entries()) {
    for (const part of [isolated(String(value)), texts[index + 1] ?? ""]) {
      const seam = whole.slice(-1) + part.slice(0, 1);
      whole += HAN_THEN_LATIN.test(seam) || LATIN_THEN_HAN.test(seam) ? ` ${part}` : part;
    }
  }
  return whole;
}
