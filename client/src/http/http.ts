// One HTTP request: its answer whole, or piece by piece as it comes. Each build brings its own way: fetch for engines of
// today, XMLHttpRequest and XDomainRequest for those of yesterday. `status` 0 means that no answer came, or no whole one.
import type { Env } from "../env.ts";
import type { HttpDone, HttpRequest } from "../site.ts";

/** Lets exactly one outcome through and ends the clock with it. */
export function once(env: Env, request: HttpRequest, done: HttpDone, abort: () => void): { done: HttpDone; abort: () => void } {
  let open = true;
  const close = (then: () => void): void => {
    if (!open) return;
    open = false;
    env.cancel(timer);
    then();
  };
  const timer = request.timeout_ms && env.after(request.timeout_ms, () => close(() => {
    abort();
    done(0, "timeout");
  }));
  return {
    done: (status, text, retry) => close(() => done(status, text, retry)),
    abort: () => close(abort),
  };
}

export function headers(request: HttpRequest, set: (name: string, value: string) => void): void {
  if (request.type) set("Content-Type", request.type);
  if (request.bearer) set("Authorization", "Bearer " + request.bearer);
}
