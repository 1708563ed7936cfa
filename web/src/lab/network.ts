// The lab's own layer between the library and the browser's network: `fetch`, `XMLHttpRequest`, `EventSource` and
// `WebSocket` are replaced on this page by ones whose answers pass a dam (dam.ts). Frames and script tags load by
// themselves and cannot be put behind it; the page says so. With no delay and no buffering everything passes at once.
import { type Clock, type Conditions, Dam } from "./dam.ts";

export const conditions: Conditions = { delay_ms: 0, buffering: false };

const clock: Clock = {
  now: () => performance.now(),
  after: (ms, then) => void setTimeout(then, ms),
};

const native = { fetch: window.fetch.bind(window), EventSource: window.EventSource, WebSocket: window.WebSocket, XMLHttpRequest: window.XMLHttpRequest };

export function installNetwork(): void {
  window.fetch = dammedFetch;
  Object.assign(window, { EventSource: DammedEventSource, WebSocket: DammedWebSocket, XMLHttpRequest: DammedXhr });
}

/** The head passes the dam first, and with it in a proxy that buffers: then nothing at all shows before 4 KiB. */
async function dammedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await native.fetch(input, init);
  const source = response.body?.getReader();
  if (!source) return response;
  const dam = new Dam(conditions, clock);
  let lost: (error: unknown) => void;
  const head = new Promise<void>((passed, failed) => {
    lost = failed;
    dam.push(0, passed);
  });
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const pump = async () => {
        for (let chunk = await source.read(); !chunk.done; chunk = await source.read()) {
          const { value } = chunk;
          dam.push(value.length, () => controller.enqueue(value));
        }
        dam.end(() => controller.close());
      };
      // A lost connection is known at once: what was held back on its way is lost with it.
      pump().catch((error) => {
        dam.close();
        lost(error);
        controller.error(error);
      });
    },
    cancel(reason) {
      dam.close();
      return source.cancel(reason);
    },
  });
  await head;
  return new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers });
}

/** As much of XMLHttpRequest as the library uses. */
class DammedXhr {
  onreadystatechange: (() => void) | null = null;
  readyState = 0;
  status = 0;
  responseText = "";
  withCredentials = false;
  private readonly xhr = new native.XMLHttpRequest();
  private readonly dam = new Dam(conditions, clock);
  private read = 0;

  open(method: string, url: string): void {
    this.xhr.open(method, url, true);
    this.xhr.onreadystatechange = () => this.take();
  }

  setRequestHeader(name: string, value: string): void {
    this.xhr.setRequestHeader(name, value);
  }

  getResponseHeader(name: string): string | null {
    return this.xhr.getResponseHeader(name);
  }

  send(body?: string | null): void {
    this.xhr.withCredentials = this.withCredentials;
    this.xhr.send(body);
  }

  abort(): void {
    this.dam.close();
    this.xhr.abort();
  }

  private take(): void {
    const { readyState, status, responseText } = this.xhr;
    if (readyState < 3) return;
    const text = responseText;
    if (readyState === 3) {
      const bytes = text.length - this.read;
      this.read = text.length;
      if (bytes > 0) this.dam.push(bytes, () => this.show(3, status, text));
    } else if (status === 0) {
      this.dam.close();
      this.show(4, 0, "");
    } else {
      this.dam.end(() => this.show(4, status, text));
    }
  }

  private show(readyState: number, status: number, text: string): void {
    this.readyState = readyState;
    this.status = status;
    this.responseText = text;
    this.onreadystatechange?.();
  }
}

class DammedEventSource {
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  private readonly source: EventSource;
  private readonly dam = new Dam(conditions, clock);

  constructor(url: string) {
    this.source = new native.EventSource(url);
    this.source.onmessage = (event) => this.dam.push(event.data.length + event.lastEventId.length + 16, () => this.onmessage?.(event));
    this.source.onerror = (event) => {
      this.dam.close();
      this.onerror?.(event);
    };
  }

  get readyState(): number {
    return this.source.readyState;
  }

  close(): void {
    this.dam.close();
    this.source.close();
  }
}

/** Only delayed: once it is through, a proxy passes a WebSocket on as it comes. */
class DammedWebSocket {
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  private readonly socket: WebSocket;

  constructor(url: string) {
    const dam = new Dam({ get delay_ms() { return conditions.delay_ms; }, buffering: false }, clock);
    this.socket = new native.WebSocket(url);
    this.socket.onopen = (event) => dam.push(0, () => this.onopen?.(event));
    this.socket.onmessage = (event) => dam.push(0, () => this.onmessage?.(event));
    this.socket.onclose = (event) => dam.push(0, () => this.onclose?.(event));
  }

  get readyState(): number {
    return this.socket.readyState;
  }

  get bufferedAmount(): number {
    return this.socket.bufferedAmount;
  }

  send(text: string): void {
    this.socket.send(text);
  }

  close(): void {
    this.socket.close();
  }
}
