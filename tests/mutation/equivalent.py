"""Changes that nothing can notice, since they mean the same: module -> change, as the runner names it -> why."""

from __future__ import annotations

_ORDER = "the order of two numbers that are added up"
_SMALLER = "the order of two numbers, of which the smaller counts"
_FALSY = "only whether it is true is looked at"
_BEYOND = "beyond whatever can come here"
_SHORT_CUT = "a short cut: the longer way gives the same"
_MAPPED = "each token that begins a block has its lines"
_DEEPER = "how deep blocks inside each other are shown for themselves: what they show is the same"

EQUIVALENT: dict[str, dict[str, str]] = {
    "completion/accumulate": {
        "Accumulator.add: chunk.choice if choices[0].index or len(choices) > 1 else choices[0] -> chunk.choice": _SHORT_CUT,
        "Accumulator.add: len(choices) > 1 -> GtE": _SHORT_CUT,
        "Accumulator.add: choice.finish_reason and choice.finish_reason != self._reason -> choice.finish_reason": _SHORT_CUT,
        "Accumulator._add_rest: not name -> never": _SHORT_CUT,
        "Accumulator._end: self._reason = reason -> pass": _SHORT_CUT,
        "Accumulator.add: self._within(self._thought.feed(thought)) if thought else '' -> "
        "self._within(self._thought.feed(thought))": _SHORT_CUT,
        "Halves.feed: piece.isascii() or not ('\\ud800' <= piece[-1] <= '\\udfff' or…c00' <= piece[0] <= '\\udfff') -> "
        "not ('\\ud800' <= piece[-1] <= '\\udfff' or '\\udc00' <= piece[0] <= '\\udfff')": _SHORT_CUT,
        "Halves.feed: '\\udfff' -> '\\udfff~'": "no single character is between the two",
    },
    "completion/signed": {
        "SignedReasoning.add: _continues(piece, entries[-1]) -> _continues(entries[-1], piece)": "it compares the two",
        "SignedReasoning.found: dict(json.loads(whole(json.dumps(secrecy.redacted(held), ens…cii=False)))) if held else {} -> "
        "dict(json.loads(whole(json.dumps(secrecy.redacted(held), ensure_ascii=False))))": _SHORT_CUT,
    },
    "completion/usage": {
        "add_usage: both(one.completion_tokens, other.completion_tokens) -> "
        "both(other.completion_tokens, one.completion_tokens)": _ORDER,
        "add_usage: detail(one.cached_tokens, other.cached_tokens) -> "
        "detail(other.cached_tokens, one.cached_tokens)": _ORDER,
    },
    "completion/tools": {"_source: return '' -> return None": _FALSY},
    "completion/checking": {
        "_fitted: f' {answer.emptiness}' if answer.emptiness else '' -> f' {answer.emptiness}'": "a space at the end is cut off",
    },
    "completion/describe": {
        "empty: 1 -> 0": "an array always has its size",
        "_single: text is None and is_a(value, 'pyarrow', 'Scalar') -> is_a(value, 'pyarrow', 'Scalar')": _SHORT_CUT,
    },
    "completion/values": {
        "number: value in {math.inf, -math.inf} -> never": "they are written alike further below",
        "number: 0 -> 1": "the sign is 1 or -1",
        "is_number: 'bool_' -> 'bool_~'": "numpy's truth values are none of its numbers",
        "is_number: return False -> return None": _FALSY,
        "scalar: isinstance(value, enum.Enum) -> never": "nothing below takes one",
        "exact_reprs: pandas is not None and hasattr(pandas, 'option_context') -> "
        "hasattr(pandas, 'option_context')": _SHORT_CUT,
    },
    "http/chunks": {
        "ToolCallDelta: False -> True": "it only spares the collector work",
        "WireUsage: False -> True": "it only spares the collector work",
    },
    "http/chunk_reading": {
        "module: 64 -> 65": "a document of about that size can't have too many objects yet",
        "module: 1024 -> 1023": "likewise",
    },
    "http/meaning": {
        "module: 600 -> 601": "no status is above 599",
        "module: 600 -> 601 (2)": "no status is above 599",
        "_by_words: 0 -> 1": "neither is a status",
        "_is_no_model: return False -> return None": _FALSY,
    },
    "completion/calls": {
        "_extra: continue -> pass": "it is the last line of the loop",
        "_Call.is_begun: 1 -> 0": "the pattern fits at the start only, and no group is repeated",
        "_once: 1 -> 2": "the pattern fits at the start only",
        "_once: '' -> '~'": "neither begins with a brace",
        "_extra: not members -> never": _SHORT_CUT,
        "Calls._fill: 'latin-1' -> 'latin-1~'": "Python reads both as the same name",
    },
    "completion/thinking": {
        "module: '<thinking>' -> '<thinking>~'": "what is one sign longer than a tag has matched as one before",
    },
    "completion/foreign": {
        "as_cause: 1 -> 2": "more than the most, either way",
        "_is_clean: '' -> '~'": "neither holds a key",
    },
    "completion/cells": {
        "Ran.fitting: min(output, left // 4) -> min(left // 4, output)": _SMALLER,
    },
    "completion/folder": {
        "module: 0 -> 1": "only where the system has no such flag",
    },
    "completion/images": {
        "_is_displayed: 'Image' -> 'Image~'": "the other of the two modules has the class, too",
    },
    "completion/tables": {
        "table: min(sheet.width, MAX_COLUMNS if limits.room is None else MANY_COLUMNS) -> "
        "min(MAX_COLUMNS if limits.room is None else MANY_COLUMNS, sheet.width)": _SMALLER,
        "_Layout._rows: found[0].size + found[1].size <= room or max((part.longest f…part in found)) <= _CELLS[-1] -> "
        "found[0].size + found[1].size <= room": _SHORT_CUT,
    },
    "completion/nested": {
        "ValueWriter._string: max(1, len(start) * self._left // (len(token) + 1)) -> "
        "max(len(start) * self._left // (len(token) + 1), 1)": "the order of two numbers, of which the larger counts",
    },
    "completion/arrays": {
        "array: 'iuf' -> 'iuf~'": "no kind of number has this letter",
        "_fewer: max(1, min(total - 1, math.floor(total / times))) -> max(min(total - 1, math.floor(total / times)), 1)": (
            "the order of two numbers, of which the larger counts"
        ),
        "_Writer._parts: first + last -> first - last": "where some are written from the end, others are left out",
        "_Writer._parts: is_cut and place == first -> place == first": "where none is left out, no place is behind the first",
    },
    "completion/sheets": {
        "SheetColumn.numbers: 1 -> 0": "of a protocol, whose body never runs",
        "_PolarsColumn.numbers: self._values[::step] if step > 1 else self._values -> self._values[::step]": _SHORT_CUT,
    },
    "completion/summary": {
        "summary: min(SAMPLED_ROWS, SAMPLED_CELLS // max(1, len(columns))) -> "
        "min(SAMPLED_CELLS // max(1, len(columns)), SAMPLED_ROWS)": _SMALLER,
    },
    "completion/variables": {
        "_ends_with_command: end < 0 -> LtE": "before the first character there is no command either way",
    },
    "catalog/service": {
        "Catalog._catalog_is_due: return False -> return None": _FALSY,
    },
    "compare/page": {
        "_bar: row.started or 0.0 -> row.started": "there are bars of rows with a start only",
    },
    "compare/questions": {
        "_weighed: 0 -> 1": "what a column that can't be asked weighs is not looked at",
        "_weighed: 0 -> 1 (2)": "likewise",
        "Questions.are_all_kept: return False -> return None": _FALSY,
    },
    "catalog/join": {
        "_prose: 1 -> 0": "a pair of characters across the cut is cut again",
    },
    "render/blocks": {
        "_inline: len(content) <= syntax.MAX_INLINE -> Lt": _SHORT_CUT,
        "_followable: return False -> return None": _FALSY,
    },
    "keys/store": {
        "KeyStore._from_file: 'file' -> 'file~'": "every place of a store that isn't the keyring is a file",
    },
    "render/table": {
        "Table.markup: zip(row, kinds, strict=True) -> without strict=": "rows are filled up and cut when the table is made",
        "Table.markup: True -> False": "likewise: rows and kinds have one length",
    },
    "render/numbers": {
        "module: Context(prec=60, rounding=ROUND_HALF_UP, Emin=-999999, Emax=…apitals=1, clamp=0, traps=[]) -> without prec=": _BEYOND,
        "module: 999999 -> 1000000": _BEYOND,
    },
    "http/retry": {
        "is_budget_block: '' -> '~'": "neither is the word",
        "retry_after: not text -> never": _SHORT_CUT,
    },
    "http/sse": {
        "EventSplitter.feed: 0 -> 1": "what begins with the end of an event has none before it",
        "EventSplitter.feed: not buffer and data.endswith(b'\\n\\n') -> never": _SHORT_CUT,
        "EventSplitter._payloads: len(block) > 6 and block.startswith(b'data: ') and (b'\\n' not in block) -> never": _SHORT_CUT,
        "EventSplitter._payloads: 6 -> 7": _SHORT_CUT,
    },
    "http/gate": {
        "module: 32 -> 33": "a key has no blank",
        "module: 32 -> 31": "and none of the characters before it",
        "module: 127 -> 128": "likewise",
        "module: 127 -> 126": "a part of a key is enough to know it by",
        "_place: name == 'messages' and isinstance(part, list) -> isinstance(part, list)": "any other list is named by its name",
        "incoming: _ESCAPED.search(content) and secrecy.holds(_unescaped(content)) -> secrecy.holds(_unescaped(content))": _SHORT_CUT,
    },
    "render/markdown": {
        "MarkdownStream.update: began < self._due -> LtE": "no two moments of a clock that counts nanoseconds are one",
        "MarkdownStream._inside.make: MarkdownStream(depth=self._depth + 1, is_tight=is_tight) -> without depth=": _DEEPER,
        "MarkdownStream._settle: self._looked_at = whole -> pass": _SHORT_CUT,
        "MarkdownStream._finished_in: 0 -> 1": _MAPPED,
        "MarkdownStream._parsed: token.level == 0 and token.map and (token.nesting >= 0) -> "
        "token.level == 0 and token.nesting >= 0": _MAPPED,
        "MarkdownStream._parts: tokens[n].map or [1] -> tokens[n].map": _MAPPED,
    },
    "render/growing": {
        "begun: [0, 0] -> without 0": _MAPPED,
        "begun: 0 -> 1": _MAPPED,
        "_Flat.html_around: return inside -> return None": "only asked of a block with others inside it",
        "_Table.take: rows < 1 -> LtE": "taken with the next row",
        "_Code.take: self._length * 3 // 2 -> self._length * 3 * 2": "how often the colours of all are made anew, not what they are",
        "_Code.html: final and self._length + len(rest) <= MAX_COLOURED -> "
        "final or self._length + len(rest) <= MAX_COLOURED": "the exact colours sooner, at more cost",
        "_Code.html: '' -> '~'": "so much code has no colours in any language",
    },
    "amounts": {
        "module: Context(prec=60, rounding=ROUND_HALF_EVEN, Emin=-999999, Ema…apitals=1, clamp=0, traps=[]) -> without Emin=": "the default, written out, since a notebook may change that",
        "module: Context(prec=60, rounding=ROUND_HALF_EVEN, Emin=-999999, Ema…apitals=1, clamp=0, traps=[]) -> without capitals=": "likewise; and texts are not made with it",
        "module: 999999 -> 999998": _BEYOND,
        "module: 999999 -> 999998 (2)": _BEYOND,
        "module: 1 -> 0": "capitals: texts are not made with it",
        "total: EXACT.add(found, part) -> EXACT.add(part, found)": _ORDER,
    },
    "characters": {
        "plain: '\\r' not in text and _compiled(_ANY).search(text) is None -> never": _SHORT_CUT,
        "plain: '\\r' not in text and _compiled(_ANY).search(text) is None -> _compiled(_ANY).search(text) is None": _SHORT_CUT,
        "plain: '\\r' not in text -> In": _SHORT_CUT,
        "plain: '\\r' -> '\\r~'": _SHORT_CUT,
        "visible: _compiled(_ANY).search(text) is None -> never": _SHORT_CUT,
        "one_line: limit is not None and len(text) > 4 * limit -> never": _SHORT_CUT,
        "one_line: limit is not None and len(text) > 4 * limit -> limit is not None": _SHORT_CUT,
        "one_line: len(text) > 4 * limit -> GtE": _SHORT_CUT,
        "one_line: len(text) > 4 * limit -> LtE": _SHORT_CUT,
        "one_line: 4 * limit -> 4 + limit": _SHORT_CUT,
        "one_line: 4 -> 5": _SHORT_CUT,
        "one_line: 4 -> 3": _SHORT_CUT,
        "one_line: 4 * limit -> 4 + limit (2)": _SHORT_CUT,
        "one_line: 4 -> 5 (2)": _SHORT_CUT,
        "one_line: 4 -> 3 (2)": _SHORT_CUT,
        "one_line: len(start) > limit -> never": _SHORT_CUT,
        "spelled_out: _compiled(_ANY).search(code) is None -> never": _SHORT_CUT,
        "_for_page: code < 32 -> LtE": "a blank is none of the characters that come here",
        "_for_page: 32 -> 33": "likewise",
        "_is_control: code < 32 -> LtE": "likewise",
        "_is_control: 32 -> 33": "likewise",
        "_is_control: 127 -> 126": "likewise",
        "_is_control: 159 -> 160": "likewise",
        "_shown: '\\U000e007f' -> '\\U000e007f~'": "no single character is between the two",
        "_shown: '\\udfff' -> '\\udfff~'": "no single character is between the two",
    },
    "needles": {
        "Windows.likely: not self._numbers -> never": _SHORT_CUT,
        "Windows.likely: self._numbers.isdisjoint(numbers) -> never": _SHORT_CUT,
    },
    "secrecy": {
        "_forms_of: max(_LEAST, len(data) // 2) -> max(len(data) // 2, _LEAST)": "the order of two numbers, of which the larger counts",
    },
    "render/code": {
        "coloured: lexer is None -> never": _SHORT_CUT,
        "module: {'', 'p', 'n', 'err', 'w', 'x', 'esc', 'nx', 'g', 'l', 'pm'} -> without 'w'": "white space begins no class of its own",
        "module: {'', 'p', 'n', 'err', 'w', 'x', 'esc', 'nx', 'g', 'l', 'pm'} -> without 'g'": "no lexer of the table gives it",
    },
    "render/syntax": {
        "parser: ['text', 'newline', 'escape', 'backticks', 'strikethrough', …image', 'autolink', 'entity'] -> without 'text'": _SHORT_CUT,
        "parser.narrow_table: min(end, start + 2 + MAX_CELLS // columns - above) -> min(start + 2 + MAX_CELLS // columns - above, end)": _SMALLER,
        "parser: 'formula' -> 'formula~'": "the name of a rule that nothing looks up",
        "parser: md.normalizeLink = _normalized -> pass": "markdown-it does so itself from 4.3 on",
    },
    "render/maths": {
        "module: '\\\\\\\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecom…ode|expandafter)(?![A-Za-z])' -> '\\\\\\\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|DeclareMat…ode|expandafter)(?![A-Za-z])'": "the converter doesn't know the command: its source is shown anyway",
        "module: '\\\\\\\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecom…ode|expandafter)(?![A-Za-z])' -> '\\\\\\\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecom…ode|expandafter)(?![A-Za-z])' (2)": "likewise",
        "module: '\\\\\\\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecom…ode|expandafter)(?![A-Za-z])' -> '\\\\\\\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecom…ode|expandafter)(?![A-Za-z])' (3)": "likewise",
        "module: '\\\\\\\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecom…ode|expandafter)(?![A-Za-z])' -> '\\\\\\\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecom…ode|expandafter)(?![A-Za-z])' (4)": "likewise",
        "_write: return False -> return None": _FALSY,
        "_depth: max(deepest, depth) -> max(depth, deepest)": "the order of two numbers, of which the larger counts",
    },
    "http/causes": {
        "explain: isinstance(cause, ssl.SSLCertVerificationError) and getattr(… 'verify_code', 0) in _STRICT -> getattr(cause, 'verify_code', 0) in _STRICT": "no other error has such a code",
        "explain: 0 -> 1": "neither is a code of a strict check",
    },
    "compare/figures": {
        "_leader: max(best, second) -> max(second, best)": "the order of two numbers, of which the larger counts",
    },
    "compare/votes": {
        "_wilson: max(0.0, middle - half) -> max(middle - half, 0.0)": "the order of two numbers, of which the larger counts",
    },
    "http/deadline": {
        "Deadline.__init__: 0.0 -> 1.0": "each wait sets it first",
        "Deadline.__init__: self._cancels_before = 0 -> pass": "set before it is read",
        "Deadline.wait: self._timer.when() > until -> GtE": _SHORT_CUT,
        "Deadline._nobody_else_cancelled: sys.version_info >= (3, 11) and self._task is not None -> sys.version_info >= (3, 11) or self._task is not None": "the same on Python 3.11 and later; 3.10 has its own way",
        "Deadline._nobody_else_cancelled: sys.version_info >= (3, 11) and self._task is not None -> self._task is not None": "the same on Python 3.11 and later; 3.10 has its own way",
        "Deadline._nobody_else_cancelled: sys.version_info >= (3, 11) -> Gt": "the same on Python 3.11 and later; 3.10 has its own way",
        "Deadline._nobody_else_cancelled: return True -> return None": "the same on Python 3.11 and later; 3.10 has its own way",
        "Deadline._fire: 3 -> 2": "the same on Python 3.11 and later; 3.10 has its own way",
        "Deadline._fire: 11 -> 10": "the same on Python 3.11 and later; 3.10 has its own way",
    },
    "render/bounds": {
        "_end: min(len(text), start + characters) -> min(start + characters, len(text))": _SMALLER,
    },
    "keys/system_keyring": {
        "SystemKeyring.write.store: return False -> return None": _FALSY,
    },
    "legible": {
        "text: content if isinstance(content, str) else '' if content is None else str(content) -> '' if content is None else str(content)": _SHORT_CUT,
    },
    "compare/lanes": {
        "Lane.succeeded: min(self._most, self.limit + 1) -> min(self.limit + 1, self._most)": _SMALLER,
    },
}
