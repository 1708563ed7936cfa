// The ways from the timeline to a thread: over an answer, which thread it is in; under the message that began one,
// who has answered.
import { t } from "../i18n/index.ts";
import { wordsOf } from "../model/markup.ts";
import type { Message } from "../model/message.ts";
import { oneLine } from "../model/text.ts";
import { PersonAvatar } from "./avatar.tsx";
import { useApp } from "./context.ts";
import { Icon } from "./icons.tsx";

/** Over an answer in a thread: which one, and the way there. */
export function ThreadMark({ tab, message, root }: { tab: number; message: Message; root: Message | null | undefined }) {
  const app = useApp();
  const text = !root ? t.thread : root.recalled ? t.recalledPreview : oneLine(wordsOf(root.text));
  return (
    <button type="button" class="thread-mark" dir="auto" tabIndex={tab} onClick={() => app.side.openThread(message.room, message.thread ?? message.seq)}>
      <Icon name="thread" />
      <span>{root ? t.inThread(text) : text}</span>
    </button>
  );
}

const FACES_MAX = 3;

/** Under a message that began a thread: who has answered, and how often. */
export function ThreadLink({ tab, message, replies }: { tab: number; message: Message; replies: readonly Message[] }) {
  const app = useApp();
  const faces = [...new Set(replies.map((reply) => reply.from))].slice(0, FACES_MAX);
  return (
    <button type="button" class="thread-link" tabIndex={tab} data-testid="thread-link" onClick={() => app.side.openThread(message.room, message.seq)}>
      <span class="faces" aria-hidden="true">
        {faces.map((id) => (
          <PersonAvatar key={id} id={id} name={app.nameOf(id)} small />
        ))}
      </span>
      {t.replies(replies.length)}
    </button>
  );
}
