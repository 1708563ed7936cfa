// The list that opens over the composer after "@" or ":". While it is open it owns Enter, Tab, Escape and the
// arrows; the focus stays in the text, and a screen reader hears the choice by aria-activedescendant.
import type { RefObject } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { type Asked, askedAt, emojiFor, type Named, peopleFor } from "../model/suggest.ts";
import { PersonAvatar } from "./avatar.tsx";
import { Icon } from "./icons.tsx";

interface Choice {
  key: string;
  label: string;
  /** What takes the place of what was written. */
  insert: string;
  sign: { person: string } | { emoji: string } | { all: true };
}

export interface Suggestions {
  asked: Asked | null;
  choices: Choice[];
  chosen: number;
  listId: string;
  /** True when the key was the list's. */
  onKey: (event: KeyboardEvent) => boolean;
  /** The caret or the text has moved. */
  look: () => void;
  accept: (index: number) => void;
}

interface Use {
  area: RefObject<HTMLTextAreaElement | null>;
  people: () => readonly Named[];
  /** May one call everybody here? */
  all: boolean;
  onText: (text: string) => void;
}

export function useSuggestions({ area, people, all, onText }: Use): Suggestions {
  const [asked, setAsked] = useState<Asked | null>(null);
  /** Where a list was closed by Escape: it stays closed for that word. */
  const [closed, setClosed] = useState(-1);
  const [chosen, setChosen] = useState(0);
  const listId = useId();
  const choices = asked && asked.from !== closed ? choicesFor(asked, people(), all) : [];

  const look = () => {
    const field = area.current;
    const next = field && field.selectionStart === field.selectionEnd ? askedAt(field.value, field.selectionStart) : null;
    if (!next) setClosed(-1);
    if (next?.q !== asked?.q || next?.from !== asked?.from) setChosen(0);
    setAsked(next);
  };

  const accept = (index: number) => {
    const field = area.current;
    const choice = choices[index];
    if (!field || !choice || !asked) return;
    const before = field.value.slice(0, asked.from) + choice.insert;
    const after = field.value.slice(asked.from + 1 + asked.q.length);
    field.value = before + after;
    field.setSelectionRange(before.length, before.length);
    field.focus();
    setAsked(null);
    onText(field.value);
  };

  const onKey = (event: KeyboardEvent): boolean => {
    if (choices.length === 0 || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setChosen((chosen + step + choices.length) % choices.length);
    else if ((event.key === "Enter" && !event.shiftKey) || (event.key === "Tab" && !event.shiftKey)) accept(Math.min(chosen, choices.length - 1));
    else if (event.key === "Escape") setClosed(asked?.from ?? -1);
    else return false;
    event.preventDefault();
    return true;
  };

  return { asked, choices, chosen: Math.min(chosen, choices.length - 1), listId, onKey, look, accept };
}

function choicesFor(asked: Asked, people: readonly Named[], all: boolean): Choice[] {
  if (asked.kind === "emoji") {
    return emojiFor(asked.q).map(({ emoji, name }) => ({ key: emoji, label: name.replaceAll("_", " "), insert: emoji, sign: { emoji } }));
  }
  const everybody = all && [t.everyone, "all"].some((word) => word.toLocaleLowerCase().startsWith(asked.q.toLocaleLowerCase()));
  const found = peopleFor(asked.q, people).map(({ id, name }): Choice => ({ key: id, label: name, insert: `@${name} `, sign: { person: id } }));
  return everybody ? [{ key: "", label: t.everyone, insert: "@all ", sign: { all: true } }, ...found] : found;
}

export function SuggestionList({ suggestions }: { suggestions: Suggestions }) {
  const { choices, chosen, listId, accept, asked } = suggestions;
  useEffect(() => {
    document.getElementById(`${listId}-${chosen}`)?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  if (choices.length === 0) return null;
  return (
    <ul class="suggestions" role="listbox" id={listId} aria-label={asked?.kind === "emoji" ? t.emojiList : t.peopleList}>
      {choices.map(({ key, label, sign }, index) => (
        <li
          key={key}
          id={`${listId}-${index}`}
          role="option"
          aria-selected={index === chosen}
          class="person"
          onPointerDown={(event) => {
            // Before the text loses the focus, which would close a phone's keyboard.
            event.preventDefault();
            accept(index);
          }}
        >
          {"person" in sign ? (
            <PersonAvatar id={sign.person} name={label} small />
          ) : "emoji" in sign ? (
            <span class="suggestion-emoji" aria-hidden="true">
              {sign.emoji}
            </span>
          ) : (
            <span class="avatar avatar-small avatar-1" aria-hidden="true">
              <Icon name="people" />
            </span>
          )}
          <span>{label}</span>
        </li>
      ))}
    </ul>
  );
}
