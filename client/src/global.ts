// For a <script> tag: `Wigeon` becomes a global.
import { Wigeon } from "./wigeon.ts";

(globalThis as any).Wigeon = Wigeon;
