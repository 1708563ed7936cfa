// Choosing: one of a few that are all in sight (radio buttons that look like a segmented switch), one of
// several in a list, on or off. Each is a real control of the browser under our own look.
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

/** One of several, behind a button: where there is no room for all of them. */
export function Select<T extends string>({ label, value, options, onValue }: Props<T>) {
  return (
    <label class="setting">
      <span>{label}</span>
      <select value={value} onChange={(event) => onValue(event.currentTarget.value as T)}>
        {options.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </label>
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
