// The latest latencies as a line, one step a message; upward is later, each line of the grid ten times the one below.
import { logShare } from "../stats.ts";

const WIDTH = 240;
const HEIGHT = 48;
const POINTS = 60;
const GRID_MS = [10, 100, 1_000, 10_000];

const y = (ms: number): number => HEIGHT - 3 - logShare(ms) * (HEIGHT - 6);

export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const shown = values.slice(-POINTS);
  const step = WIDTH / (POINTS - 1);
  const line = shown.map((ms, i) => `${(WIDTH - (shown.length - 1 - i) * step).toFixed(1)},${y(ms).toFixed(1)}`).join(" ");
  const first = WIDTH - (shown.length - 1) * step;
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {GRID_MS.map((ms) => (
        <line key={ms} class="sparkline-grid" x1="0" x2={WIDTH} y1={y(ms)} y2={y(ms)} />
      ))}
      {shown.length > 1 && (
        <>
          <polygon class="sparkline-area" points={`${first.toFixed(1)},${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} />
          <polyline class="sparkline-line" points={line} />
        </>
      )}
    </svg>
  );
}
