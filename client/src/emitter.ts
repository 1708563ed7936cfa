// Typed events. A listener that throws does not silence the others, nor stop the stream: its error goes to the engine.

import { pick } from "./list.ts";

export interface Emitter {
  on(type: string, listener: (value: any) => void): () => void;
  emit(type: string, value: any): void;
  /** Somebody listens: worth making. */
  heard(type: string): boolean;
}

export function createEmitter(): Emitter {
  const listeners: { [type: string]: ((value: any) => void)[] } = {};
  return {
    on(type, listener) {
      listeners[type] = (listeners[type] || []).concat(listener);
      return () => {
        listeners[type] = pick(listeners[type]!, other => other !== listener);
      };
    },
    heard: type => !!listeners[type]?.length,
    emit(type, value) {
      for (const listener of listeners[type] || []) try {
        listener(value);
      } catch (error) {
        setTimeout(() => { throw error; }, 0);
      }
    },
  };
}
