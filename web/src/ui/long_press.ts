// A long press of a finger, which on a touch screen is what the right button is elsewhere. A finger that moves
// is scrolling; the click that ends a long press is swallowed, so that it does not also open what lies under it.
import { useRef } from "preact/hooks";

const LONG_PRESS_MS = 450;
const MOVED_PX_MAX = 8;

export function useLongPress(onPress: (target: Element) => void) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const from = useRef({ x: 0, y: 0 });
  const pressed = useRef(false);
  const stop = () => clearTimeout(timer.current);
  return {
    onPointerDown(event: PointerEvent) {
      pressed.current = false;
      if (event.pointerType !== "touch") return;
      const target = event.currentTarget as Element;
      from.current = { x: event.clientX, y: event.clientY };
      timer.current = setTimeout(() => {
        pressed.current = true;
        onPress(target);
      }, LONG_PRESS_MS);
    },
    onPointerMove(event: PointerEvent) {
      if (Math.hypot(event.clientX - from.current.x, event.clientY - from.current.y) > MOVED_PX_MAX) stop();
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    onClickCapture(event: Event) {
      if (!pressed.current) return;
      pressed.current = false;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}
