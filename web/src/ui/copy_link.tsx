// A button that copies a link and says so.
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { copyText } from "./copy.ts";
import { Icon } from "./icons.tsx";

export function CopyLink({ href }: { href: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    if (!(await copyText(href))) return;
    setCopied(true);
    setTimeout(() => setCopied(false), 2_500);
  };
  return (
    <button type="button" class="button" onClick={copy}>
      <Icon name={copied ? "check" : "link"} />
      <span aria-live="polite">{copied ? t.copied : t.copyLink}</span>
    </button>
  );
}
