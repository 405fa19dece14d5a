// What stands below a cell and is not of its outputs: what would be sent, then the answer, and buttons. Both are the
// kernel's, in an output of no cell; only the page draws it, and none of it is in the notebook. Cells change at a click.

const MIME = "application/vnd.tetrate.failed+json"; // as in tetrate_jupyter/magics/below.py
const OLDER = ["AttributeError", "ImportError", "ModuleNotFoundError"]; // what is called isn't there
const SETTLE = 500; // ms in which what has come under the pointer takes no click

/** @param {string} text @param {() => void} pressed */
export const button = (text, pressed, isMain = false) => {
  const made = document.createElement("button");
  if (isMain) made.className = "tetrate-lab-main";
  made.textContent = text;
  made.addEventListener("click", pressed);
  return made;
};

/** Return why a call of ours told nothing. @param {Message["content"]} reply */
function whyNot({ status, ename, evalue }) {
  if (status === "aborted") return "The cell before it failed: nothing was asked. Next: ask again. ";
  if (OLDER.includes(ename)) {
    return "The kernel's package is older than this page's part. Next: %pip install --upgrade tetrate-jupyter, and restart the kernel. ";
  }
  return evalue ? `${evalue} ` : "The kernel has ended. ";
}

export class Below {
  /** @param {Packages} page @param {Link} link @param {Cell} cell @param {string} label @param {HTMLElement} bar above what the kernel shows */
  constructor(page, link, cell, label, bar) {
    this._page = page;
    this.link = link;
    this.epoch = link.epoch;
    this._bar = bar;
    this._call = ""; // what the kernel has yet to tell the end of
    this.again = "run the cell again"; // what a person does where the kernel is another one
    this.moved = () => {};
    /** @type {Widget | null} */
    this._area = null;
    /** @type {Widget | null} */
    this._kept = null; // an explanation, above what is asked next
    this._isAnswer = false;
    this._row = document.createElement("div"); // a sentence and buttons, below what the kernel shows
    this._row.role = "status";
    this.panel = new page.lumino.Panel();
    this.panel.addClass("tetrate-lab-below");
    Object.assign(this.panel.node, { tabIndex: -1, role: "group", ariaLabel: label });
    this.panel.node.dataset.lmSuppressShortcuts = "true"; // its keys are not the notebook's
    for (const node of [bar, this._row]) this.panel.addWidget(new page.lumino.Widget({ node }));
    this.standBelow(cell);
  }

  /** Stand below a cell, and stay with it where it moves: JupyterLab then makes it anew, under the id that it had. @param {Cell} cell */
  standBelow(cell) {
    this.cell = cell;
    const { panel } = this;
    const { id } = cell.model;
    cell.ready.then(() =>
      panel.isDisposed || cell.isDisposed || cell.layout.insertWidget(cell.layout.widgets.length - 1, panel)
    );
    cell.disposed.connect(() => {
      if (panel.isDisposed) return;
      cell.layout.removeWidget(panel); // which would end what is in it
      const shelf = new this._page.lumino.Panel();
      shelf.addWidget(panel);
      setTimeout(() => {
        const { content, isDisposed } = this.link.notebook;
        const moved = !isDisposed && content.widgets.find(({ model }) => model.type === "code" && model.id === id);
        if (!moved) return shelf.dispose();
        this.standBelow(moved);
        this.moved();
      });
    });
  }

  /** Whether what is paid for is still to come. */
  get isSending() {
    return this._call.startsWith("send");
  }

  closer(text = "Close") {
    return button(text, () => this.close());
  }

  /** @param {string} text @param {HTMLElement[]} buttons */
  say(text, ...buttons) {
    if (this._row.contains(document.activeElement)) this.panel.node.focus();
    this._row.replaceChildren(text, ...buttons);
    this._bar.inert = this.isSending; // what is sent is paid for, and is shown
    this._row.inert = true;
    setTimeout(() => {
      this._row.inert = false;
    }, SETTLE);
  }

  /** Let a finished answer stand above what comes next. */
  keep() {
    if (!this._isAnswer) return;
    this._kept = this._area;
    this._area = null;
  }

  /** Take the newest away, and show what was kept. */
  close() {
    this._clear();
    if (!this._kept) return;
    this._area = this._kept;
    this._kept = null;
    this._isAnswer = true;
    this.say("", this.closer());
  }

  _clear() {
    this._area?.dispose();
    this._area = null;
    this._isAnswer = false;
    this._row.replaceChildren();
  }

  /** Have the kernel run a call of ours and show what that shows. @param {string} call @param {(data: any) => void} told */
  _run(call, told) {
    this._clear();
    const { kernel, notebook, isBusy } = this.link;
    if (!kernel || this.epoch !== this.link.epoch) {
      return this.say(`The kernel that was asked is gone. Next: ${this.again}. `, this.closer());
    }
    this._call = call;
    this.say(isBusy ? "The kernel is busy: this goes on after the running cell." : "One moment…");
    const { SimplifiedOutputArea, OutputAreaModel } = this._page.outputarea;
    const model = new OutputAreaModel({ trusted: true }); // it is what our own package shows
    const area = new SimplifiedOutputArea({ model, rendermime: notebook.content.rendermime });
    const code = `__import__("tetrate_jupyter.magics.below", fromlist=["send"]).${call}`;
    const future = kernel.requestExecute({
      code,
      silent: false,
      store_history: false,
      allow_stdin: false,
      stop_on_error: false,
    });
    const ended = (/** @type {Message} */ reply) => {
      if (area !== this._area || !this._call) return;
      this._call = "";
      this.say(whyNot(reply?.content ?? {}), this.closer());
    };
    future.registerMessageHook(({ header, content }) => {
      const data = header.msg_type === "execute_input" ? { step: "begun" } : content.data?.[MIME];
      if (!data || area !== this._area) return !data && header.msg_type !== "error";
      if (data.step !== "begun") this._call = "";
      if (data.step === "problem") this.say(`${data.said} `, this.closer());
      else told(data);
      return false;
    });
    future.done.then(ended, ended);
    area.future = future;
    this._area = area;
    this.panel.insertWidget(this.panel.widgets.length - 1, area);
  }

  /** Show what a call would send. @param {string} call @param {(data: any) => void} sent @param {(data: any) => [string, ...HTMLElement[]]} [beside] */
  ask(call, sent, beside = () => [""]) {
    this._run(call, (data) => {
      if (data.step === "begun") return;
      const [said, ...more] = beside(data);
      this.say(said, button("Send", () => this._send(String(data.ticket), sent), true), ...more, this.closer("Cancel"));
      requestAnimationFrame(() => this._row.scrollIntoView({ block: "nearest" })); // what is above it is often as long as the page
    });
  }

  /** @param {string} ticket @param {(data: any) => void} sent */
  _send(ticket, sent) {
    this._run(`send(${JSON.stringify(ticket)})`, (data) => {
      if (data.step === "begun") {
        return this.say(
          "",
          button("Stop", () => this.link.kernel?.interrupt().catch(() => {})),
        );
      }
      this._isAnswer = typeof data.source !== "string";
      if (this._isAnswer) return this.say("", this.closer());
      sent(data);
    });
  }

  /** Offer to apply a change. @param {(isRun: boolean) => void} apply */
  offer(apply) {
    this.say(
      "",
      button("Apply", () => apply(false), true),
      button("Apply and run", () => apply(true)),
      this.closer("Discard"),
    );
  }

  /** Put source into a cell; returns why that can't be, "" where it is done. @param {Cell} cell @param {string} source @param {boolean} isRun */
  put(cell, source, isRun) {
    const { content, sessionContext } = this.link.notebook;
    if (this.link.isReadOnly) {
      return "This notebook can't be written: nothing was changed. Next: save it under another name.";
    }
    if (cell.readOnly) return "This cell can't be edited: nothing was changed.";
    cell.model.sharedModel.undoManager?.stopCapturing(); // what was typed just before is undone by itself
    cell.model.sharedModel.setSource(source);
    if (!isRun) this.say("Applied. Undo in the cell takes it back. ", this.closer());
    else {
      content.deselectAll();
      content.activeCellIndex = content.widgets.indexOf(cell);
      this._page.notebook.NotebookActions.run(content, sessionContext);
    }
    return "";
  }
}
