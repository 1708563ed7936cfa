// One of a few, all of them in sight: real radio buttons under the look of a segmented switch.
import { useId } from "preact/hooks";

interface Props<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onValue: (value: T) => void;
}

export function Choice<T extends string>({ label, value, options, onValue }: Props<T>) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      <div class="choice-options">
        {options.map(([each, text]) => (
          <label key={each}>
            <input type="radio" class="sr-only" name={name} checked={each === value} onChange={() => onValue(each)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function Switch({ label, hint, on, onSwitch }: { label: string; hint?: string; on: boolean; onSwitch: (on: boolean) => void }) {
  return (
    <label class="switch">
      <span>
        {label}
        {hint && <small>{hint}</small>}
      </span>
      <input type="checkbox" role="switch" checked={on} onChange={(event) => onSwitch(event.currentTarget.checked)} />
    </label>
  );
}
