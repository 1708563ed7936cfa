// Commands that leave nothing behind: questions, and signals. A question is repeated until its deadline (asking twice
// harms nobody); a signal is sent once or not at all, for tomorrow nobody cares that somebody was typing.
import type { Command, Reply, WigeonError } from "./types.ts";
import type { Env } from "./env.ts";
import type { Uplinks } from "./up/uplinks.ts";
import type { Done } from "./outbox.ts";
import { createBackoff } from "./memory.ts";
import { fault, fromWire, isAuth, isTransient } from "./fault.ts";

export const isQuery = (type: string): boolean =>
  /^(history|search|snapshot|room\.get|room\.list|member\.list|user\.get|user\.search|receipts\.get|presence\.watch|ping|ack|typing|focus)$/.test(type);
export const isSignal = (type: string): boolean => /^(ack|typing|ping)$/.test(type);

export interface QueriesHost {
  env: Env;
  uplinks: Uplinks;
  online(): boolean;
  refused(error: WigeonError): void;
  replied(reply: Reply): void;
}

export interface Queries {
  ask(command: Command, done: Done | null): void;
  flush(): void;
  stop(): void;
}

const DEADLINE_MS = 30000;

interface Question { command: Command; until: number; done: Done | null; timer: any }

export function createQueries(host: QueriesHost): Queries {
  const { env } = host, backoff = createBackoff(env);
  let queue: Question[] = [], timer: any;

  function finish(q: Question, error: WigeonError | null, ok?: any): void {
    const done = q.done;
    env.cancel(q.timer);
    q.done = null;
    for (let i = queue.length; i--;) if (queue[i] === q) queue.splice(i, 1);
    if (done) done(error, ok);
  }

  function flush(): void {
    env.cancel(timer);
    timer = null;
    if (!queue.length || !host.online()) return;
    const batch = queue.splice(0, host.uplinks.batchMax()), commands: Command[] = [];
    for (let i = 0; i < batch.length; i++) commands.push(batch[i]!.command);
    host.uplinks.send(commands, (error, replies) => {
      for (let i = 0; i < replies.length; i++) host.replied(replies[i]!);
      let again = false;
      for (let i = 0; i < batch.length; i++) {
        const q = batch[i]!, reply = find(replies, q.command.id);
        const problem = reply ? (reply.error ? fromWire(reply.error) : null) : error || fault("network", "no reply");
        if (problem && (isTransient(problem) || isAuth(problem)) && q.done && !isSignal(q.command.type) && env.now() < q.until) {
          queue.push(q);
          again = true;
        } else finish(q, problem, reply && reply.ok);
      }
      if (error && isAuth(error)) host.refused(error);
      else if (again) later(backoff.next(error));
      else backoff.reset();
    });
    if (queue.length) later(0);
  }

  function later(ms: number): void {
    if (!timer) timer = env.after(ms, flush);
  }

  return {
    ask(command, done) {
      if (isSignal(command.type) && !host.online()) return done ? done(fault("network", "not connected")) : undefined;
      const q: Question = { command, until: env.now() + DEADLINE_MS, done, timer: null };
      if (done) q.timer = env.after(DEADLINE_MS, () => finish(q, fault("timeout", "no answer in 30 s")));
      queue.push(q);
      // A moment later, so that questions asked together travel together.
      later(0);
    },
    flush,
    stop() { env.cancel(timer); timer = null; },
  };
}

function find(replies: Reply[], id: string): Reply | null {
  for (let i = 0; i < replies.length; i++) if (replies[i]!.re === id) return replies[i]!;
  return null;
}
