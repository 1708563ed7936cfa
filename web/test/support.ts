// Short ways to write frames in tests.
import type { MessageFrame } from "../src/wire.ts";

export const MINUTE = 60_000;

/** A message of "ann" with everything that does not matter filled in. */
export function message(seq: number, rest: Partial<MessageFrame> = {}): MessageFrame & { type: "message" } {
  return { type: "message", room: "lobby", seq, id: `id-${seq}`, from: "ann", at: seq * 1000, body: { text: `text ${seq}` }, ...rest };
}

export function messages(from: number, to: number): MessageFrame[] {
  return Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
}
