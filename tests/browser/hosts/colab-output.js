// What runs in the frame of an output: a widget manager on the notebook's side of the kernel, and scripts of widgets loaded from one address.

let port, requests = 0;
const answers = new Map(), listeners = new Map(); // comm id → callback

function ask(request) {
  requests += 1;
  port.postMessage({ ...request, re: requests });
  return new Promise((done) => answers.set(requests, done));
}

function heard({ re, id, data, buffers, state, theme }) {
  if (theme) document.documentElement.setAttribute("theme", theme);
  else if (re) answers.get(re)(state);
  else listeners.get(id)?.({ content: { comm_id: id, data }, buffers: buffers.map((one) => new Uint8Array(one)) });
}

class Comm {
  constructor(id) { this.comm_id = id; }
  get target_name() { return ""; }
  send(data, callbacks, _metadata, buffers) {
    const whole = (one) => (ArrayBuffer.isView(one) ? one.buffer.slice(one.byteOffset, one.byteOffset + one.byteLength) : one);
    port.postMessage({ type: "send", id: this.comm_id, data, buffers: buffers?.map(whole) });
    callbacks?.iopub?.status?.({ content: { execution_state: "idle" } });
    return "";
  }
  close() { return ""; }
  on_msg(callback) { listeners.set(this.comm_id, callback); }
  on_close() {}
}

function loadAmd(name) {
  return fetch(`/${name}/dist/index.js`).then((answer) => answer.text()).then((script) => new Promise((done) => {
    const define = (needs, make) => requirejs(needs, (...found) => done(make(...found)));
    new Function("define", script)(define);
  }));
}

function managerOf(HTMLManager) {
  const models = new Map(), modules = new Map();
  return new (class extends HTMLManager {
    constructor() {
      super({ loader: (name) => { if (!modules.has(name)) modules.set(name, loadAmd(name)); return modules.get(name); } });
    }
    get_model(id) {
      if (!models.has(id)) models.set(id, this.fetched(id));
      return models.get(id);
    }
    async fetched(id) {
      const state = await ask({ type: "state", id });
      if (!state) throw new Error(`no model ${id}`);
      const { _model_name: model_name, _model_module: model_module, _model_module_version: model_module_version } = state;
      return this.new_model({ model_name, model_module, model_module_version, model_id: id, comm: new Comm(id) }, state);
    }
  })();
}

addEventListener("message", ({ data, ports }) => {
  if (!ports.length) return;
  [port] = ports;
  port.onmessage = (event) => heard(event.data);
  document.documentElement.setAttribute("theme", data.theme);
  const area = document.querySelector("#output-area");
  new ResizeObserver(() => port.postMessage({ height: document.body.offsetHeight })).observe(document.body);
  if (!data.isCustom) { area.textContent = "Support for third party widgets is not enabled."; return; }
  requirejs(["@jupyter-widgets/html-manager"], ({ HTMLManager }) => { show(managerOf(HTMLManager), data.model, area); });
});

async function show(manager, id, area) {
  const model = await manager.get_model(id);
  await manager.display_view(manager.create_view(model), area);
}
