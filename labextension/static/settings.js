// What a person, or an administrator, has set in the page's own settings. What is the page's acts at once; the rest is
// proposed to new kernels, which decide. Where the page has no settings all is as the defaults say.

const ID = "tetrate-jupyter:plugin"; // as in schemas/
const SOON = 3000; // ms: settings that come later act then, but no kernel waits for them
const ENTER = "tetrate-enter"; // where the chat keeps it in pages without settings (widgets/static/panel.js)

/** Return text as a literal of Python's. IPython ends lines at more than Python does, and takes what follows for commands. @param {string} text */
export const literal = (text) =>
  JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028\u2029]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

export class Settings {
  /** @param {Services["registry"]} registry */
  constructor(registry) {
    /** @type {Record<string, any>} */
    this.values = {
      model: "",
      baseUrl: "",
      greeting: true,
      enterSends: true,
      errorButtons: true,
      askButton: true,
      statusItem: true,
    };
    this.onChange = () => {};
    const loaded = registry ? this._follow(registry).catch((error) => console.debug("tetrate:", error)) : null;
    /** Until they are known. */
    this.ready = Promise.race([loaded, new Promise((resolve) => setTimeout(resolve, SOON))]);
  }

  /** What is for kernels, without what is as it would be anyway. */
  forKernel() {
    const { model, baseUrl, greeting } = this.values;
    return { ...(model && { model }), ...(baseUrl && { baseUrl }), ...(!greeting && { greeting }) };
  }

  /** A line of Python that leaves it where the package looks when it is loaded (front_end.TOLD); "" for nothing. */
  leave() {
    const told = JSON.stringify(this.forKernel());
    return told === "{}" ? "" : `get_ipython()._tetrate_page = ${literal(told)}\n`;
  }

  /** @param {Registry} registry */
  async _follow(registry) {
    const settings = await registry.load(ID);
    const read = () => {
      for (const [name, value] of Object.entries(settings.composite)) {
        if (typeof value === typeof this.values[name]) this.values[name] = value;
      }
      this.onChange();
    };
    const keep = (/** @type {boolean} */ isLine) => {
      this.values.enterSends = !isLine; // also where it can't be kept
      return settings.set("enterSends", !isLine).then(() => true, (error) => console.debug("tetrate:", error));
    };
    settings.changed.connect(read);
    read();
    const { values } = this;
    globalThis.tetrateEnter = {
      get isLine() {
        return !values.enterSends;
      },
      set isLine(wanted) {
        keep(wanted);
      },
    };
    const before = localStorage.getItem(ENTER); // what the person chose in the chat before there were settings
    if (before && settings.user.enterSends === undefined && !(await keep(before === "line"))) return; // next time, then
    localStorage.removeItem(ENTER);
  }
}
