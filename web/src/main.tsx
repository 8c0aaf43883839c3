/** The page begins. */
import { render } from "preact";
import { App } from "./app.tsx";
import { begin } from "./state.ts";
import "./style.css";

render(<App />, document.getElementById("console") as HTMLElement);
void begin();
