// The transport lab begins here: settings, the layer that can make the network bad, then the page.
import "../tokens.css";
import "../styles/base.css";
import "../styles/controls.css";
import "./lab.css";
import { render } from "preact";
import { applySettings } from "../app/settings.ts";
import { installNetwork } from "./network.ts";
import { Page } from "./ui/page.tsx";

applySettings();
installNetwork();
const root = document.getElementById("app");
if (root) render(<Page />, root);
