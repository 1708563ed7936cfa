// Typed events. A listener that throws does not silence the others, nor stop the stream: its error goes to the engine.

export interface Emitter {
  on(type: string, listener: (value: any) => void): () => void;
  emit(type: string, value: any): void;
}

export function createEmitter(): Emitter {
  const listeners: { [type: string]: ((value: any) => void)[] } = {};
  return {
    on(type, listener) {
      listeners[type] = (listeners[type] || []).concat(listener);
      return () => {
        const rest = [];
        for (let i = 0, all = listeners[type] || []; i < all.length; i++) if (all[i] !== listener) rest.push(all[i]!);
        listeners[type] = rest;
      };
    },
    emit(type, value) {
      const all = listeners[type] || [];
      for (let i = 0; i < all.length; i++) try {
        all[i]!(value);
      } catch (error) {
        setTimeout(() => { throw error; }, 0);
      }
    },
  };
}
