// Explain and Fix below the kernel's last error; of earlier ones it knows no more. They go with the output.

const NO_FAILURE = ["KeyboardInterrupt", "SystemExit", "GeneratorExit"];

/** Whether there is anything to ask: errors of ours say themselves what to do, and show only that. @param {Message["content"]} error */
const isFailure = ({ ename, evalue, traceback }) =>
  ename === "ToolFailedError" || // somebody's own function
  !(NO_FAILURE.includes(ename) || /^Stopped\./.test(traceback[0]) ||
    (traceback.join("\n") === `${ename}: ${evalue}` && evalue.includes("\nNext: ")));

/** Follow the errors of all notebooks. @param {Parts["below"]} parts @param {Packages} page @param {Links} links @param {(text: string) => void} tell */
export function followFailures(parts, page, links, tell) {
  /** @type {Map<Link, OnError>} */
  const newest = new Map();
  links.failed = (link, { content, parent_header: asked }) => {
    newest.get(link)?.retire();
    newest.delete(link);
    const cell = link.notebook.content.widgets.find((each) =>
      each.outputArea?.future?.msg.header.msg_id === asked.msg_id
    );
    if (cell && isFailure(content)) newest.set(link, new OnError(parts, page, link, cell, tell));
  };
  links.listeners.add(() => newest.forEach((onError, link) => onError.draw() || newest.delete(link)));
}

class OnError {
  /** @param {Parts["below"]} parts @param {Packages} page @param {Link} link @param {Cell} cell @param {(text: string) => void} tell */
  constructor({ Below, button }, page, link, cell, tell) {
    this._link = link;
    this._tell = tell;
    this._button = button;
    this._isNewest = true;
    this._bar = document.createElement("div");
    this._bar.append(button("Explain", () => this._ask("explain")), button("Fix", () => this._ask("fix")));
    this._below = new Below(page, link, cell, "Tetrate on this error", this._bar);
    const { panel } = this._below;
    panel.disposed.connect(() => {
      this._isNewest = false;
    });
    this._below.moved = () => this._follow();
    this._follow();
    this.draw();
  }

  /** Go with the outputs of the cell, as it is now. */
  _follow() {
    const { cell, panel } = this._below;
    const { outputs } = cell.model;
    const changed = () => outputs.length || cell.isDisposed || panel.dispose(); // with all that is in it
    outputs.changed.connect(changed);
    panel.disposed.connect(() => outputs.changed.disconnect(changed));
  }

  /** Show the buttons where the kernel knows error and package; returns whether it may do so again. */
  draw() {
    if (this._below.epoch !== this._link.epoch) this.retire();
    this._bar.hidden = !this._isNewest || this._link.stands !== "loaded" || !this._link.settings.values.errorButtons;
    return this._isNewest;
  }

  /** Take the buttons away: the kernel's last error is another one. An answer stays. */
  retire() {
    this._isNewest = false;
    this._bar.hidden = true;
  }

  /** Show what would be sent. @param {"explain" | "fix"} purpose */
  _ask(purpose, values = "False") {
    this._below[purpose === "fix" ? "keep" : "close"]();
    const call = `would_go("${purpose}", ${Number(this._below.cell.model.executionCount)}, values=${values})`;
    this._below.ask(call, (data) => this._below.offer((isRun) => this._apply(data, isRun)), ({ variables }) => {
      if (!variables) return [""];
      const [other, label, goes] = values === "False"
        ? ["True", "Add values", "Of the variables only names and shapes would go. "]
        : ["False", "Leave out values", "Of the variables values would go, too. "];
      const more = this._button(label, () => this._ask(purpose, other));
      more.title = "Shows anew what would go, and sends nothing";
      return [goes, more];
    });
  }

  /** Put a change into its cell, if that is still what was asked about. @param {any} change @param {boolean} isRun */
  _apply({ cell: number, original, source }, isRun) {
    const whole = (/** @type {string} */ text) => text.replace(/\r\n/g, "\n").replace(/\n+$/, "");
    const cell = this._link.notebook.content.widgets.find(({ model }) =>
      model.type === "code" && model.executionCount === number &&
      whole(model.sharedModel.getSource()) === whole(original)
    );
    const problem = cell
      ? this._below.put(cell, source, isRun)
      : "The cell isn't there as it ran: nothing was changed. Next: run it again, then Fix.";
    if (problem) this._tell(problem);
  }
}
