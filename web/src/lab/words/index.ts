// The language of the lab follows the setting that it shares with the chat page.
import { type Language, language } from "../../i18n/index.ts";
import { en, type Words } from "./en.ts";
import { zh } from "./zh.ts";

const ALL: Record<Language, Words> = { en, zh };

export const words = (): Words => ALL[language];
