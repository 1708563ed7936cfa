// How components reach the app, and how the page is drawn again.
import { createContext } from "preact";
import { Component, type ComponentChildren } from "preact";
import { useContext } from "preact/hooks";
import type { App } from "../app/app.ts";

export const AppContext = createContext<App>(null as unknown as App);
export const useApp = (): App => useContext(AppContext);

/** Draws `children()` again only when one of `inputs` is another value: for rows of long lists. */
export class Still extends Component<{ inputs: readonly unknown[]; children: () => ComponentChildren }> {
  override shouldComponentUpdate(next: { inputs: readonly unknown[] }): boolean {
    const { inputs } = this.props;
    return next.inputs.length !== inputs.length || next.inputs.some((input, index) => input !== inputs[index]);
  }
  render(): ComponentChildren {
    return this.props.children();
  }
}
