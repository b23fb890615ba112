// The webview side of VS Code's Jupyter extension in small: its real widget manager, a real kernel connection, outputs that come and go.

import { KernelConnection } from "@jupyterlab/services/lib/kernel/default";
import { ServerConnection } from "@jupyterlab/services/lib/serverconnection";
import { activate } from "/ipywidgets.js";

const WIDGET = "application/vnd.jupyter.widget-view+json";
const THEMES = {
  "vscode-light": { "editor-background": "#ffffff", "editor-foreground": "#3b3b3b", focusBorder: "#005fb8", "textLink-foreground": "#005fb8", "input-background": "#ffffff", "notebook-cellEditorBackground": "#f8f8f8" },
  "vscode-dark": { "editor-background": "#1f1f1f", "editor-foreground": "#cccccc", focusBorder: "#0078d4", "textLink-foreground": "#4daafc", "input-background": "#313131", "notebook-cellEditorBackground": "#1f1f1f" },
  "vscode-high-contrast": { "editor-background": "#000000", "editor-foreground": "#ffffff", focusBorder: "#f38518", "textLink-foreground": "#21a6ff", "input-background": "#000000", contrastBorder: "#6fc3df" },
  "vscode-high-contrast-light": { "editor-background": "#ffffff", "editor-foreground": "#292929", focusBorder: "#006bbd", "textLink-foreground": "#0f4a85", "input-background": "#ffffff", contrastBorder: "#0f4a85" },
};
const FONTS = { "font-family": "system-ui, sans-serif", "font-size": "13px", "editor-font-family": "monospace", "editor-font-size": "14px" };

const asked = new URLSearchParams(location.search);
let kernel, manager;
const outputs = new Map(); // cell → {model, container, widget}

function setTheme(kind) {
  const root = document.documentElement;
  for (const name of [...root.style].filter((one) => one.startsWith("--vscode-"))) root.style.removeProperty(name);
  for (const [name, value] of Object.entries({ ...FONTS, ...THEMES[kind] })) root.style.setProperty(`--vscode-${name}`, value);
  document.body.classList.remove(...Object.keys(THEMES));
  document.body.classList.add(kind);
  if (kind === "vscode-high-contrast-light") document.body.classList.add("vscode-high-contrast");
  document.body.dataset.vscodeThemeKind = kind;
}

function connect(address) {
  class Socket extends WebSocket { constructor() { super(address); } } // the extension host stands in for the server here
  const serverSettings = ServerConnection.makeSettings({ WebSocket: Socket, wsUrl: "ws://kernel", baseUrl: "http://kernel" });
  kernel = new KernelConnection({ serverSettings, model: { id: "kernel", name: "python3" }, handleComms: true });
  const scripts = {
    widgetsRegisteredInRequireJs: new Set(),
    // Found in the nbextensions of the kernel's environment, before any CDN.
    loadWidgetScript: async (name) => { requirejs.config({ paths: { [name]: `/nbextensions/${name}/index` } }); scripts.widgetsRegisteredInRequireJs.add(name); },
    successHandler() {},
    errorHandler() {},
  };
  manager = new window.vscIPyWidgets.WidgetManager(kernel, document.createElement("div"), scripts, () => {});
  return kernel.info;
}

// Show the model of a cell in a new container, as when its output is scrolled into sight: the widget drawn before is disposed of only now.
async function render(cell) {
  const output = outputs.get(cell);
  const row = document.createElement("div"), box = document.createElement("div"), ground = document.createElement("div"), part = document.createElement("div");
  row.className = "cell_container";
  row.id = cell;
  box.className = "output_container";
  const element = document.createElement("div");
  element.className = "output cell-output-ipywidget-background";
  ground.className = "cell-output-ipywidget-background";
  ground.tabIndex = 0;
  part.className = "cell-output";
  ground.append(part);
  element.append(ground);
  box.append(element);
  row.append(box);
  document.querySelector("#container").append(row);
  output.container = row;
  try {
    output.widget?.dispose();
  } catch {
    // Lumino cannot detach what is no longer in the page; the extension goes on likewise.
  }
  const model = await manager.get_model(output.model);
  const view = await manager.create_view(model, { el: ground });
  output.widget = await manager.display_view(undefined, view, { node: ground });
}

window.host = {
  setTheme,
  // Run code as a cell; gives what its end was, and shows the widget that it displayed as soon as it does.
  run(cell, code) {
    const future = kernel.requestExecute({ code });
    future.onIOPub = ({ content, header }) => {
      if (header.msg_type === "stream") window.printed = content.text;
      if (!["display_data", "execute_result"].includes(header.msg_type) || !content.data[WIDGET]) return;
      outputs.set(cell, { model: content.data[WIDGET].model_id });
      render(cell);
    };
    return future.done.then((reply) => reply.content);
  },

  // Begin to run code as a cell; `ended` tells when it has.
  start(cell, code) {
    window.ended = false;
    this.run(cell, code).then(() => { window.ended = true; });
  },

  // What VS Code does when an output leaves the screen or its cell is collapsed: the element goes, and nobody tells the widget.
  scrollAway(cell) { outputs.get(cell).container.remove(); },
  scrollBack: (cell) => render(cell),

  // What the extension does in its webview when the kernel was restarted: both go, and the next output gets new ones.
  restarted() {
    manager.dispose();
    kernel.dispose();
    return connect(asked.get("kernel"));
  },
};

document.body.classList.toggle("bridged", asked.has("bridged"));
setTheme(asked.get("theme") || "vscode-light");
activate();
window.vscIPyWidgets8.load();
connect(asked.get("kernel")).then(() => { window.ready = true; });
