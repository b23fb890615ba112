// Whether the kernel that made a widget is still there. JupyterLab, Notebook and VS Code hand a widget their connection to the kernel, and what
// happens to it is heard at once; Colab hands none, and there only silence tells. A busy kernel is never taken for one that is gone.
// It is put between page.js and each widget's own file, since a widget's module can import no neighbour.

const AWAY_MS = 500; // a connection to Jupyter that is back sooner is not mentioned
const BACK_MS = 1500; // when it is back, the kernel shows by its next message that it is the same one; a busy one may have none
const DOUBT_MS = 20000; // the kernel says something at least every 15 s; after this time the Jupyter server is asked whether it is there
const SILENT_MS = 45000; // after this time a person is told
const PROBE_MS = 2000; // between two questions to a Jupyter server that did not answer
const LONGEST_PROBE_MS = 60000; // the same for one that answers, doubling up to this
const PROBE_WAIT_MS = 4000;

const KERNEL_WORDS = {
  en: {
    restarted: "Kernel restarted: run this cell again", died: "The kernel died: restart it and run this cell again",
    shut: "The kernel was shut down: start it and run this cell again", changed: "The notebook has another kernel now: run this cell again",
    cut: "The kernel no longer knows this widget: run this cell again", away: "No connection to Jupyter: this goes on when it is back",
    silent: "No word from the kernel: it is busy", quiet: "No word from the kernel: it is busy or gone",
  },
  ru: {
    restarted: "Ядро перезапущено: выполните ячейку ещё раз", died: "Ядро остановилось из-за сбоя: перезапустите его и выполните ячейку ещё раз",
    shut: "Ядро выключено: запустите его и выполните ячейку ещё раз", changed: "У блокнота теперь другое ядро: выполните ячейку ещё раз",
    cut: "Ядро больше не знает этого виджета: выполните ячейку ещё раз", away: "Нет связи с Jupyter: работа продолжится, когда она появится",
    silent: "Ядро молчит: оно занято", quiet: "Ядро молчит: оно занято, или его нет",
  },
};

// Reconnecting is the host's business until it gives up; then one widget of the page does it for all, as this map of kernel ids says.
const reconnects = (globalThis[Symbol.for("tcnb.reconnects")] ||= new Map());

// Watches the kernel of one widget model, and calls `changed` whenever `state` is another one.
class KernelWatch {
  constructor(model, changed) {
    this.changed = changed;
    this.session = model.get("kernel_session") || "";
    this.isMet = false; // whether a message of this kernel's session has come; only then another session means another kernel
    this.end = ""; // why the kernel is gone for good: restarted, died, shut, changed, cut
    this.isOff = false; // whether the host has lost its connection to the kernel
    this.isUnreachable = false; // whether the Jupyter server did not answer
    this.wasReached = true;
    this.heardAt = Date.now();
    this.probeAt = 0;
    this.misses = 0; // questions in a row that the Jupyter server did not answer
    this.probeWait = PROBE_MS;
    this.undo = [];
    const manager = model.widget_manager;
    this.kernel = (manager && manager.kernel) || null;
    this.address = this.kernel ? addressOf(this.kernel) : "";
    this.listen(model, manager);
    this.said = this.state;
    this.timer = setInterval(() => this.look(), 1000);
  }

  close() {
    clearInterval(this.timer);
    clearTimeout(this.leaving);
    clearTimeout(this.returning);
    for (const one of this.undo) one();
  }

  // restarted, died, shut, changed and cut are for good; away and silent pass; live is empty.
  get state() {
    if (this.end) return this.end;
    if (this.isOff || this.isUnreachable) return "away";
    if (Date.now() - this.heardAt > SILENT_MS) return this.kernel ? "silent" : "quiet";
    return "";
  }

  get isGone() {
    return Boolean(this.end);
  }

  // Whether what is said to the kernel can arrive, if perhaps late.
  get isReached() {
    return !this.end && !this.isOff && !this.isUnreachable;
  }

  // Asked at a change: whether the kernel is "back", and may have said what was not heard, or "lost"; empty for anything else.
  turn() {
    const { wasReached, isReached } = this;
    this.wasReached = isReached;
    return wasReached === isReached ? "" : isReached ? "back" : "lost";
  }

  get words() {
    return this.state ? (IN_RUSSIAN ? KERNEL_WORDS.ru : KERNEL_WORDS.en)[this.state] : "";
  }

  listen(model, manager) {
    const hear = () => this.heard(), cut = () => this.finish("cut");
    model.on("msg:custom", hear);
    model.on("comm_live_update", cut); // ipywidgets cuts every model off when its kernel restarts, and never joins it again
    this.undo.push(() => { model.off("msg:custom", hear); model.off("comm_live_update", cut); });
    for (const name of ["offline", "online"]) {
      const probe = () => this.probe();
      addEventListener(name, probe);
      this.undo.push(() => removeEventListener(name, probe));
    }
    const { kernel } = this, context = manager && manager.context && manager.context.sessionContext;
    if (!kernel) return;
    this.connect(kernel.statusChanged, (_kernel, status) => this.statusCame(status));
    this.connect(kernel.connectionStatusChanged, (_kernel, status) => this.connectionCame(status));
    this.connect(kernel.iopubMessage, (_kernel, message) => this.messageCame(message));
    this.connect(kernel.disposed, () => this.finish("cut"));
    if (context) this.connect(context.kernelChanged, (_context, { newValue }) => this.kernelChanged(newValue));
  }

  connect(signal, slot) {
    if (!signal || !signal.connect) return;
    signal.connect(slot);
    this.undo.push(() => signal.disconnect(slot));
  }

  // -- what the host tells

  statusCame(status) {
    if (status === "restarting" || status === "autorestarting") this.finish("restarted");
    if (status === "dead") this.finish("died");
  }

  connectionCame(status) {
    if (status !== "connected") {
      clearTimeout(this.returning);
      this.leaving ||= setTimeout(() => { this.isOff = true; this.tell(); }, AWAY_MS);
      return;
    }
    clearTimeout(this.leaving);
    this.leaving = 0;
    if (this.isOff) this.returning = setTimeout(() => this.returned(), BACK_MS);
  }

  returned() {
    clearTimeout(this.returning);
    this.isOff = this.isUnreachable = false;
    this.misses = 0;
    this.heardAt = Date.now();
    this.tell();
  }

  // A restart that another page asked for is told by the kernel that goes, and shown by the session of the one that comes.
  messageCame({ header, parent_header: parent, content }) {
    if (header.msg_type === "shutdown_reply") { this.finish(content.restart ? "restarted" : "shut"); return; }
    if (!this.session || !parent || !parent.msg_id) return; // what has no parent may be the Jupyter server's
    if (header.session === this.session) { this.isMet = true; this.heard(); } else if (this.isMet) this.finish("restarted");
  }

  kernelChanged(kernel) {
    if (!kernel) this.finish("shut");
    else if (kernel.id !== this.kernel.id) this.finish("changed");
  }

  // The kernel has spoken. After a break that shows that it is the same one.
  heard() {
    this.heardAt = Date.now();
    if (this.isOff && !this.leaving) this.returned();
    else this.tell();
  }

  // The first word on what became of the kernel stands; but one that did not come up again, or was started after all, is said anew.
  finish(end) {
    const isNewer = ["restarted", "died"].includes(end) && this.end !== end;
    if (this.end && !isNewer && this.end !== "cut") return;
    this.end = end;
    this.tell();
  }

  tell() {
    const { state } = this;
    if (state === this.said) return;
    this.said = state;
    this.changed();
  }

  // -- where the host tells nothing

  look() {
    this.tell();
    if (this.end || !this.address) return;
    const isGivenUp = this.kernel.connectionStatus === "disconnected";
    if ((this.misses || isGivenUp || Date.now() - this.heardAt > DOUBT_MS) && Date.now() >= this.probeAt) this.probe();
  }

  // Ask the Jupyter server for the kernel: a network that is lost closes no connection for a long time.
  async probe() {
    if (this.isProbing || this.end || !this.address) return;
    this.isProbing = true;
    const status = await statusOf(this.address);
    this.isProbing = false;
    if (this.end) return;
    if (status === 404) { this.finish("shut"); return; }
    this.probeWait = status ? Math.min(this.probeWait * 2, LONGEST_PROBE_MS) : PROBE_MS;
    this.probeAt = Date.now() + this.probeWait;
    this.misses = status ? 0 : this.misses + 1;
    this.isUnreachable = this.misses > 1 || (this.misses === 1 && !navigator.onLine); // one miss alone may be a page that was busy itself
    if (status && this.kernel.connectionStatus === "disconnected") this.reconnect();
    this.tell();
  }

  // The host has given up, and the server is there again.
  reconnect() {
    const { id } = this.kernel, now = Date.now();
    this.probeWait = PROBE_MS;
    if (now - (reconnects.get(id) || 0) < 2 * PROBE_WAIT_MS) return;
    reconnects.set(id, now);
    this.kernel.reconnect().catch((error) => console.warn("tcnb: no connection to the kernel yet", error));
  }
}

// Where the Jupyter server tells of a kernel; nothing where it is not the server of this page, as in VS Code.
function addressOf(kernel) {
  const base = kernel.serverSettings && kernel.serverSettings.baseUrl;
  if (!base || !/^https?:/.test(location.protocol)) return "";
  const address = new URL(`api/kernels/${encodeURIComponent(kernel.id)}`, new URL(base, location.href));
  return address.origin === location.origin ? address.href : "";
}

// The status of the answer, whatever it is; 0 where none came.
async function statusOf(address) {
  try {
    const answer = await fetch(address, { cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(PROBE_WAIT_MS) });
    return answer.status;
  } catch {
    return 0;
  }
}
