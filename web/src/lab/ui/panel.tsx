// One instrument: lamp, latency, numbers, what passes on the wire, and how to see the same in a terminal.
import { useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { copyText } from "../../ui/copy.ts";
import { Icon } from "../../ui/icons.tsx";
import type { Bench, Instrument } from "../bench.ts";
import { curlLine } from "../catalog.ts";
import type { Meter, TapLine } from "../meter.ts";
import { conditions } from "../network.ts";
import { hasNative } from "../standins.ts";
import { spread } from "../stats.ts";
import { words } from "../words/index.ts";
import { bytes, milliseconds, ratio, secondsLeft } from "./format.ts";
import { Sparkline } from "./sparkline.tsx";
import { Switch } from "./controls.tsx";

const TAP_SHOWN = 4;

export function Panel({ bench, instrument }: { bench: Bench; instrument: Instrument }) {
  const { row, meter } = instrument;
  const w = words();
  const { name, text } = w.rows[row.id];
  const standin = row.standin && !hasNative[row.standin];
  return (
    <article class={`panel instrument instrument-${meter.lamp}`} id={row.id} aria-labelledby={`${row.id}-name`}>
      <header class="instrument-head">
        <span class="instrument-section">{row.section}</span>
        <h3 id={`${row.id}-name`}>{name}</h3>
        <Switch label={w.running(name)} hidden on={instrument.wanted} onChange={(on) => bench.want(row.id, on)} />
      </header>
      <LampLine meter={meter} passes_by={conditions.buffering && !row.dammed}>
        {standin && <span class="tag">{w.standin}</span>}
        {row.cross && <span class="tag">{w.rehearsal}</span>}
      </LampLine>
      <p class="instrument-text">{text}</p>
      <Latency meter={meter} />
      <Numbers meter={meter} />
      <Tap lines={meter.tap} name={name} />
      <Curl line={(token) => curlLine(row, location.origin, token)} token={bench.session.token} />
    </article>
  );
}

function LampLine({ meter, passes_by, children }: { meter: Meter; passes_by: boolean; children: ComponentChildren }) {
  const w = words();
  const retry = meter.lamp === "waiting" && meter.retry_at ? secondsLeft(meter.retry_at, Date.now()) : null;
  const detail = retry !== null ? w.retryIn(retry) : meter.lamp === "closed" && meter.error ? meter.error.message : null;
  return (
    <p class="lamp-line small">
      <i class={`lamp lamp-${meter.lamp}`} />
      <span class="lamp-word">{w.lamps[meter.lamp]}</span>
      {detail && <span class="muted">{detail}</span>}
      {passes_by && <span class="muted">{w.passesBy}</span>}
      <span class="tags">{children}</span>
    </p>
  );
}

function Latency({ meter }: { meter: Meter }) {
  const w = words();
  const values = meter.latencies.recent(performance.now());
  const found = spread(values);
  return (
    <div class="latency">
      <Sparkline values={values} label={w.latencyAria} />
      <dl class="latency-numbers">
        {(["p50", "p95", "max"] as const).map((key) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{found ? milliseconds(found[key]) : "–"}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Number({ label, value, note, tone = "" }: { label: string; value: string; note?: ComponentChildren; tone?: "" | "good" | "bad" }) {
  return (
    <div class={`number number-${tone || "plain"}`}>
      <dt>{label}</dt>
      <dd>
        {value}
        {note && <small>{note}</small>}
      </dd>
    </div>
  );
}

function Numbers({ meter }: { meter: Meter }) {
  const w = words();
  const { messages, overhead } = meter;
  const missing = meter.gaps + meter.damaged;
  return (
    <dl class="numbers">
      <Number label={w.messages} value={w.number(messages)} note={meter.caught_up > 0 && w.caughtUp(meter.caught_up)} />
      <Number label={w.gaps} value={w.number(missing)} tone={missing > 0 ? "bad" : messages > 0 ? "good" : ""} />
      <Number label={w.duplicates} value={w.number(meter.duplicates)} />
      <Number label={w.requests} value={w.number(meter.requests)} note={messages > 0 && w.perMessage(ratio(meter.requests / messages))} />
      <Number label={w.event} value={messages > 0 ? bytes(meter.event_bytes / messages) : "–"} note={w.aMessage} />
      <Number label={w.overhead} value={overhead === null ? "–" : `≈ ${bytes(overhead)}`} note={w.aMessage} />
      <Number label={w.down} value={`≈ ${bytes(meter.down_bytes)}`} />
      <Number label={w.up} value={`≈ ${bytes(meter.up_bytes)}`} />
      <Number label={w.reconnects} value={w.number(meter.reconnects)} note={meter.last_cause && w.causes[meter.last_cause]} />
    </dl>
  );
}

/** Stands still while somebody points at it or selects in it. */
function Tap({ lines, name }: { lines: readonly TapLine[]; name: string }) {
  const [held, setHeld] = useState<readonly TapLine[] | null>(null);
  const w = words();
  const shown = (held ?? lines).slice(0, TAP_SHOWN);
  return (
    <section class="tap" aria-label={`${w.wire}: ${name}`}>
      <h4 title={w.wireHold}>{w.wire}</h4>
      <ol tabIndex={0} onPointerEnter={() => setHeld(lines)} onPointerLeave={() => setHeld(null)} onFocus={() => setHeld(lines)} onBlur={() => setHeld(null)}>
        {shown.length === 0 && <li class="muted">{w.wireNothing}</li>}
        {shown.map((line, i) => (
          <li key={i} class={`tap-${line.direction}`}>
            <span class="tap-direction" aria-hidden="true">{line.direction === "up" ? "↑" : "↓"}</span>
            <code>{line.text}</code>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Curl({ line, token }: { line: (token: string) => string; token: string }) {
  const [copied, setCopied] = useState(false);
  const timer = useRef(0);
  const w = words();
  const copy = async () => {
    if (!(await copyText(line(token)))) return;
    setCopied(true);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setCopied(false), 2_500);
  };
  return (
    <section class="curl">
      <header>
        <h4>{w.curl}</h4>
        <button type="button" class="button button-small" title={w.curlHint} onClick={copy}>
          <Icon name={copied ? "check" : "copy"} />
          <span aria-live="polite">{copied ? w.copied : w.copy}</span>
        </button>
      </header>
      <code>{line("…")}</code>
    </section>
  );
}
