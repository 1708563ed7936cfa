// Errors, and the one table that says what to do about each code.
import type { ErrorCode, WigeonError } from "./types.ts";
import { json } from "./text.ts";

export function fault(code: ErrorCode, message?: string, more?: { retry_after_ms?: number | undefined; outcome?: any }): WigeonError {
  const error = new Error(message || code) as WigeonError;
  error.name = "WigeonError";
  error.code = code;
  if (more) {
    error.retry_after_ms = more.retry_after_ms!;
    error.outcome = more.outcome;
  }
  return error;
}

export const fromWire = (e: any): WigeonError => fault(e?.code || "internal", e?.message, e);

/** Who we are is not accepted: ask for a new token once. No other transport would help. */
export const isAuth = (e: WigeonError | null): boolean => e?.code === "unauthenticated" || e?.code === "token_expired";

/** The same request may succeed later. */
export function isTransient(e: WigeonError): boolean {
  return e.outcome === "unknown" || /^(rate_limited|busy|unavailable|internal|network|timeout)$/.test(e.code);
}

/** An HTTP answer that is not 200: the problem body says more than the status; a proxy's page says only the status. */
export function fromResponse(status: number, text: string, retry_after_ms?: number): WigeonError {
  const problem = json(text) || {};
  return fault(
    problem.code || (!status ? "network" : status === 401 ? "unauthenticated" : status === 403 ? "forbidden" : status === 413 || status === 414 ? "too_large"
      : status === 429 ? "rate_limited" : status < 500 ? "bad_request" : "unavailable"),
    problem.detail || problem.message || "HTTP " + status,
    { retry_after_ms: problem.retry_after_ms ?? retry_after_ms });
}

/** WebSocket close codes: the application's own say why; all others are just an end. */
export function fromClose(code: number, reason: string): WigeonError {
  return fault(code === 4401 ? "unauthenticated" : code === 4403 ? "forbidden" : "network", reason || "closed " + code);
}
