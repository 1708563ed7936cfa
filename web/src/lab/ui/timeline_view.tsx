// The shared timeline: one canvas, a lane for what is sent and one for each transport, the same time for all.
import { useEffect, useRef } from "preact/hooks";
import type { Bench } from "../bench.ts";
import { bars, type Lane, marks, WINDOW_MS } from "../timeline.ts";
import { words } from "../words/index.ts";

/** In pixels; the names beside the canvas have the same height in styles/lanes.css. */
const LANE_HEIGHT = 24;
const FRAME_MS = 40;
/** For those who want less motion: it goes on in steps. */
const STEP_MS = 1_000;

const calm = matchMedia("(prefers-reduced-motion: reduce)");

interface Paint {
  line: string;
  bar: string;
  edge: string;
  dot: string;
  late: string;
}

function paint(): Paint {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return { line: colour("--line"), bar: colour("--accent-soft"), edge: colour("--good"), dot: colour("--accent"), late: colour("--badge") };
}

function drawLane(context: CanvasRenderingContext2D, lane: Lane, top: number, now: number, width: number, colours: Paint): void {
  const middle = top + LANE_HEIGHT / 2;
  for (const bar of bars(lane.spans, now, width)) {
    context.fillStyle = colours.bar;
    context.fillRect(bar.x, middle - 7, bar.width, 14);
    context.fillStyle = colours.edge;
    context.fillRect(bar.x, middle - 7, 1.5, 14);
  }
  for (const [x, late] of marks(lane.dots, now, width)) {
    context.fillStyle = late ? colours.late : colours.dot;
    context.beginPath();
    context.arc(x, middle, 3, 0, 2 * Math.PI);
    context.fill();
  }
}

function draw(canvas: HTMLCanvasElement, lanes: readonly Lane[]): void {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const scale = devicePixelRatio;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = canvas.getContext("2d");
  if (!context) return;
  const colours = paint();
  const now = performance.now();
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.fillStyle = colours.line;
  for (let s = 0; s <= WINDOW_MS; s += 5_000) context.fillRect(Math.min(width - 1, Math.round((s / WINDOW_MS) * width)), 0, 1, height);
  lanes.forEach((lane, i) => drawLane(context, lane, i * LANE_HEIGHT, now, width, colours));
}

export function TimelineView({ bench }: { bench: Bench }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const w = words();
  useEffect(() => {
    const lanes = [bench.publisher.lane, ...bench.instruments.map(({ meter }) => meter.lane)];
    let drawn_at = 0;
    let request = 0;
    const frame = (now: number) => {
      request = requestAnimationFrame(frame);
      if (now - drawn_at < (calm.matches ? STEP_MS : FRAME_MS) || !canvas.current) return;
      drawn_at = now;
      draw(canvas.current, lanes);
    };
    request = requestAnimationFrame(frame);
    return () => cancelAnimationFrame(request);
  }, [bench]);

  return (
    <section class="panel timeline" aria-labelledby="timeline-title">
      <header class="timeline-head">
        <h2 id="timeline-title">{w.timeline}</h2>
        <p class="muted small">{w.timelineText}</p>
        <ul class="legend small">
          <li><i class="legend-bar" />{w.legendRequest}</li>
          <li><i class="legend-dot" />{w.legendPrompt}</li>
          <li><i class="legend-dot legend-late" />{w.legendLate}</li>
        </ul>
      </header>
      <div class="lanes">
        <ol class="lane-names">
          <li class="lane-sent">{w.sent}</li>
          {bench.instruments.map(({ row, meter }) => (
            <li key={row.id}>
              <a href={`#${row.id}`}>
                <i class={`lamp lamp-${meter.lamp}`} />
                <span class="lane-section">{row.section}</span>
                <span class="lane-name">{w.rows[row.id].short}</span>
              </a>
            </li>
          ))}
        </ol>
        <canvas ref={canvas} role="img" aria-label={w.timelineAria} />
        <p class="lane-axis muted" aria-hidden="true">
          <span>{w.seconds(30)}</span>
          <span>{w.seconds(15)}</span>
          <span>{w.now}</span>
        </p>
      </div>
    </section>
  );
}
