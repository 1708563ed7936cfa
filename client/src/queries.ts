// Commands that leave nothing behind: questions, and signals. A question is repeated until its deadline (asking twice
// harms nobody); a signal is sent once or not at all, for tomorrow nobody cares that somebody was typing.
import type { Command, Reply, WigeonError } from "./types.ts";
import type { Env } from "./env.ts";
import type { Uplinks } from "./up/uplinks.ts";
import type { Done } from "./outbox.ts";
import { pick } from "./list.ts";
import { createBackoff } from "./memory.ts";
import { fault, fromWire, isAuth, isTransient } from "./fault.ts";

export const isQuery = (type: string): boolean =>
  /^(history|search|snapshot|ping|ack|typing|focus)$|\.(get|list|search|watch|versions)$/.test(type);
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
    queue = pick(queue, other => other !== q);
    done?.(error, ok);
  }

  function flush(): void {
    env.cancel(timer);
    timer = null;
    if (!queue.length || !host.online()) return;
    const batch = queue.splice(0, host.uplinks.batchMax()), commands: Command[] = [];
    for (const q of batch) commands.push(q.command);
    host.uplinks.send(commands, (error, replies) => {
      for (const reply of replies) host.replied(reply);
      let again = false;
      for (const q of batch) {
        const reply = pick(replies, r => r.re === q.command.id)[0];
        const problem = reply ? reply.error && fromWire(reply.error) : error || fault("network");
        if (problem && (isTransient(problem) || isAuth(problem)) && q.done && !isSignal(q.command.type) && env.now() < q.until) {
          queue.push(q);
          again = true;
        } else finish(q, problem || null, reply?.ok);
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
      if (isSignal(command.type) && !host.online()) return done?.(fault("network"));
      const q: Question = { command, until: env.now() + DEADLINE_MS, done, timer: null };
      if (done) q.timer = env.after(DEADLINE_MS, () => finish(q, fault("timeout")));
      queue.push(q);
      // A moment later, so that questions asked together travel together.
      later(0);
    },
    flush,
    stop() { env.cancel(timer); timer = null; },
  };
}
