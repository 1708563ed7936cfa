// What stands beside the conversation: a search, or a thread. Where there is no room for two columns it covers the
// conversation, and is a step in the browser's history.
import type { Hit } from "../wire.ts";
import { Conversation, type Target } from "./conversation.ts";
import { askHistory } from "./answers.ts";
import { goToSide, leaveSide, type SidePlace } from "./navigation.ts";
import type { RoomHost } from "./room_verbs.ts";
import { Search } from "./search.ts";
import { Verbs } from "./verbs.ts";

/** The same width as in side.css. */
export const covering = matchMedia("(max-width: 1099.98px)");

const PAGE = 100;
/** Pages looked through for a thread's answers before the reader is asked whether to go on. */
const PAGES_AT_ONCE = 20;

interface SideHost extends RoomHost {
  readonly open: Conversation | null;
  draw(): void;
  conversation(target: Target): Conversation;
  visit(conversation: Conversation, seq: number, goal: "message"): Promise<void>;
}

export class Side extends Verbs<SideHost> {
  readonly search: Search;
  shown: "search" | Conversation | null = null;

  constructor(app: SideHost) {
    super(app);
    this.search = new Search(app);
  }

  /** The thread on screen. */
  get thread(): Conversation | null {
    return this.shown instanceof Conversation ? this.shown : null;
  }

  /** There is no room for it beside the conversation. */
  get covers(): boolean {
    return covering.matches;
  }

  /** In the browser's history. */
  get place(): SidePlace | undefined {
    return this.thread?.target.thread ?? (this.shown === "search" ? "search" : undefined);
  }

  /** In the room on screen, or in all of them. */
  openSearch(room: string | null, q = this.search.question.q): void {
    this.shown = "search";
    goToSide("search", covering.matches);
    const { question } = this.search;
    if (room !== question.room || q !== question.q) this.search.look({ room, q, ...(room === question.room ? {} : { from: "" }) });
    this.app.draw();
  }

  openThread(room: string, root: number): void {
    this.shown = this.app.conversation({ room, thread: root });
    this.shown.goal = "end";
    goToSide(root, covering.matches);
    this.app.changed();
  }

  close(): void {
    if (this.shown === null) return;
    this.shown = null;
    leaveSide();
    this.app.changed();
  }

  /** Another conversation is on screen: a thread goes with its own, a search stays while there is room for it. */
  moved(room: string | undefined): void {
    if (this.thread && this.thread.target.room !== room) this.shown = null;
  }

  /** The browser's history led here. */
  came(place: SidePlace | undefined): void {
    const room = this.app.open?.target.room;
    if (place === this.place) return;
    this.shown = place === undefined ? null : place === "search" ? "search" : room ? this.app.conversation({ room, thread: place }) : null;
    this.app.changed();
  }

  /** To a message that was found, with what stands around it. */
  async goToHit({ room, seq }: Hit): Promise<void> {
    if (!this.app.model.rooms.has(room)) await this.app.refreshRoom(room);
    if (!this.app.model.rooms.has(room)) return this.app.complain({ code: "not_member" });
    const covered = covering.matches;
    // Before the room is shown: a side that covers it would go on to do so.
    if (covered) this.shown = null;
    this.app.show(room);
    await this.app.visit(this.app.conversation({ room }), seq, "message");
  }

  /** Looks through what is not loaded for answers of the thread, oldest first. */
  async load(conversation: Conversation): Promise<void> {
    const { room, thread: root } = conversation.target;
    if (!room || root === undefined || conversation.loading.size > 0) return;
    conversation.loading.add(root);
    conversation.failed.clear();
    this.app.changed();
    try {
      for (let pages = 0; pages < PAGES_AT_ONCE; pages++) {
        const timeline = this.app.model.timeline(room);
        const [range] = timeline.threads.unknown(root, timeline.holes());
        if (!range) break;
        await askHistory(this.app, room, { after: range.from - 1, limit: PAGE }, (page) => {
          const last = page.messages.at(-1)?.seq;
          timeline.walk(page.messages, { from: range.from, to: page.more && last ? last : range.to });
        });
        this.app.changed();
      }
    } catch (error) {
      conversation.failed.add(root);
      this.app.complain(error);
    }
    conversation.loading.clear();
    this.app.changed();
  }

  stop(): void {
    this.search.stop();
  }
}

