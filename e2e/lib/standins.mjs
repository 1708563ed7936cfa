// Stand-ins for what only old Internet Explorers had, faithful in what transports must respect. They are
// functions without outside references, to be put into a page with `addInitScript`.

/**
 * `new ActiveXObject("htmlfile")`: a document that lives in memory. Here it is a hidden frame's document,
 * and, as in IE, it ends together with its connections when the script lets go of the object (run Chromium
 * with --js-flags=--expose-gc to see that).
 */
export function htmlfile() {
  const graves = new FinalizationRegistry((frame) => frame.remove());
  window.CollectGarbage = () => window.gc?.();
  window.ActiveXObject = function ActiveXObject(name) {
    if (name !== "htmlfile") throw new Error("Automation server can't create object");
    const frame = document.createElement("iframe");
    frame.style.display = "none";
    document.documentElement.append(frame);
    // A second object in front of the document: the frame itself keeps the real one alive.
    const inner = () => frame.contentDocument;
    const object = new Proxy(
      {},
      {
        get(_, key) {
          if (key === "parentWindow" || key === "Script") return frame.contentWindow;
          const value = inner()[key];
          return typeof value === "function" ? value.bind(inner()) : value;
        },
        set(_, key, value) {
          inner()[key] = value;
          return true;
        },
      },
    );
    graves.register(object, frame);
    return object;
  };
}

/**
 * `XDomainRequest` of IE 8 and 9: GET and POST, the page's own scheme, no headers, no cookies, no status;
 * of a stream nothing shows before 2048 characters.
 */
export function xDomainRequest() {
  const HIDDEN_CHARACTERS = 2048;
  // The page may take `fetch` away afterwards, as old engines have none.
  const fetch = window.fetch.bind(window);
  window.XDomainRequest = class XDomainRequest {
    responseText = "";
    timeout = 0;
    contentType = "";
    onload = null;
    onerror = null;
    onprogress = null;
    ontimeout = null;
    #stop = new AbortController();

    open(method, url) {
      if (!/^(get|post)$/i.test(method)) throw new Error("Invalid argument.");
      this.url = new URL(url, location.href);
      if (this.url.protocol !== location.protocol) throw new Error("Access is denied.");
      this.method = method.toUpperCase();
    }

    send(body) {
      this.#run(body).catch((error) => {
        if (error.name !== "AbortError") this.onerror?.();
      });
    }

    abort() {
      this.#stop.abort();
    }

    async #run(body) {
      const post = this.method === "POST";
      const response = await fetch(this.url, {
        method: this.method,
        body: post ? new Blob([body ?? ""]) : undefined,
        credentials: "omit",
        signal: this.#stop.signal,
      });
      if (!response.ok) throw new Error("XDomainRequest tells no status");
      this.contentType = response.headers.get("content-type") ?? "";
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        text += value;
        if (text.length < HIDDEN_CHARACTERS) continue;
        this.responseText = text;
        this.onprogress?.();
      }
      this.responseText = text;
      this.onload?.();
    }
  };
}
