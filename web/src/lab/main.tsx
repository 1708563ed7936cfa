// The transport lab begins here: settings, the layer that can make the network bad, then the page.
import "../tokens.css";
import "../styles/base.css";
import "../styles/controls.css";
import "./styles/page.css";
import "./styles/verdict.css";
import "./styles/knobs.css";
import "./styles/lanes.css";
import "./styles/instrument.css";
import "./styles/readings.css";
import "./styles/narrow.css";
import { render } from "preact";
import { applySettings } from "../app/settings.ts";
import { installNetwork } from "./network.ts";
import { Page } from "./ui/page.tsx";

applySettings();
installNetwork();
const root = document.getElementById("app");
if (root) render(<Page />, root);
