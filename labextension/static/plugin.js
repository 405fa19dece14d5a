// What is put together: links to kernels, commands, status item, side panel, launcher. Each part is there only where
// the front end has what it needs (Notebook 7 has no status bar and no launcher).

/**
 * Return the plugin. `page`: the page's own packages by their short names, null for one it hasn't.
 * @param {Packages & Mirror} page
 * @param {(name: string) => string} beside gives the address of a file of this folder
 */
export async function plugin(page, beside) {
  /** @template {keyof Parts} Name @param {Name} name @returns {Promise<Parts[Name]>} */
  const part = (name) => import(beside(`${name}.js`));
  const [
    { Links, tellBeforeLoading },
    { addCommands },
    { StatusItem, more },
    entering,
    { SidePanel },
    below,
    { followFailures },
    { addAsking },
    { followPrompts },
    { Settings, literal },
  ] = await Promise.all([
    part("link"),
    part("commands"),
    part("status"),
    part("enter"),
    part("panel"),
    part("below"),
    part("failed"),
    part("ask"),
    part("prompts"),
    part("settings"),
  ]);
  /** @type {Record<string, Token | undefined>} */
  const tokens = {
    tracker: page.notebook?.INotebookTracker,
    palette: page.apputils?.ICommandPalette,
    statusBar: page.statusbar?.IStatusBar,
    launcher: page.launcher?.ILauncher,
    editors: page.codemirror?.IEditorExtensionRegistry,
    browser: page.filebrowser?.IDefaultFileBrowser,
    restorer: page.application?.ILayoutRestorer,
    registry: page.settingregistry?.ISettingRegistry,
  };
  const names = Object.keys(tokens).filter((name) => tokens[name]);

  /** @type {(app: Application, ...found: unknown[]) => void} */
  const activate = (app, ...found) => {
    const services = /** @type {Services} */ (Object.fromEntries(names.map((name, at) => [name, found[at]])));
    if (!services.tracker) return; // no notebooks here
    addStyle(beside("style.css"));
    const settings = new Settings(services.registry);
    const links = new Links(services.tracker, settings);
    settings.onChange = () => links.changed();
    tellBeforeLoading(page, links);
    const panel = new SidePanel(page, app, links, more, entering.enter);
    services.restorer?.add(panel.widget, panel.widget.id);
    followFailures(below, page, links, (text) => links.said(text));
    if (services.editors) followPrompts(page, services.editors);
    const loaded = addCommands({ page, app, services, links, panel, more, entering });
    addAsking({ parts: below, literal, page, app, services, links, icon: panel.widget.title.icon, loaded });
    if (services.statusBar) new StatusItem(page, app, links).addTo(services.statusBar);
  };
  return {
    id: "tetrate-jupyter:plugin",
    autoStart: true,
    requires: [],
    optional: names.map((name) => tokens[name]),
    activate,
  };
}

/** @param {string} address */
function addStyle(address) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = address;
  document.head.append(link);
}
