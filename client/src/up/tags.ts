// Commands up by tags, in full (legacy build): short ones by a script, which brings the reply; long ones by a form, whose
// answer cannot be read. So a form carries only what comes back as an event.
import { query } from "../text.ts";
import { postForm } from "./form.ts";
import { type Tags, byScript, scriptUrl } from "./script.ts";

/** IE allows 2,083 characters of URL. */
const URL_MAX = 2000;

export const byTag: Tags = (site, as, command, text, params, timeout_ms, note, done) => {
  const echoed = command.type === "send" || command.type === "edit";
  if (!echoed || (as !== "form" && scriptUrl(site, "wigeon_123456789abc", text, params).length <= URL_MAX)) {
    return byScript(site, as, command, text, params, timeout_ms, note, done);
  }
  const url = site.base + "/v1/commands" + query(params);
  note("form", "POST " + url + "\nd=" + text);
  return postForm(site.env, url, text, timeout_ms, () => done(undefined, true));
};
