// What the extension uses of the page's packages, by hand: their own types can't be had without a package manager.

declare var _JUPYTERLAB: Record<string, { init(scope: ShareScope): void; get(name: string): Promise<() => object> }>;

declare var tetrateEnter: { isLine: boolean } | undefined;

interface Shared {
  from?: string;
  loaded?: boolean | number;
  get(): Promise<() => any>;
}
type ShareScope = Record<string, Record<string, Shared>>;
type Packages = Record<string, any>;
type Token = object;
type Link = import("./link.js").Link;
type Links = import("./link.js").Links;
type SidePanel = import("./panel.js").SidePanel;
type Settings = import("./settings.js").Settings;
type More = typeof import("./status.js").more;
interface Parts {
  link: typeof import("./link.js");
  commands: typeof import("./commands.js");
  status: typeof import("./status.js");
  enter: typeof import("./enter.js");
  panel: typeof import("./panel.js");
  below: typeof import("./below.js");
  ask: typeof import("./ask.js");
  failed: typeof import("./failed.js");
  prompts: typeof import("./prompts.js");
  settings: typeof import("./settings.js");
}

interface Signal<S, A> {
  connect(slot: (sender: S, args: A) => void): boolean;
  disconnect(slot: (sender: S, args: A) => void): boolean;
}
interface Widget {
  id: string;
  readonly isDisposed: boolean;
  readonly isVisible: boolean;
  readonly node: HTMLElement;
  readonly title: { label: string; caption: string; icon: unknown };
  readonly disposed: Signal<Widget, void>;
  readonly widgets: readonly Widget[];
  activate(): void;
  addClass(name: string): void;
  addWidget(widget: Widget): void;
  dispose(): void;
  setHidden(hidden: boolean): void;
}
interface Message {
  header: { msg_type: string; session: string };
  parent_header: { msg_id?: string };
  content: Record<string, any>;
}
interface Future {
  readonly done: Promise<Message>;
  readonly msg: { header: { msg_id: string } };
  registerMessageHook(hook: (message: Message) => boolean): void;
}
interface Comm {
  readonly commId: string;
  readonly isDisposed: boolean;
  readonly commsOverSubshells?: string;
  readonly subshellStarted?: Promise<void>;
  onMsg: (message: Message) => void;
  onClose: (message: Message) => void;
  send(data: object): Future;
}
interface Kernel {
  readonly status: string;
  readonly handleComms: boolean;
  readonly clientId: string;
  readonly username: string;
  readonly supportsSubshells?: boolean;
  commsOverSubshells?: string;
  readonly info: Promise<{ language_info: { name: string } }>;
  requestExecute(content: object): Future;
  sendControlMessage(message: object, expectsReply: boolean): Future;
  requestCommInfo(content: { target_name: string }): Promise<Message>;
  hasComm(id: string): boolean;
  createComm(target: string, id: string): Comm;
  interrupt(): Promise<void>;
}
interface SessionContext {
  readonly session: { readonly kernel: Kernel | null } | null;
  readonly ready: Promise<void>;
  readonly isTerminating: boolean;
  readonly isRestarting: boolean;
  readonly kernelChanged: Signal<SessionContext, unknown>;
  readonly statusChanged: Signal<SessionContext, string>;
  readonly iopubMessage: Signal<SessionContext, Message>;
  startKernel(): Promise<unknown>;
  restartKernel(): Promise<unknown>;
}
interface Place {
  line: number;
  column: number;
}
interface Editor {
  setCursorPosition(position: Place): void;
  getSelections(): { start: Place; end: Place }[];
  getOffsetAt(position: Place): number;
}
interface MirrorText {
  line(number: number): { readonly to: number };
  sliceString(from: number, to: number): string;
}
interface MirrorState {
  readonly doc: MirrorText;
  field(field: object): boolean;
}
interface MirrorView {
  readonly state: MirrorState;
  readonly visibleRanges: readonly { readonly from: number; readonly to: number }[];
}
interface MirrorUpdate {
  readonly docChanged: boolean;
  readonly viewportChanged: boolean;
  readonly startState: MirrorState;
  readonly state: MirrorState;
  readonly view: MirrorView;
}
interface MirrorNode {
  readonly name: string;
  readonly parent: MirrorNode | null;
}
interface Mirror {
  state: {
    EditorState: { languageData: { of(data: (state: MirrorState, at: number) => object[]): object } };
    Prec: { highest(extension: object): object };
    StateField: { define(field: { create(state: MirrorState): boolean; update(value: boolean, change: MirrorUpdate): boolean }): object };
  };
  view: {
    Decoration: {
      readonly none: object;
      line(spec: object): { range(from: number): object };
      mark(spec: object): { range(from: number, to: number): object };
      set(ranges: object[], isSorted: boolean): object;
    };
    EditorView: { contentAttributes: { compute(on: object[], attributes: (state: MirrorState) => object): object } };
    ViewPlugin: { define<Made>(make: (view: MirrorView) => Made, spec: { decorations(made: Made): object }): object };
  };
  language: { syntaxTree(state: MirrorState): { resolveInner(at: number, side: number): MirrorNode | null } };
}
interface Cell extends Widget {
  readonly model: {
    readonly id: string;
    mimeType: string;
    readonly mimeTypeChanged: Signal<unknown, unknown>;
    readonly type: string;
    readonly executionCount: number | null;
    readonly executionState?: string;
    readonly outputs: { readonly length: number; readonly changed: Signal<unknown, unknown> };
    readonly sharedModel: { readonly changed: Signal<unknown, unknown>; getSource(): string; setSource(source: string): void; undoManager?: { stopCapturing(): void } | null };
  };
  readonly layout: { readonly widgets: readonly Widget[]; insertWidget(index: number, widget: Widget): void; removeWidget(widget: Widget): void };
  readonly outputArea?: { readonly future?: Future; readonly node: HTMLElement };
  readonly editor: Editor | null;
  readonly ready: Promise<void>;
  readonly readOnly: boolean;
}
interface NotebookContent extends Widget {
  readonly widgets: readonly Cell[];
  readonly activeCell: Cell | null;
  activeCellIndex: number;
  mode: string;
  readonly model: { readonly readOnly: boolean; } | null;
  readonly rendermime: unknown;
  deselectAll(): void;
  scrollToItem(index: number, align: string): Promise<void>;
}
interface NotebookPanel extends Widget {
  readonly content: NotebookContent;
  readonly context: { readonly contentsModel: { readonly writable: boolean } | null };
  readonly sessionContext: SessionContext;
}
interface Tracker {
  readonly currentWidget: NotebookPanel | null;
  readonly currentChanged: Signal<Tracker, NotebookPanel | null>;
}
interface CommandOptions {
  label: string | ((args: Record<string, any>) => string);
  caption?: string;
  icon?: unknown;
  isEnabled?(): boolean;
  isVisible?(): boolean;
  execute(args: Record<string, any>): unknown;
}
interface Application {
  readonly serviceManager: {
    readonly kernelspecs: { readonly specs: { readonly default: string } | null };
    readonly contents: {
      newUntitled(options: object): Promise<{ path: string }>;
      rename(path: string, wanted: string): Promise<{ path: string }>;
      save(path: string, model: object): Promise<object>;
      delete(path: string): Promise<void>;
    };
    readonly sessions: { startNew(options: object): Promise<{ readonly kernel: Kernel | null; dispose(): void; shutdown(): Promise<void> }> };
  };
  readonly commands: {
    addCommand(id: string, options: CommandOptions): unknown;
    execute(id: string, args?: object): Promise<any>;
    notifyCommandChanged(id?: string): void;
  };
  readonly contextMenu: { addItem(options: object): unknown };
  contextMenuHitTest(fn: (node: HTMLElement) => boolean): HTMLElement | undefined;
  readonly shell: { add(widget: Widget, area: string, options?: object): void; activateById(id: string): void };
}
interface Registry {
  load(plugin: string): Promise<{
    readonly composite: Record<string, unknown>;
    readonly user: Record<string, unknown>;
    readonly changed: Signal<unknown, void>;
    set(name: string, value: unknown): Promise<void>;
  }>;
}
interface Services {
  tracker?: Tracker;
  palette?: { addItem(options: object): unknown };
  statusBar?: { registerStatusItem(id: string, item: object): unknown };
  browser?: { readonly model: { readonly path: string } };
  launcher?: { add(options: object): unknown };
  registry?: Registry;
  restorer?: { add(widget: Widget, name: string): void };
  editors?: { addExtension(extension: { name: string; factory(options: { model: Cell["model"] }): object | null }): void };
}

/** What the kernel tells of its session; see tetrate_jupyter/lab/standing.py. */
interface State {
  model: string;
  signed_in: boolean | null;
  waiting?: boolean; // a cell waits for somebody to sign in; an older kernel tells nothing of it
  host: string;
  sandbox: boolean;
  asking: boolean;
  stopped: boolean;
  cost: string;
  notes: string[];
}
