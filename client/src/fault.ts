// Errors, and the one table that says what to do about each code.
import type { ErrorCode, WigeonError } from "./types.ts";

export function fault(code: ErrorCode, message?: string, more?: { retry_after_ms?: number | undefined; outcome?: any }): WigeonError {
  const error = new Error(message || code) as WigeonError;
  error.name = "WigeonError";
  error.code = code;
  if (more && more.retry_after_ms != null) error.retry_after_ms = more.retry_after_ms;
  if (more && more.outcome) error.outcome = more.outcome;
  return error;
}

export const fromWire = (e: any): WigeonError => e && e.code ? fault(e.code, e.message, e) : fault("internal", "an error without a code");

/** Who we are is not accepted: ask for a new token once. No other transport would help. */
export const isAuth = (e: WigeonError | null): boolean => !!e && (e.code === "unauthenticated" || e.code === "token_expired");

/** The same request may succeed later. */
export function isTransient(e: WigeonError): boolean {
  return e.outcome === "unknown" || /^(rate_limited|busy|unavailable|internal|network|timeout)$/.test(e.code);
}

const BY_STATUS: { [status: number]: ErrorCode } = {
  400: "bad_request", 401: "unauthenticated", 403: "forbidden", 404: "not_found", 409: "conflict", 410: "gone",
  413: "too_large", 414: "too_large", 429: "rate_limited",
};

/** An HTTP answer that is not 200: the problem body says more than the status; a proxy's page says only the status. */
export function fromResponse(status: number, text: string, retry_after_ms?: number): WigeonError {
  let problem: any = null;
  try { problem = JSON.parse(text); } catch (_) { /* not ours: a proxy's page */ }
  const code = problem && typeof problem.code === "string" ? problem.code
    : !status ? "network" : BY_STATUS[status] || (status === 502 || status === 503 || status === 504 ? "unavailable" : status < 500 ? "bad_request" : "internal");
  const message = (problem && (problem.message || problem.detail || problem.title)) || (status ? "HTTP " + status : "no answer");
  return fault(code, message, { retry_after_ms: (problem && problem.retry_after_ms) || retry_after_ms });
}

/** WebSocket close codes: the application's own say why; all others are just an end. */
export function fromClose(code: number, reason: string): WigeonError {
  return fault(code === 4401 ? "unauthenticated" : code === 4403 ? "forbidden" : code === 4429 ? "rate_limited"
    : code === 4400 ? "bad_request" : code === 1009 ? "too_large" : code === 1013 ? "busy" : "network", reason || "closed " + code);
}
