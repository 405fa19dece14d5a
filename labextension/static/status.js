// The item in the status bar: model, and what the notebook in front has cost today; a click opens a menu.

const WAITS = "Tetrate: waiting for sign-in";

/** Return what the item says of a link, and whether that is quiet; "" for nothing. @param {Link | null} link */
export function words(link) {
  if (!link) return "";
  if (link.isWaiting) return WAITS;
  if (link.stands === "absent") return "Load Tetrate";
  if (link.stands === "missing") return "Tetrate: not installed";
  if (link.stands === "newer") return "Tetrate: reload the page";
  if (link.stands === "older") return "Tetrate: update the kernel's package";
  const state = link.state;
  if (link.stands !== "loaded" || !state) return "";
  const where = state.sandbox ? "sandbox · " : "";
  if (state.waiting) return `Tetrate: ${where}waiting for sign-in`;
  if (state.signed_in === false) return `Tetrate: ${where}not signed in`;
  const cost = `this notebook: ${state.cost} today`;
  const now = state.asking ? "asking…" : state.stopped ? `stopped · ${cost}` : cost;
  return `${where}${state.model || "no model yet"} · ${now}`;
}

/** Return the longer sentence of it. @param {Link} link */
export function more(link) {
  const { state, stands } = link;
  if (link.isWaiting) return "A cell waits for you to sign in. A click shows where.";
  if (stands === "absent") return "Load tetrate_jupyter in this notebook's kernel";
  if (stands === "missing") return "This kernel's environment hasn't the package. Next: %pip install tetrate-jupyter";
  if (stands === "newer") {
    return "The kernel's package is newer than this page's part. Next: update tetrate-jupyter where Jupyter runs, and reload the page.";
  }
  if (stands === "older") {
    return "The kernel's package is older than this page's part. Next: %pip install --upgrade tetrate-jupyter, and restart the kernel.";
  }
  if (!state) return "Tetrate";
  const standing = state.signed_in === false
    ? "Not signed in to"
    : state.signed_in
    ? "Signed in to"
    : "Sign-in not known:";
  return [`${standing} ${state.host}${state.sandbox ? " (sandbox: play money)" : ""}.`, ...state.notes].join("\n");
}

export class StatusItem {
  /** @param {Packages} page @param {Application} app @param {Links} links */
  constructor(page, app, links) {
    this._page = page;
    this._app = app;
    this._links = links;
    this._button = document.createElement("button");
    this._button.className = "tetrate-lab-status";
    this._button.addEventListener("click", () => this._pressed());
    const node = document.createElement("div");
    node.append(this._button);
    this.widget = new page.lumino.Widget({ node });
    links.listeners.add(() => this._draw());
    this._draw();
  }

  /** @param {{ registerStatusItem(id: string, item: object): unknown }} bar */
  addTo(bar) {
    bar.registerStatusItem("tetrate-jupyter:status", {
      item: this.widget,
      align: "left",
      rank: 100,
      isActive: () => Boolean(this._button.textContent),
    });
  }

  _draw() {
    const link = this._links.front;
    const text = this._links.settings.values.statusItem ? words(link) : "";
    this.widget.setHidden(!text);
    this._button.textContent = text;
    this._button.title = link ? more(link) : "";
    this._button.classList.toggle(
      "tetrate-lab-quiet",
      !link?.isWaiting && (link?.stands === "absent" || link?.stands === "missing"),
    );
    this._button.classList.toggle("tetrate-lab-ready", link?.stands === "loaded" && link.state?.signed_in === true);
    this._button.classList.toggle(
      "tetrate-lab-asking",
      Boolean(link?.isWaiting || link?.state?.asking || link?.state?.waiting),
    );
    if (link?.stands === "loaded" && !link.isWaiting) this._button.setAttribute("aria-haspopup", "menu");
    else this._button.removeAttribute("aria-haspopup");
  }

  _pressed() {
    const link = this._links.front;
    if (link?.isWaiting) return void link.showWaiting();
    if (link?.stands !== "loaded") return void this._app.commands.execute("tetrate:load");
    const menu = new this._page.lumino.Menu({ commands: this._app.commands });
    menu.addClass("tetrate-lab-menu");
    const account = link.state?.signed_in === false ? "tetrate:sign-in" : "tetrate:sign-out";
    const lines = more(link).split("\n").slice(0, 7);
    lines.forEach((label) => menu.addItem({ command: "tetrate:standing", args: { label } }));
    for (const command of ["", "tetrate:models", "tetrate:chat", "tetrate:compare", "tetrate:usage", "", account]) {
      menu.addItem(command ? { command } : { type: "separator" });
    }
    const { left, top } = this._button.getBoundingClientRect();
    menu.aboutToClose.connect(() => setTimeout(() => menu.dispose()));
    menu.open(left, top);
    menu.node.style.transform = `translate(${left}px, ${Math.max(0, top - menu.node.offsetHeight)}px)`;
  }
}
