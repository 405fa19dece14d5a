// The side panel: the panels of the notebook in front, as its kernel shows them in a cell, drawn by that notebook's own
// renderers. What was opened stays with its notebook, so that going to another one and back changes nothing in it.

const TABS = { chat: "Chat", models: "Models", usage: "Usage" };
const PERIODS = { today: "Today", "7d": "7 days", "30d": "30 days" };
/** @type {Record<string, string>} */
const FIELDS = { chat: "textarea.tetrate-ask", models: ".tetrate-picker input[type=search]" }; // where one writes
const SIGN_IN = ".tetrate-sign-in a.tetrate-main";
const BYS = { model: "By model", notebook: "By notebook" };
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161" d="M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-7.6l-3.7 3.7A1 1 0 0 1 6 20v-3H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zm0 2v9h3v2.6L10.6 15H19V6z"/></svg>';

export class SidePanel {
  /**
   * @param {Packages} page @param {Application} app @param {Links} links
   * @param {More} more @param {Parts["enter"]["enter"]} enter
   */
  constructor(page, app, links, more, enter) {
    this._enter = enter;
    this._page = page;
    this._app = app;
    this._more = more;
    this._links = links;
    this._tab = "chat";
    this._usage = ["today", "model"]; // the period, and what it is told by
    this._drop = () => {}; // ends the wait for what one writes in
    this._periods = new Switch("Period", PERIODS, (period) => this._count([period, this._usage[1]]));
    this._bys = new Switch("Shown", BYS, (by) => this._count([this._usage[0], by]));
    this._tabs = new Switch("Show", TABS, (tab) => this._choose(tab, tab === this._tab || tab === "usage"));
    /** @type {WeakMap<Link, Map<string, Docked>>} */
    this._docked = new WeakMap();
    this._note = document.createElement("div");
    this._name = document.createElement("span");
    this.widget = new page.lumino.Panel();
    this.widget.id = "tetrate-panel";
    this.widget.addClass("tetrate-lab-panel");
    this.widget.title.caption = "Tetrate";
    this.widget.title.icon = new page["ui-components"].LabIcon({ name: "tetrate-jupyter:chat", svgstr: ICON });
    this.widget.node.tabIndex = -1; // the cursor waits there
    this.widget.node.setAttribute("role", "region");
    this.widget.node.setAttribute("aria-label", "Tetrate");
    this.widget.addWidget(new page.lumino.Widget({ node: this._head() }));
    this._note.className = "tetrate-lab-note";
    this._note.setAttribute("role", "status");
    this.widget.addWidget(new page.lumino.Widget({ node: this._note }));
    app.shell.add(this.widget, "right", { rank: 900 });
    links.listeners.add(() => this._draw());
    // seen or not: nothing is asked of a kernel for a panel that nobody looks at
    new IntersectionObserver(() => this._draw()).observe(this.widget.node);
  }

  /** Show the panel with one of its tabs, to write there; "sign-in" is the chat's card. @param {string} tab */
  open(tab) {
    const isAnew = tab !== "chat";
    this._choose(tab === "sign-in" ? "chat" : tab, isAnew);
    this._app.shell.activateById(this.widget.id);
    this._goIn();
  }

  /** Show the chat, and put words into its box as soon as that is there. @param {string} words */
  ask(words) {
    this.open("chat");
    this._goIn((box) => {
      const before = box.value.slice(0, box.selectionStart);
      box.setRangeText((/\S$/.test(before) ? " " : "") + words, box.selectionStart, box.selectionEnd, "end");
      box.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }

  /** Put the cursor where one writes; before, to what has to be pressed first. @param {(box: HTMLTextAreaElement) => void} [found] */
  _goIn(found) {
    const link = this._links.front;
    const tab = this._tab;
    this._drop();
    this._drop = () => {};
    if (!link || !FIELDS[tab]) return;
    const within = this.widget.node;
    const docked = (/** @type {string} */ selector) => {
      const there = this._shown(link).get(tab);
      return there && there.epoch === link.epoch ? there.area.node.querySelector(selector) : null;
    };
    this._drop = this._enter({
      within,
      from: link.notebook.node,
      field: () => docked(FIELDS[tab]),
      rest: () => {
        const first = docked(SIGN_IN) ?? this._note.querySelector("button");
        if (first instanceof HTMLElement) first.focus();
        if (!within.contains(document.activeElement)) within.focus({ preventScroll: true });
      },
      isWanted: () => link === this._links.front && tab === this._tab,
      found,
    });
  }

  _head() {
    const head = document.createElement("header");
    const title = document.createElement("h2");
    title.textContent = "Tetrate";
    head.append(title, this._name, this._tabs.node, this._periods.node, this._bys.node);
    return head;
  }

  /** @param {string} tab @param {boolean} isAnew whether what it shows is asked for again */
  _choose(tab, isAnew) {
    const link = this._links.front;
    this._tab = tab;
    const there = link && this._shown(link).get(tab);
    if (isAnew && there?.epoch === link?.epoch) there?.leave();
    this._draw();
  }

  /** Show the usage of another period, or by something else. @param {string[]} wanted */
  _count(wanted) {
    this._usage = wanted;
    this._draw();
  }

  /** @param {Link} link */
  _shown(link) {
    let shown = this._docked.get(link);
    if (!shown) {
      shown = new Map();
      this._docked.set(link, shown);
      link.notebook.disposed.connect(() => shown?.forEach((each) => each.leave()));
    }
    return shown;
  }

  _draw() {
    const link = this._links.front;
    this._tabs.set(this._tab);
    for (
      const [each, chosen]
        of /** @type {[Switch, string][]} */ ([[this._periods, this._usage[0]], [this._bys, this._usage[1]]])
    ) {
      each.node.hidden = this._tab !== "usage" || link?.stands !== "loaded";
      each.set(chosen);
    }
    this._name.textContent = !link ? "" : this._tab === "usage" ? "all notebooks" : link.notebook.title.label;
    this._name.title = this._name.textContent;
    const docked = link && this._current(link);
    if (docked?.isThere) docked.leaveBefore();
    const area = docked?.before?.area ?? docked?.area;
    for (const each of [...this.widget.widgets].slice(2)) each.setHidden(each !== area);
    this._say(link, docked ?? null);
  }

  /** Return what is docked of a notebook for this tab; asks its kernel where there is nothing yet and somebody looks. @param {Link} link */
  _current(link) {
    const shown = this._shown(link);
    for (const [tab, each] of shown) {
      if (each.area.isDisposed || (each.epoch !== link.epoch && !each.meeting.tetrateKeep)) {
        shown.delete(tab);
        if (each.before) shown.set(tab, each.before); // its kernel ended before it was there
        each.before = null;
        each.leave();
      }
    }
    const there = shown.get(this._tab);
    const isUsage = this._tab === "usage";
    const what = [this._tab, ...(isUsage ? this._usage : [])];
    const isOfNow = there?.epoch === link.epoch && there?.what === what.join() &&
      (!isUsage || link.isBusy || there.cost === link.state?.cost);
    if (isOfNow || link.stands !== "loaded" || !this.widget.isVisible) return there;
    const made = new Docked(this._page, link, what, () => this._draw());
    made.meeting.tetrateAgain = () => this._again(link, made);
    if (there?.meeting.tetrateKeep) {
      made.meeting.tetrateKept = { ...there.meeting.tetrateKeep(), asked: there.isWanted }; // of a kernel that is gone
    }
    made.before = there; // shown until the new one is there
    there?.leaveBefore();
    shown.set(this._tab, made);
    this.widget.addWidget(made.area);
    return made;
  }

  /** Make a panel again, in a new kernel if need be: a person asks for it. @param {Link} link @param {Docked} docked */
  async _again(link, docked) {
    docked.isWanted = true;
    const session = link.notebook.sessionContext;
    const isThere = session.session?.kernel?.status && !session.isTerminating;
    if (!link.kernel) await (isThere ? session.restartKernel() : session.startKernel());
    await this._app.commands.execute("tetrate:load");
  }

  /** @param {Link | null} link @param {Docked | null} docked */
  _say(link, docked) {
    const [text, canLoad] = this._words(link, docked);
    this._note.hidden = !text;
    if (this._note.dataset.text === text) return;
    this._note.dataset.text = text;
    const said = document.createElement("p");
    said.textContent = text;
    this._note.replaceChildren(said);
    if (!canLoad) return;
    const button = document.createElement("button");
    button.textContent = "Load";
    button.addEventListener("click", () => {
      this._app.commands.execute("tetrate:load");
      this._goIn();
    });
    this._note.append(button);
  }

  /** @param {Link | null} link @param {Docked | null} docked @returns {[string, boolean]} */
  _words(link, docked) {
    if (!link) return ["Open a notebook: its conversation is shown here.", false];
    const isOver = docked && docked.epoch !== link.epoch;
    if (isOver && ["none", "asking", "absent"].includes(link.stands)) return ["", false]; // its panel says so itself
    if (link.stands === "none") return ["This notebook has no kernel. Next: choose one at its top right.", false];
    if (link.stands === "asking") {
      return [link.isBusy ? "The kernel is busy: this opens after the running cell." : "", false];
    }
    if (link.stands === "elsewhere") return ["Tetrate needs a Python kernel.", false];
    if (link.stands === "absent") return ["Tetrate isn't loaded in this notebook's kernel.", true];
    if (link.stands !== "loaded") return [this._more(link), link.stands === "missing"];
    if (docked?.problem) return [docked.problem, false];
    return [
      docked && !docked.isThere && link.isBusy ? "The kernel is busy: this opens after the running cell." : "",
      false,
    ];
  }
}

/** Buttons of which one is pressed. */
class Switch {
  /** @param {string} label @param {Record<string, string>} choices @param {(choice: string) => void} chosen */
  constructor(label, choices, chosen) {
    this.node = document.createElement("div");
    this.node.setAttribute("role", "group");
    this.node.setAttribute("aria-label", label);
    this._buttons = Object.entries(choices).map(([choice, text]) => {
      const button = document.createElement("button");
      button.textContent = text;
      button.value = choice;
      button.addEventListener("click", () => chosen(choice));
      return button;
    });
    this.node.append(...this._buttons);
  }

  /** @param {string} choice */
  set(choice) {
    for (const each of this._buttons) each.setAttribute("aria-pressed", String(each.value === choice));
  }
}

/** One panel of one kernel in an output area. `problem`: why it isn't there, "" for nothing. */
class Docked {
  /** @param {Packages} page @param {Link} link @param {string[]} what @param {() => void} changed */
  constructor(page, link, what, changed) {
    const { SimplifiedOutputArea, OutputAreaModel } = page.outputarea;
    this.epoch = link.epoch;
    this.what = what.join();
    this.cost = link.state?.cost; // of this notebook, when it was asked for
    /** @type {Docked | null | undefined} */
    this.before = null; // what stands in its place until it is there
    this.problem = "";
    this.isThere = false;
    this.isWanted = false; // a person has asked for it to be made again
    const model = new OutputAreaModel({ trusted: true }); // it is what our own package shows
    this.area = new SimplifiedOutputArea({ model, rendermime: link.notebook.content.rendermime });
    this.area.addClass("tetrate-lab-docked");
    /** @type {any} */
    this.meeting = this.area.node; // where the panel (widgets/static/panel.js) leaves what it has, and takes it
    this.meeting.tetrateNotebook = link.notebook.content; // beside which it is: code of its answers goes there
    const code = `__import__("tetrate_jupyter.lab.docked", fromlist=["show"]).show(${
      what.map((each) => JSON.stringify(each))
    })`;
    const future = link.kernel.requestExecute({
      code,
      silent: false,
      store_history: false,
      allow_stdin: true,
      stop_on_error: false,
    });
    this.area.future = future;
    future.done.then(
      (/** @type {any} */ reply) => {
        this.isThere = true;
        if (reply.content.status !== "ok") {
          this.problem = `This can't be shown: ${reply.content.evalue || reply.content.status}`;
        }
        changed();
      },
      () => {}, // the kernel has ended: the link tells
    );
  }

  leaveBefore() {
    this.before?.leave();
    this.before = null;
  }

  leave() {
    this.leaveBefore();
    if (!this.area.isDisposed) this.area.dispose();
  }
}
