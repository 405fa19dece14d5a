// Where the cursor goes when a command opens something to write in.

/** @typedef {{ within?: HTMLElement, from: HTMLElement, rest(): void }} Held */
/** @typedef {Held & { within: HTMLElement, field(): Element | null | undefined, isWanted(): boolean, found?(field: any): void }} Goal */

/**
 * Keep the cursor out of a notebook, `from` where keys run as shortcuts: it rests elsewhere, also when the palette, closing,
 * gives it back. Who presses a key or the pointer outside of `within` meanwhile goes where he wants to.
 * @param {Held} held
 */
export function hold({ within, from, rest }) {
  let isElsewhere = false;
  const isOut = (/** @type {EventTarget | null} */ target) => target instanceof Node && !within?.contains(target);
  const gone = (/** @type {Event} */ { target }) => {
    isElsewhere ||= target !== document.body && isOut(target);
  };
  const back = (/** @type {Event} */ { target }) => {
    if (!isElsewhere && isOut(target) && from.contains(/** @type {Node} */ (target))) rest();
  };
  /** @type {[string, (event: Event) => void][]} */
  const heard = [["keydown", gone], ["pointerdown", gone], ["focusin", back]];
  for (const [kind, hears] of heard) document.addEventListener(kind, hears, true);
  if (isOut(document.activeElement)) rest();
  return {
    get isElsewhere() {
      return isElsewhere;
    },
    end: () => heard.forEach(([kind, hears]) => document.removeEventListener(kind, hears, true)),
  };
}

/** Take the cursor to where keys do nothing. */
export function leave() {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

/**
 * Put the cursor into a field as soon as that is `within`. `found` hears of the field wherever the cursor is by then.
 * Return what ends the wait.
 * @param {Goal} goal
 */
export function enter({ within, from, field, rest, isWanted, found }) {
  const there = () => {
    const node = field();
    const takes = node instanceof HTMLElement && node.offsetParent && getComputedStyle(node).visibility === "visible";
    return takes ? node : null;
  };
  const go = () => {
    const node = there();
    if (node) node.focus({ preventScroll: true });
    else rest();
  };
  const look = () => {
    if (!isWanted() || (person.isElsewhere && !found)) return end();
    const node = there();
    const now = document.activeElement;
    if (!node) return person.isElsewhere || (now !== within && within.contains(now)) ? undefined : go();
    seen.disconnect();
    if (!person.isElsewhere) node.focus();
    found?.(node);
    for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, end, true); // then it is his own
  };
  const seen = new MutationObserver(look);
  const end = () => {
    seen.disconnect();
    person.end();
    for (const kind of ["keydown", "pointerdown"]) document.removeEventListener(kind, end, true);
  };
  const person = hold({ within, from, rest: go });
  seen.observe(within, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["hidden", "class", "style"],
  });
  look();
  return end;
}
