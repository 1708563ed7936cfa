// Answers that may be older than what is known by the time they are here: they and the stream come by different ways,
// and either may be late.
import type { Timeline } from "../model/timeline.ts";
import type { HistoryPage, WireRoom } from "../wire.ts";
import type { Host } from "./verbs.ts";

/** In a room where something happens all the time, the last of so many answers has to do. */
const ROOM_TRIES_MAX = 3;

type Query = { limit?: number; before?: number; after?: number; around?: number; seqs?: readonly number[] };

/**
 * Old messages, handed to `take`. What has changed while they were awaited is done to them again (model/timeline.ts).
 * False, and not taken, where the timeline has been thrown away meanwhile: by a `reset`, or because we left the room.
 */
export async function askHistory({ chat, model }: Host, room: string, query: Query, take: (page: HistoryPage, timeline: Timeline) => void): Promise<boolean> {
  const timeline = model.timeline(room);
  const answered = timeline.asked();
  try {
    const page = (await chat.command("history", { room, ...query })) as HistoryPage;
    const stands = model.timeline(room) === timeline;
    if (stands) take(page, timeline);
    return stands;
  } finally {
    answered();
  }
}

/** A room as it is now. Where the stream told of it meanwhile (a mark, a pin, that we have left), it is asked again. */
export async function askRoom({ chat, model }: Host, room: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const before = model.rooms.get(room);
    const answer = (await chat.command("room.get", { room })) as { room: WireRoom };
    if (model.rooms.get(room) === before || tries === ROOM_TRIES_MAX) return model.room(answer.room);
  }
}
