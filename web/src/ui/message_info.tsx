// What is known of a message beyond its text: who has read it, and how it read before it was edited.
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import type { Message } from "../model/message.ts";
import type { Receipts, Version } from "../wire.ts";
import { PersonAvatar } from "./avatar.tsx";
import { useApp } from "./context.ts";
import { fullTimeOf } from "./dates.ts";
import { Dialog } from "./dialog.tsx";

export function MessageInfo({ message, onClose }: { message: Message; onClose: () => void }) {
  const app = useApp();
  const mine = message.from === app.model.me;
  const [receipts, setReceipts] = useState<Receipts | undefined>();
  const [versions, setVersions] = useState<Version[]>([]);
  useEffect(() => {
    if (mine) void app.messages.receipts(message).then(setReceipts);
    if (message.edited) void app.messages.versions(message).then(setVersions);
  }, []);
  return (
    <Dialog title={t.messageInfo} onClose={onClose}>
      <p class="muted">{fullTimeOf(message.at)}</p>
      {receipts?.state === "off" && <p class="muted">{t.receiptsOff}</p>}
      {receipts?.state === "on" && (
        <section class="section">
          <h3>{receipts.read.count > 0 ? t.readByCount(receipts.read.count) : t.readByNobody}</h3>
          <ul class="people">
            {receipts.read.users.map(({ id, name }) => (
              <li key={id} class="person">
                <PersonAvatar id={id} name={name ?? id} small />
                <span>{name ?? id}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {receipts?.delivered && <p class="muted">{t.deliveredTo(receipts.delivered.count)}</p>}
      {versions.length > 0 && (
        <section class="section">
          <h3>{t.versions}</h3>
          <ol class="versions">
            {versions.map(({ version, body, at }) => (
              <li key={version}>
                <time>{fullTimeOf(at)}</time>
                <p dir="auto">{body.text}</p>
              </li>
            ))}
          </ol>
        </section>
      )}
    </Dialog>
  );
}
