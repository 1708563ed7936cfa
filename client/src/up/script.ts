// Commands up by a script tag, where no request of our own can be made: the command is in the URL, the reply in the call.
import type { Command } from "../types.ts";
import type { Site } from "../site.ts";
import { type Params, query } from "../text.ts";
import { callScript } from "../script.ts";

export type Tags = (
  site: Site, as: "jsonp" | "form", command: Command, text: string, params: Params, timeout_ms: number,
  note: (as: "jsonp" | "form", text: string) => void,
  /** `posted`: it went without hope of a reply. Else the reply, or undefined when none came. */
  done: (value: any, posted?: boolean) => void,
) => () => void;

export const scriptUrl = (site: Site, callback: string, text: string, params: Params): string =>
  site.base + "/v1/commands" + query({ transport: "jsonp", callback, d: text, ticket: params.ticket, session: params.session });

export const byScript: Tags = (site, _as, _command, text, params, timeout_ms, note, done) =>
  callScript(site.env, callback => {
    const url = scriptUrl(site, callback, text, params);
    note("jsonp", "GET " + url);
    return url;
  }, timeout_ms, done);
