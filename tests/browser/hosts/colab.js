// The notebook's side of a page made like Colab: it speaks with the kernel, keeps the state of models, and hands it to the frames of outputs.

import { deserialize, serialize } from "@jupyterlab/services/lib/kernel/serialize";

const WIDGET = "application/vnd.jupyter.widget-view+json";
const SANDBOX = "allow-downloads allow-forms allow-pointer-lock allow-popups allow-popups-to-escape-sandbox allow-same-origin allow-scripts";
const asked = new URLSearchParams(location.search);
const session = crypto.randomUUID();
const socket = new WebSocket(asked.get("kernel"));
const models = new Map(); // comm id → {state, frames: the ports of outputs that listen}
const cells = new Map(); // cell → {model, frame}
const running = new Map(); // request id → {cell, done}
let theme = asked.get("theme") || "light";

socket.binaryType = "arraybuffer";
socket.onopen = () => { window.ready = true; };
socket.onmessage = ({ data }) => heard(deserialize(data));

// Everything goes to the main shell: Colab knows no subshells.
function tell(type, content, buffers = []) {
  const header = { msg_id: crypto.randomUUID(), msg_type: type, username: "", session, date: new Date().toISOString(), version: "5.3" };
  socket.send(serialize({ header, parent_header: {}, metadata: {}, content, buffers, channel: "shell" }));
  return header.msg_id;
}

function heard({ header, parent_header: parent, content, metadata, buffers }) {
  const request = running.get(parent.msg_id);
  if (header.msg_type === "stream" && request) window.printed = content.text;
  if (header.msg_type === "comm_open" && content.target_name === "jupyter.widget") models.set(content.comm_id, { state: content.data.state, frames: new Set() });
  if (header.msg_type === "comm_msg") commSaid(content, buffers || []);
  if (header.msg_type === "execute_reply" && request) request.done(content);
  if (["display_data", "execute_result"].includes(header.msg_type) && request && content.data[WIDGET]) {
    // Without this the built-in manager would show it, which knows no widgets of others.
    const isCustom = content.metadata?.[WIDGET]?.colab?.custom_widget_manager?.url;
    cells.set(request.cell, { model: content.data[WIDGET].model_id, isCustom });
    render(request.cell);
  }
}

function commSaid({ comm_id: id, data }, buffers) {
  const model = models.get(id);
  if (!model) return;
  if (data.method === "update") Object.assign(model.state, data.state);
  const copies = buffers.map((one) => new Uint8Array(one.buffer, one.byteOffset, one.byteLength).slice().buffer);
  for (const port of model.frames) port.postMessage({ id, data, buffers: copies });
}

// What an output's frame asks for: the state of a model, from when on it hears what is said to it; and to say something itself.
function frameAsked(port, { type, id, re, data, buffers }) {
  if (type === "send") tell("comm_msg", { comm_id: id, data }, (buffers || []).map((one) => new DataView(one)));
  if (type !== "state") return;
  const model = models.get(id);
  model?.frames.add(port);
  const state = model && structuredClone(model.state);
  port.postMessage({ re, state });
}

function render(cell) {
  const output = cells.get(cell);
  const box = document.createElement("div"), frame = document.createElement("iframe");
  box.className = "cell";
  frame.setAttribute("sandbox", SANDBOX);
  frame.setAttribute("allow", "clipboard-read; clipboard-write");
  frame.name = cell;
  frame.src = `http://localhost:${location.port}/colab-output.html`;
  box.append(frame);
  document.body.append(box);
  Object.assign(output, { box, frame });
  frame.onload = () => {
    const { port1, port2 } = new MessageChannel();
    output.port = port1;
    port1.onmessage = ({ data }) => {
      if (data.height) frame.style.height = `${data.height}px`;
      else frameAsked(port1, data);
    };
    frame.contentWindow.postMessage({ model: output.model, isCustom: Boolean(output.isCustom), theme }, "*", [port2]);
  };
}

window.host = {
  setTheme(name) {
    theme = name;
    document.documentElement.setAttribute("theme", name);
    for (const { port } of cells.values()) port?.postMessage({ theme: name });
  },
  run(cell, code) {
    return new Promise((done) => running.set(tell("execute_request", { code, silent: false, store_history: true, user_expressions: {}, allow_stdin: false, stop_on_error: true }), { cell, done }));
  },
  start(cell, code) {
    window.ended = false;
    this.run(cell, code).then(() => { window.ended = true; });
  },
  scrollAway(cell) {
    const { box, port } = cells.get(cell);
    for (const model of models.values()) model.frames.delete(port);
    box.remove();
  },
  scrollBack(cell) { render(cell); },
};
window.host.setTheme(theme);
