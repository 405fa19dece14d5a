// The way between a notebook and its kernel's session. The kernel tells how things stand; the page keeps nothing else.

export const PROTOCOL = 1; // as in tetrate_jupyter/lab/link.py
const TARGET = "tetrate.session"; // as in tetrate_jupyter/lab/__init__.py
const RESTARTS = ["restarting", "autorestarting"];
const LOADS = /^\s*%(re)?load_ext\s+tetrate_jupyter\b/m;
const ENDED = ["dead", "terminating"]; // one that is new, or out of reach for a moment, is "unknown"

/** @typedef {{ comm: Comm, links: Set<Link> }} Line */

/** @type {WeakMap<Kernel, Line>} */
const lines = new WeakMap();

/** Return the comm of this id with those who hear it, null where it is another's: the views of a notebook share it. @param {Kernel} kernel @param {string} id @returns {Line | null} */
function lineOf(kernel, id) {
  const known = lines.get(kernel);
  if (known?.comm.commId === id && !known.comm.isDisposed) return known;
  if (kernel.hasComm(id)) return null;
  /** @type {Line} */
  const line = { comm: kernel.createComm(TARGET, id), links: new Set() };
  line.comm.onMsg = ({ content: { data } }) => [...line.links].forEach((each, at) => each._told(data, at === 0));
  line.comm.onClose = () => [...line.links].forEach((each) => each._fresh()); // unloaded
  lines.set(kernel, line);
  return line;
}

let asked = 0;

/** Return the id of the session that a kernel shows: asked beside the cells that wait, too, behind which it may take long. @param {Kernel} kernel @returns {{ sure: Promise<string | undefined>, soon: Promise<string | undefined> }} */
function idOf(kernel) {
  const content = { target_name: TARGET };
  const told = (/** @type {Message} */ reply) => Object.keys(reply.content.comms ?? {})[0];
  const sure = kernel.requestCommInfo(content).then(told);
  const { clientId: session, username } = kernel;
  const header = {
    msg_id: `${session}_tetrate_${(asked += 1)}`,
    msg_type: "comm_info_request",
    session,
    username,
    version: "5.3",
    date: new Date().toISOString(),
  };
  const beside = kernel.sendControlMessage(
    { channel: "control", header, parent_header: {}, metadata: {}, content, buffers: [] },
    true,
  ).done.then(told);
  return { sure, soon: Promise.race([sure, beside.then((id) => id ?? sure, () => sure)]) };
}

/** Have a kernel's comms, those of widgets too, leave the old process's subshells: JupyterLab does so only where it restarts it. @param {Kernel} kernel */
function renewWays(kernel) {
  const ways = kernel.commsOverSubshells; // since 4.4
  if (!ways || ways === "disabled") return;
  kernel.commsOverSubshells = "disabled";
  setTimeout(() => Object.assign(kernel, { commsOverSubshells: ways }));
}

/**
 * One view's of a notebook. `stands`: "none" (no kernel), "asking" (not known yet), "elsewhere" (no Python, or a connection
 * without messages of this kind), "absent" (not loaded), "missing" (not installed), "loaded", "older" or "newer" (the
 * kernel's package than this page's part). `state`: what the kernel told last, null before.
 */
export class Link {
  /** @param {NotebookPanel} notebook @param {Settings} settings @param {() => void} changed */
  constructor(notebook, settings, changed) {
    this.notebook = notebook;
    this.settings = settings;
    /** @type {"none" | "asking" | "elsewhere" | "absent" | "missing" | "loaded" | "older" | "newer"} */
    this.stands = "none";
    /** @type {State | null} */
    this.state = null;
    this.epoch = 0; // counts kernels: what was asked of an earlier one is not heard
    this._changed = changed;
    /** @type {Line | null} */
    this._line = null;
    this._process = ""; // which of the kernel's processes the session is in
    this._runs = ""; // the id of a cell that may load the package
    /** @type {{ id: string, run: string } | null} */
    this._waits = null; // the card at which a cell waits for somebody to sign in, and what runs that cell
    this._meet = () => {};
    this.found = () => {}; // hears that the session was found
    this.said = (/** @type {string} */ _text) => {}; // hears what the kernel has to say to the person
    this.failed = (/** @type {Message} */ _error) => {}; // hears of a cell that failed
    const session = notebook.sessionContext;
    const replaced = () => this._fresh();
    const stood = (/** @type {unknown} */ _, /** @type {string} */ status) => {
      if (RESTARTS.includes(status)) this._fresh();
      else if (!session.isRestarting && !this.kernel !== (this.stands === "none")) this._fresh();
    };
    const heard = (/** @type {unknown} */ _, /** @type {Message} */ message) => this._heard(message);
    session.kernelChanged.connect(replaced);
    session.statusChanged.connect(stood);
    session.iopubMessage.connect(heard);
    notebook.disposed.connect(() => { // another view of it may go on, with all that it has
      session.kernelChanged.disconnect(replaced);
      session.statusChanged.disconnect(stood);
      session.iopubMessage.disconnect(heard);
      this._leave();
    });
  }

  /** Look for the session where it isn't found yet. */
  look() {
    if (!this._line) this._find().catch((error) => console.debug("tetrate:", error));
  }

  /** Look what there is. Not at once: what hears of it looks for the link, which has to be there. */
  begin() {
    this._fresh();
  }

  /** The kernel's connection, null where there is none that lives, or it is about to end: it may still answer then. */
  get kernel() {
    const { session, isTerminating, isRestarting } = this.notebook.sessionContext;
    const kernel = session?.kernel;
    return kernel && !isTerminating && !isRestarting && !ENDED.includes(kernel.status) ? kernel : null;
  }

  /** Whether the notebook can't be written: JupyterLab says so of its file, and lets one change what it can't save. */
  get isReadOnly() {
    const { content, context } = this.notebook;
    return content.model?.readOnly || context?.contentsModel?.writable === false;
  }

  /** Whether what is asked of the kernel now waits for something that runs. */
  get isBusy() {
    return this.kernel?.status === "busy";
  }

  /** Whether a cell waits for somebody to sign in. The kernel says so in what it shows: it answers nothing meanwhile. */
  get isWaiting() {
    return this._waits !== null;
  }

  /** Bring the card at which a cell waits into sight. */
  async showWaiting() {
    const { content } = this.notebook;
    const here = content.widgets.findIndex((each) => each.outputArea?.future?.msg.header.msg_id === this._waits?.run);
    const at = here < 0 ? content.widgets.findIndex(({ model }) => model.executionState === "running") : here; // another page's
    if (at < 0) return;
    await content.scrollToItem(at, "center");
    content.widgets[at]?.outputArea?.node.scrollIntoView({ block: "nearest" }); // its input may be longer than the page
  }

  /** Load the package where it isn't; whether it is loaded then. Nothing of that is in the notebook or its history. */
  async load() {
    await this._restarted();
    const { kernel, epoch } = this;
    if (!kernel) return false;
    if (this.stands === "loaded") return true;
    await this.settings.ready;
    const reply = await kernel.requestExecute({
      code: `${this.settings.leave()}%load_ext tetrate_jupyter`,
      silent: true,
      store_history: false,
      allow_stdin: false,
      stop_on_error: false,
    }).done.catch(() => null); // another kernel meanwhile
    if (epoch !== this.epoch || !reply) return false;
    if (reply.content.status !== "ok") {
      return this._stand(reply.content.ename === "ModuleNotFoundError" ? "missing" : "absent");
    }
    if (!(await this._find())) return this._stand(this.stands === "absent" ? "older" : this.stands); // it tells pages nothing
    await this._met;
    return this._stand(this.stands);
  }

  /** Leave the settings in the kernel, before a cell loads the package there: the cells below it have them already. */
  tellBefore() {
    const code = this.stands === "elsewhere" || this.stands === "loaded" ? "" : this.settings.leave();
    if (code) {
      this.kernel?.requestExecute({
        code,
        silent: true,
        store_history: false,
        allow_stdin: false,
        stop_on_error: false,
      }).done.catch(() => {});
    }
  }

  /** Have the kernel's session do what has this name. @param {string} name */
  do(name) {
    this._line?.comm.send({ type: "do", name });
  }

  /** Wait until a kernel that is restarted is there again, or couldn't be: both are told as another kernel. */
  async _restarted() {
    const { sessionContext } = this.notebook;
    if (!sessionContext.isRestarting) return;
    await new Promise((resolve) => {
      const told = () => {
        sessionContext.kernelChanged.disconnect(told);
        resolve(null);
      };
      sessionContext.kernelChanged.connect(told);
    });
  }

  _leave() {
    this._line?.links.delete(this);
    this._line = null;
  }

  _fresh() {
    this._meet();
    /** @type {Promise<void>} */
    this._met = new Promise((resolve) => {
      this._meet = resolve;
    }); // until the kernel has answered, or is gone
    this.epoch += 1;
    this._leave();
    this.state = null;
    this._runs = "";
    this._waits = null;
    this._stand(this.kernel || this.notebook.sessionContext.isRestarting ? "asking" : "none");
    if (this.kernel) this._find().catch((error) => console.debug("tetrate:", error)); // it has ended meanwhile
  }

  /** Look for the session in the kernel, which has put itself where it can be found; whether it was. Three small messages. */
  async _find() {
    const { kernel, epoch } = this;
    if (!kernel) return false;
    const [info] = await Promise.all([kernel.info, this.settings.ready]);
    if (epoch !== this.epoch) return false;
    if (info.language_info.name !== "python" || !kernel.handleComms) return this._stand("elsewhere");
    const { sure, soon } = idOf(kernel);
    const id = await soon;
    if (epoch !== this.epoch || this._line) return this._line !== null;
    if (!id) return this._stand("absent");
    const line = lineOf(kernel, id);
    if (!line) return false;
    this._line = line;
    this._process = "";
    line.links.add(this);
    this.found();
    const { comm } = line;
    if (kernel.supportsSubshells && comm.commsOverSubshells !== "disabled") {
      await Promise.race([comm.subshellStarted, sure]).catch(() => {}); // said before, it would wait for all cells
      if (this._line !== line || comm.isDisposed) return false;
    }
    comm.send({ type: "hello", protocol: PROTOCOL, settings: this.settings.forKernel() });
    return true;
  }

  /** @param {any} data @param {boolean} isFirst whether no other view of the notebook says it */
  _told(data, isFirst) {
    if (data?.type === "hello") {
      const theirs = Number(data.protocol);
      this._stand(theirs === PROTOCOL ? "loaded" : theirs > PROTOCOL ? "newer" : "older");
      this._meet();
    } else if (data?.type === "state" && this.stands === "loaded") {
      this.state = data;
      this._changed();
    } else if (isFirst && data?.type === "said" && Array.isArray(data.lines)) {
      this.said(data.lines.map(String).join("\n"));
    }
  }

  /** Look again after a cell that names the package: that it was loaded is told to nobody. @param {Message} message */
  _heard(message) {
    const { msg_type: kind, session: process } = message.header;
    // Another page has restarted the kernel: only that another process speaks tells. Its first words are lost at times.
    if (this._line && kind === "status" && process !== (this._process ||= process)) {
      if (this.kernel) renewWays(this.kernel);
      return this._fresh();
    }
    if (kind === "error") this.failed(message);
    this._look(message);
    if (this._line || this.stands === "none" || this.stands === "elsewhere") return; // a cell may be faster than the answer
    const id = String(message.parent_header.msg_id);
    const isFound = kind === "comm_msg" && message.content.data?.type === "hello"; // by another page, loaded without a cell
    if (kind === "execute_input" && String(message.content.code).includes("tetrate")) this._runs = id;
    if (!isFound && (message.content.execution_state !== "idle" || id !== this._runs)) return;
    this._runs = "";
    this._find().catch((error) => console.debug("tetrate:", error));
  }

  /** Note the card at which a cell waits, and that it no longer does. @param {Message} message */
  _look({ header: { msg_type: kind }, content: { transient, execution_state: now }, parent_header: asked }) {
    const id = String(transient?.display_id);
    const isOver = this._waits !== null && kind === "status" && now === "idle" && asked.msg_id === this._waits.run; // however the cell ended
    if (kind === "display_data" && transient?.tetrate_waits) {
      this._waits = { id, run: String(asked.msg_id) };
      // Run All has led away from it. Who is writing in a cell is not disturbed: the status item leads there, too.
      if (this.notebook.isVisible && this.notebook.content.mode === "command") {
        this.showWaiting().catch((error) => console.debug("tetrate:", error));
      }
    } else if (isOver || (kind === "update_display_data" && id === this._waits?.id)) this._waits = null;
    else return;
    this._changed();
  }

  /** @param {Link["stands"]} stands */
  _stand(stands) {
    const isNews = stands !== this.stands;
    this.stands = stands;
    if (isNews) this._changed();
    return stands === "loaded";
  }
}

/** Have each cell that loads the package find the settings. @param {Packages} page @param {Links} links */
export function tellBeforeLoading(page, links) {
  page.notebook.NotebookActions.executionScheduled.connect(
    (/** @type {unknown} */ _, /** @type {{ notebook: unknown, cell: Cell }} */ { notebook, cell }) => {
      if (LOADS.test(cell.model.sharedModel.getSource())) {
        links.all.find((each) => each.notebook.content === notebook)?.tellBefore();
      }
    },
  );
}

/** The links of all notebooks that have been in front, and which one is. `listeners` are called at each change. */
export class Links {
  /** @param {Tracker} tracker @param {Settings} settings */
  constructor(tracker, settings) {
    this._tracker = tracker;
    this.settings = settings;
    /** @type {Map<NotebookPanel, Link>} */
    this._links = new Map();
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    /** @type {(text: string) => void} */
    this.said = () => {};
    /** @type {(link: Link, error: Message) => void} */
    this.failed = () => {};
    tracker.currentChanged.connect(() => this.changed());
    this.changed();
  }

  /** The link of the notebook in front, null where there is no notebook. */
  get front() {
    const notebook = this._tracker.currentWidget;
    return notebook ? this.of(notebook) : null;
  }

  get all() {
    return [...this._links.values()];
  }

  /** @param {NotebookPanel} notebook */
  of(notebook) {
    let link = this._links.get(notebook);
    if (!link) {
      const made = new Link(notebook, this.settings, () => this.changed());
      link = made;
      link.found = () => { // loading it was told to nobody, and other views of the notebook have the same kernel
        for (const each of this.all) if (each.kernel === made.kernel) each.look();
      };
      link.said = (text) => this.said(text);
      link.failed = (error) => this.failed(made, error);
      this._links.set(notebook, link);
      notebook.disposed.connect(() => {
        this._links.delete(notebook);
        this.changed();
      });
      link.begin();
    }
    return link;
  }

  /** Tell all that listen. */
  changed() {
    void this.front; // a notebook that comes to the front gets its link
    for (const each of this.listeners) each();
  }
}
