// What the page loads: the container of a federated extension, by hand. It hands out the plugin, whose modules lie
// beside it, and takes the page's own packages from the share scope: a token is an object, a copy of it is none.
(() => {
  const self = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  // The query names the release, so that no part of another one comes out of the browser's cache.
  const beside = (/** @type {string} */ name) => new URL(name + new URL(self).search, self).href;
  const OWN = ["@jupyterlab/application-top", "@jupyter-notebook/app"]; // before copies that other extensions bring
  /** @type {ShareScope} */
  let scope = {};

  /** Return a package of the page, null where this front end has none of that name. */
  const shared = async (/** @type {string} */ name) => {
    const versions = Object.values(scope[name] ?? {});
    const entry = versions.find((each) => OWN.includes(String(each.from))) ?? versions.find((each) => each.loaded) ??
      versions[0];
    return entry ? (await entry.get())() : null;
  };

  const get = async () => {
    const names = [
      "application",
      "apputils",
      "codemirror",
      "filebrowser",
      "launcher",
      "notebook",
      "outputarea",
      "settingregistry",
      "statusbar",
      "ui-components",
    ];
    const others = {
      lumino: "@lumino/widgets",
      language: "@codemirror/language",
      state: "@codemirror/state",
      view: "@codemirror/view",
    };
    const wanted = [...Object.entries(others), ...names.map((name) => [name, `@jupyterlab/${name}`])];
    const page = Object.fromEntries(
      await Promise.all(wanted.map(async ([short, name]) => [short, await shared(name)])),
    );
    const { plugin } = await import(beside("plugin.js"));
    const made = await plugin(page, beside);
    return () => ({ __esModule: true, default: made });
  };

  const containers = (globalThis._JUPYTERLAB ??= {});
  containers["tetrate-jupyter"] = {
    init: (/** @type {ShareScope} */ given) => {
      scope = given;
    },
    get,
  };
})();
