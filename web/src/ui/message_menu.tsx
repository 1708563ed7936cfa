// The menu of a message: what can be done with it.
import { useState } from "preact/hooks";
import type { Conversation } from "../app/conversation.ts";
import { t } from "../i18n/index.ts";
import type { Message } from "../model/message.ts";
import { maySetPins, mayRecall, type Room } from "../model/room.ts";
import { copyText } from "./copy.ts";
import { useApp } from "./context.ts";
import { Confirm } from "./dialog.tsx";
import { Forward } from "./forward.tsx";
import { Menu, MenuItem, type Place } from "./menu.tsx";
import { MessageInfo } from "./message_info.tsx";

export type MessageMenuState = { kind: "actions" | "react"; at: Place } | null;

interface Props {
  message: Message;
  mine: boolean;
  room: Room | undefined;
  conversation: Conversation;
  at: Place;
  setMenu: (menu: MessageMenuState) => void;
  onReply: () => void;
  onEdit: () => void;
}

export function MessageMenu({ message, mine, room, conversation, at, setMenu, onReply, onEdit }: Props) {
  const app = useApp();
  const [dialog, setDialog] = useState<"recall" | "forward" | "info" | null>(null);
  const close = () => setMenu(null);
  const then = (action: () => void) => () => {
    close();
    action();
  };
  if (dialog === "recall") {
    return <Confirm title={t.recallAsk} text={t.recallText} yes={t.recall} onYes={() => app.messages.recall(message)} onClose={close} />;
  }
  if (dialog === "forward") return <Forward messages={[message]} onClose={close} />;
  if (dialog === "info") return <MessageInfo message={message} onClose={close} />;
  const inThread = conversation.target.thread !== undefined;
  const pinned = room?.pins?.includes(message.seq) === true;
  return (
    <Menu label={t.actions} at={at} align={mine ? "end" : "start"} onClose={close}>
      <MenuItem icon="smile" onClick={() => setMenu({ kind: "react", at })}>
        {t.react}
      </MenuItem>
      <MenuItem icon="reply" onClick={then(onReply)}>
        {t.reply}
      </MenuItem>
      {!inThread && (
        <MenuItem icon="thread" onClick={then(() => app.side.openThread(message.room, message.thread ?? message.seq))}>
          {message.thread === undefined ? t.replyInThread : t.openThread}
        </MenuItem>
      )}
      <MenuItem icon="forward" onClick={() => setDialog("forward")}>
        {t.forward}
      </MenuItem>
      <MenuItem icon="copy" onClick={then(() => void copyText(message.text))}>
        {t.copy}
      </MenuItem>
      {!inThread && (
        <MenuItem icon="check" onClick={then(() => app.pick(conversation, message.seq))}>
          {t.select}
        </MenuItem>
      )}
      {room && maySetPins(room) && (
        <MenuItem icon="pin" onClick={then(() => app.messages.pin(message, !pinned))}>
          {pinned ? t.unpin : t.pin}
        </MenuItem>
      )}
      {!mine && !inThread && (
        <MenuItem icon="dot" onClick={then(() => void app.markUnread(conversation, message.seq))}>
          {t.markUnread}
        </MenuItem>
      )}
      {(mine || message.edited) && (
        <MenuItem icon="info" onClick={() => setDialog("info")}>
          {t.messageInfo}
        </MenuItem>
      )}
      {mine && !message.forwarded && (
        <MenuItem icon="pencil" onClick={then(onEdit)}>
          {t.edit}
        </MenuItem>
      )}
      {room && mayRecall(room, message, app.model.me, Date.now()) && (
        <MenuItem icon="trash" danger onClick={() => setDialog("recall")}>
          {t.recall}
        </MenuItem>
      )}
    </Menu>
  );
}
