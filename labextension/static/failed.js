// Explain and Fix below the kernel's last error; of earlier ones it knows no more. Only the page draws them, and they go
// with the output. What would be sent and the answer are the kernel's, in an output of no cell. Cells change at a click.

const MIME = "application/vnd.tetrate.failed+json"; // as in tetrate_jupyter/magics/below.py
const NO_FAILURE = ["KeyboardInterrupt", "SystemExit", "GeneratorExit"];
const SETTLE = 500; // ms in which what has come under the pointer takes no click

/** Whether there is anything to ask: errors of ours say themselves what to do, and show only that. @param {Message["content"]} error */
const isFailure = ({ ename, evalue, traceback }) =>
  ename === "ToolFailedError" || // somebody's own function
  !(NO_FAILURE.includes(ename) || /^Stopped\./.test(traceback[0]) || (traceback.join("\n") === `${ename}: ${evalue}` && evalue.includes("\nNext: ")));

/** @param {string} text @param {() => void} pressed */
const button = (text, pressed, isMain = false) => {
  const made = document.createElement("button");
  if (isMain) made.className = "tetrate-lab-main";
  made.textContent = text;
  made.addEventListener("click", pressed);
  return made;
};

/** Follow the errors of all notebooks. @param {Packages} page @param {Links} links @param {(text: string) => void} tell */
export function followFailures(page, links, tell) {
  /** @type {Map<Link, Below>} */
  const newest = new Map();
  links.failed = (link, { content, parent_header: asked }) => {
    newest.get(link)?.retire();
    newest.delete(link);
    const cell = link.notebook.content.widgets.find((each) => each.outputArea?.future?.msg.header.msg_id === asked.msg_id);
    if (cell && isFailure(content)) newest.set(link, new Below(page, link, cell, tell));
  };
  links.listeners.add(() => newest.forEach((below, link) => below.draw() || newest.delete(link)));
}

class Below {
  /** @param {Packages} page @param {Link} link @param {Cell} cell @param {(text: string) => void} tell */
  constructor(page, link, cell, tell) {
    this._page = page;
    this._link = link;
    this._epoch = link.epoch;
    this._cell = cell;
    this._tell = tell;
    this._isNewest = true;
    this._call = ""; // what the kernel has yet to tell the end of
    /** @type {Widget | null} */
    this._area = null;
    this._bar = document.createElement("div");
    this._bar.append(button("Explain", () => this._ask("explain")), button("Fix", () => this._ask("fix")));
    this._row = document.createElement("div"); // a sentence and buttons, below what the kernel shows
    this._row.role = "status";
    this._panel = new page.lumino.Panel();
    this._panel.addClass("tetrate-lab-failed");
    Object.assign(this._panel.node, { tabIndex: -1, role: "group", ariaLabel: "Tetrate on this error" });
    this._panel.node.dataset.lmSuppressShortcuts = "true"; // its keys are not the notebook's
    for (const node of [this._bar, this._row]) this._panel.addWidget(new page.lumino.Widget({ node }));
    const { outputs } = cell.model;
    const changed = () => outputs.length || this._panel.dispose(); // with all that is in it
    outputs.changed.connect(changed);
    this._panel.disposed.connect(() => {
      this._isNewest = false;
      outputs.changed.disconnect(changed);
    });
    cell.ready.then(() => this._panel.isDisposed || cell.layout.insertWidget(cell.layout.widgets.length - 1, this._panel));
    this.draw();
  }

  /** Show the buttons where the kernel knows error and package; returns whether it may do so again. */
  draw() {
    if (this._epoch !== this._link.epoch) this.retire();
    this._bar.hidden = !this._isNewest || this._link.stands !== "loaded" || !this._link.settings.values.errorButtons;
    return this._isNewest;
  }

  /** Take the buttons away: the kernel's last error is another one. An answer stays. */
  retire() {
    this._isNewest = false;
    this._bar.hidden = true;
  }

  _closer(text = "Close") {
    return button(text, () => this._close());
  }

  /** @param {string} text @param {HTMLElement[]} buttons */
  _say(text, ...buttons) {
    if (this._row.contains(document.activeElement)) this._panel.node.focus();
    this._row.replaceChildren(text, ...buttons);
    this._bar.inert = this._call.startsWith("send"); // what is sent is paid for, and is shown
    this._row.inert = true;
    setTimeout(() => { this._row.inert = false; }, SETTLE);
  }

  _close() {
    this._area?.dispose();
    this._area = null;
    this._row.replaceChildren();
  }

  /** Have the kernel run a call of ours and show what that shows. @param {string} call @param {(data: any) => void} told */
  _run(call, told) {
    this._close();
    const { kernel, notebook, isBusy } = this._link;
    if (!kernel || this._epoch !== this._link.epoch) return this._say("The kernel that knew this error is gone. Next: run the cell again.");
    this._call = call;
    this._say(isBusy ? "The kernel is busy: this goes on after the running cell." : "One moment…");
    const { SimplifiedOutputArea, OutputAreaModel } = this._page.outputarea;
    const model = new OutputAreaModel({ trusted: true }); // it is what our own package shows
    const area = new SimplifiedOutputArea({ model, rendermime: notebook.content.rendermime });
    const code = `__import__("tetrate_jupyter.magics.below", fromlist=["send"]).${call}`;
    const future = kernel.requestExecute({ code, silent: false, store_history: false, allow_stdin: false, stop_on_error: false });
    const ended = (/** @type {Message} */ reply) => {
      if (area !== this._area || !this._call) return;
      this._call = "";
      this._say(reply?.content?.evalue ?? "The kernel has ended. ", this._closer());
    };
    future.registerMessageHook(({ header, content }) => {
      const data = header.msg_type === "execute_input" ? { step: "begun" } : content.data?.[MIME];
      if (!data || area !== this._area) return !data && header.msg_type !== "error";
      if (data.step !== "begun") this._call = "";
      if (data.step === "problem") this._say(`${data.said} `, this._closer());
      else told(data);
      return false;
    });
    future.done.then(ended, ended);
    area.future = future;
    this._area = area;
    this._panel.insertWidget(1, area);
  }

  /** Show what would be sent. @param {"explain" | "fix"} purpose */
  _ask(purpose, values = "False") {
    this._run(`would_go("${purpose}", ${Number(this._cell.model.executionCount)}, values=${values})`, (data) => {
      if (data.step === "begun") return;
      const [other, label, goes] = values === "False"
        ? ["True", "Add values", "Of the variables only names and shapes would go. "]
        : ["False", "Leave out values", "Of the variables values would go, too. "];
      const more = button(label, () => this._ask(purpose, other));
      more.title = "Shows anew what would go, and sends nothing";
      this._say(data.variables ? goes : "", button("Send", () => this._send(String(data.ticket)), true), ...(data.variables ? [more] : []), this._closer("Cancel"));
      requestAnimationFrame(() => this._row.scrollIntoView({ block: "nearest" })); // an error is often as long as the page
    });
  }

  /** @param {string} ticket */
  _send(ticket) {
    this._run(`send(${JSON.stringify(ticket)})`, (data) => {
      if (data.step === "begun") return this._say("", button("Stop", () => this._link.kernel?.interrupt()));
      if (typeof data.source !== "string") return this._say("", this._closer());
      this._say("", button("Apply", () => this._apply(data, false), true), button("Apply and run", () => this._apply(data, true)), this._closer("Discard"));
    });
  }

  /** Put a change into its cell, if that is still what was asked about. @param {any} change @param {boolean} isRun */
  _apply({ cell: number, original, source }, isRun) {
    const { content, sessionContext } = this._link.notebook;
    const whole = (/** @type {string} */ text) => text.replace(/\r\n/g, "\n").replace(/\n+$/, "");
    const cell = content.widgets.find(({ model }) => model.type === "code" && model.executionCount === number && whole(model.sharedModel.getSource()) === whole(original));
    if (!cell) return this._tell("The cell isn't there as it ran: nothing was changed. Next: run it again, then Fix.");
    if (this._link.isReadOnly) return this._tell("This notebook can't be written: nothing was changed. Next: save it under another name.");
    if (cell.readOnly) return this._tell("This cell can't be edited: nothing was changed.");
    cell.model.sharedModel.undoManager?.stopCapturing(); // what was typed just before is undone by itself
    cell.model.sharedModel.setSource(source);
    if (!isRun) return this._say("Applied. Undo in the cell takes it back. ", this._closer());
    content.deselectAll();
    content.activeCellIndex = content.widgets.indexOf(cell);
    this._page.notebook.NotebookActions.run(content, sessionContext);
  }
}
