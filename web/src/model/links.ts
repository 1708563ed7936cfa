// What the first link of a message leads to: a page, of which the server can tell something, or media that can be
// shown here. By its address alone; nothing is asked.
import { blocksOf, type Inline } from "./markup.ts";

export type Media = "image" | "video" | "audio";

const ENDINGS: Record<Media, RegExp> = {
  image: /\.(png|jpe?g|gif|webp|avif)$/i,
  video: /\.(mp4|m4v|webm|ogv)$/i,
  audio: /\.(mp3|m4a|aac|ogg|oga|opus|flac|wav)$/i,
};

/** The first link in a text that is not code. */
export function firstLink(text: string): string | undefined {
  if (!text.includes("://")) return undefined;
  const find = (parts: readonly Inline[]): string | undefined => {
    for (const part of parts) {
      const href = part.type === "link" ? part.href : "parts" in part ? find(part.parts) : undefined;
      if (href) return href;
    }
    return undefined;
  };
  for (const block of blocksOf(text)) {
    const href = block.type === "code" ? undefined : find(block.parts);
    if (href) return href;
  }
  return undefined;
}

/** What stands at an address, where its ending says so. */
export function mediaOf(href: string): Media | undefined {
  const { pathname } = new URL(href);
  return (Object.keys(ENDINGS) as Media[]).find((media) => ENDINGS[media].test(pathname));
}

/** The site of an address, as people call it. */
export const siteOf = (href: string): string => new URL(href).host.replace(/^www\./, "");

/** A page that came by TLS shows nothing that did not. */
export const showable = (href: string, page: string): boolean => href.startsWith("https:") || (href.startsWith("http:") && page === "http:");
