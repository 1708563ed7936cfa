// A search as it stands in the side panel: the question, what was found so far, and whether there is more. It
// outlives the panel, so that one can look at a message and come back to the list.
import { fieldsOf, NOTHING, type Question } from "../model/search.ts";
import type { Found, Hit } from "../wire.ts";
import { Verbs } from "./verbs.ts";

/** While somebody writes, nobody is asked. */
const PAUSE_MS = 250;
const HITS_AT_ONCE = 25;
/** Answers asked for in a row, until there are so many hits; then the reader says whether to go on. */
const ANSWERS_AT_ONCE = 10;

export class Search extends Verbs {
  question: Question = NOTHING;
  hits: readonly Hit[] = [];
  more = false;
  /** The question whose answer stands in `hits`; null while there is none. */
  answered: Question | null = null;
  busy = false;
  error: unknown = null;
  private next: string | undefined;
  private round = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  look(change: Partial<Question>): void {
    this.question = { ...this.question, ...change };
    clearTimeout(this.timer);
    this.round++;
    this.error = null;
    this.busy = this.question.q.trim() !== "";
    if (this.busy) this.timer = setTimeout(() => void this.run(false), PAUSE_MS);
    else this.take([], false, null);
    this.app.changed();
  }

  /** Older ones. */
  async further(): Promise<void> {
    if (this.busy || !this.more) return;
    this.busy = true;
    this.app.changed();
    await this.run(true);
  }

  again(): void {
    this.look({});
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private async run(further: boolean): Promise<void> {
    const round = ++this.round;
    const { question } = this;
    const found: Hit[] = [];
    let next = further ? this.next : undefined;
    let more = true;
    try {
      // An answer looks only so far back, and may have found nothing there.
      for (let answers = 0; more && found.length < HITS_AT_ONCE && answers < ANSWERS_AT_ONCE; answers++) {
        const fields = fieldsOf(question, Date.now(), next);
        const answer = (await this.app.chat.command("search", { ...fields, limit: HITS_AT_ONCE - found.length })) as Found;
        // Answers may overtake one another; only the last question counts.
        if (round !== this.round) return;
        found.push(...answer.hits);
        ({ more, next } = answer);
      }
    } catch (error) {
      if (round !== this.round) return;
      // Marks without a word name nothing that could be found.
      if ((error as { code?: string }).code === "bad_request") more = false;
      else this.error = error;
    }
    this.busy = false;
    this.next = next;
    this.take(further ? [...this.hits, ...found] : found, more, question);
    this.app.changed();
  }

  private take(hits: readonly Hit[], more: boolean, answered: Question | null): void {
    this.hits = hits;
    this.more = more;
    this.answered = answered;
  }
}
