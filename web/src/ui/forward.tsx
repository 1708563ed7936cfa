// Sends messages on to a conversation or a person: a field that finds either, and a list to choose from.
import { t } from "../i18n/index.ts";
import type { Message } from "../model/message.ts";
import { useApp } from "./context.ts";
import { Finder } from "./finder.tsx";

export function Forward({ messages, onClose }: { messages: readonly Message[]; onClose: () => void }) {
  const app = useApp();
  return (
    <Finder
      title={t.forwardTo}
      onClose={onClose}
      onRoom={(room) => {
        void app.messages.forward(messages, { room });
        app.show(room);
      }}
      onPerson={(to) => {
        app.person(to);
        // The first message to a person makes the room.
        void app.messages.forward(messages, { to }).then((room) => room && app.settle(to, room));
      }}
    />
  );
}
