// Ctrl/⌘+K: to a conversation or a person by name.
import { t } from "../i18n/index.ts";
import { useApp } from "./context.ts";
import { Finder } from "./finder.tsx";

export function Jump({ onClose }: { onClose: () => void }) {
  const app = useApp();
  return <Finder title={t.jumpHint} onClose={onClose} onRoom={(room) => app.show(room)} onPerson={(user) => app.person(user)} onSearch={(q) => app.side.openSearch(null, q)} />;
}
