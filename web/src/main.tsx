/** The page begins. */
import { render } from "preact";
import { App } from "./app.tsx";
import { TEXT } from "./messages.ts";
import { handOver } from "./provider_window.ts";
import { begin } from "./state.ts";
import "./style.css";

const place = document.getElementById("console") as HTMLElement;
if (handOver()) render(<p class="state">{TEXT.windowDone}</p>, place);
else {
  render(<App />, place);
  void begin();
}
