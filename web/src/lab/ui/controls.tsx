// The knobs: how much is sent, and what happens to it on its way.
import type { ComponentChildren } from "preact";
import { Icon } from "../../ui/icons.tsx";
import type { Bench } from "../bench.ts";
import { conditions } from "../network.ts";
import { RATES, SIZES } from "../publisher.ts";
import { hasNative } from "../standins.ts";
import { words } from "../words/index.ts";
import { secondsLeft } from "./format.ts";

const DELAYS = [0, 200, 1_000] as const;

export function Switch({ label, on, onChange, hidden = false, title }: { label: string; on: boolean; onChange: (on: boolean) => void; hidden?: boolean; title?: string }) {
  return (
    <label class="switch" title={title}>
      <input type="checkbox" role="switch" checked={on} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span class="switch-track" />
      <span class={hidden ? "sr-only" : ""}>{label}</span>
    </label>
  );
}

/** One of a few, all of them visible. */
export function Choice<T extends string | number>({ label, name, options, value, onChange, bare = false }: { label: string; name: string; options: readonly (readonly [T, ComponentChildren])[]; value: T; onChange: (value: T) => void; bare?: boolean }) {
  return (
    <fieldset class="choice">
      <legend class={bare ? "sr-only" : ""}>{label}</legend>
      <div class="choice-options">
        {options.map(([option, text]) => (
          <label key={option}>
            <input type="radio" name={name} checked={option === value} onChange={() => onChange(option)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function Controls({ bench, onChange }: { bench: Bench; onChange: () => void }) {
  const w = words();
  const { publisher } = bench;
  const now = performance.now();
  const dropped = secondsLeft(bench.dropped_until, now);
  const set = (change: () => void) => {
    change();
    onChange();
  };
  return (
    <section class="panel controls" aria-label={w.controls}>
      <div class="controls-row">
        <Choice label={w.pace} name="pace" options={RATES.map((rate) => [rate, w.paces[rate]] as const)} value={publisher.rate} onChange={(rate) => set(() => publisher.pace(rate))} />
        <button type="button" class="button button-primary" onClick={() => set(() => publisher.send())}>
          <Icon name="send" />
          {w.send}
        </button>
        <Choice label={w.size} name="size" options={SIZES.map((size) => [size, w.bytes(size)] as const)} value={publisher.size} onChange={(size) => set(() => (publisher.size = size))} />
        <Switch label={w.hostile} title={w.hostileHint} on={publisher.hostile} onChange={(on) => set(() => (publisher.hostile = on))} />
      </div>
      <div class="controls-row">
        <Choice label={w.delay} name="delay" options={DELAYS.map((ms) => [ms, w.delays[ms]] as const)} value={conditions.delay_ms as (typeof DELAYS)[number]} onChange={(ms) => set(() => (conditions.delay_ms = ms))} />
        <button type="button" class="button drop" disabled={dropped > 0} onClick={() => set(() => bench.drop())}>
          <Icon name="plug" />
          {dropped > 0 ? w.dropped(dropped) : w.drop}
        </button>
        <Switch label={w.proxy} title={w.proxyHint} on={conditions.buffering} onChange={(on) => set(() => (conditions.buffering = on))} />
        {!(hasNative.htmlfile && hasNative.xdr) && <Switch label={w.standins} on={bench.standins} onChange={(on) => set(() => (bench.standins = on))} />}
      </div>
      <div class="controls-notes small muted">
        <p>{conditions.buffering ? w.proxyNote : w.networkNote}</p>
        {publisher.fast_until !== null && <p>{w.fastFor(secondsLeft(publisher.fast_until, now))}</p>}
        {publisher.hostile && <p>{w.hostileHint}</p>}
        {publisher.refused && <p class="bad" role="alert">{w.refused} {publisher.refused}</p>}
      </div>
    </section>
  );
}
