// Stand-ins for two things that only old Internet Explorers had, so that the transports made of them can be watched
// today. They obey the same rules, as far as those matter to a transport; where the browser has the real thing, that is used.
// The page names them for what they are.

export const hasNative = {
  htmlfile: "ActiveXObject" in window,
  xdr: "XDomainRequest" in window,
};

export function installStandins(): void {
  if (!hasNative.htmlfile) Object.assign(window, { ActiveXObject: StandinActiveXObject });
  if (!hasNative.xdr) Object.assign(window, { XDomainRequest: StandinXDomainRequest });
}

/** `new ActiveXObject("htmlfile")`: a document that is not shown. Here it is the document of a hidden frame. */
function StandinActiveXObject(name: string): object {
  if (name !== "htmlfile") throw new Error("Automation server can't create object");
  const frame = document.createElement("iframe");
  frame.hidden = true;
  document.body.append(frame);
  const inner = frame.contentDocument as Document;
  return new Proxy(inner, {
    get(_, key) {
      if (key === "parentWindow" || key === "Script") return frame.contentWindow;
      const value = Reflect.get(inner, key);
      return typeof value === "function" ? value.bind(inner) : value;
    },
    set: (_, key, value) => Reflect.set(inner, key, value),
  });
}

/** Of a stream, XDomainRequest shows nothing before so many characters. */
const HIDDEN_CHARACTERS = 2048;

/** GET and POST, no headers, no cookies, no status, the page's own scheme. */
class StandinXDomainRequest {
  responseText = "";
  contentType = "";
  timeout = 0;
  onload: (() => void) | null = null;
  onerror: (() => void) | null = null;
  onprogress: (() => void) | null = null;
  ontimeout: (() => void) | null = null;
  private readonly stop = new AbortController();
  private method = "GET";
  private url = "";

  open(method: string, url: string): void {
    if (!/^(get|post)$/i.test(method)) throw new Error("Invalid argument.");
    if (new URL(url, location.href).protocol !== location.protocol) throw new Error("Access is denied.");
    this.method = method.toUpperCase();
    this.url = url;
  }

  send(body?: string): void {
    this.run(body).catch(() => {
      if (!this.stop.signal.aborted) this.onerror?.();
    });
  }

  abort(): void {
    this.stop.abort();
  }

  private async run(body?: string): Promise<void> {
    const response = await fetch(this.url, {
      method: this.method,
      // A Blob without a type sends no Content-Type, as XDomainRequest does not.
      body: this.method === "POST" ? new Blob([body ?? ""]) : undefined,
      credentials: "omit",
      signal: this.stop.signal,
    });
    if (!response.ok || !response.body) throw new Error("XDomainRequest tells no status");
    this.contentType = response.headers.get("content-type") ?? "";
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      text += decoder.decode(chunk.value, { stream: true });
      if (text.length < HIDDEN_CHARACTERS) continue;
      this.responseText = text;
      this.onprogress?.();
    }
    this.responseText = text;
    this.onload?.();
  }
}

/** The library's legacy build, which alone has these two transports. It defines the global `Wigeon`. */
let legacy: Promise<any> | null = null;

export function legacyWigeon(): Promise<any> {
  legacy ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "wigeon-legacy.js";
    script.onload = () => resolve((window as any).Wigeon);
    script.onerror = () => {
      legacy = null;
      script.remove();
      reject(new Error("wigeon-legacy.js did not load"));
    };
    document.head.append(script);
  });
  return legacy;
}
