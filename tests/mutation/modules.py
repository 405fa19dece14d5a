"""The tests that are a module's own: what must notice a change of it. Quick ones first; each set takes seconds."""

from __future__ import annotations

_ERRORS = ["tests/http/test_error_tables.py", "tests/http/test_faults.py"]
_CHUNKS = ["tests/http/test_chunks.py", "tests/http/test_usage_names.py", "tests/http/test_wire.py"]
_CATALOG = ["tests/test_catalog_join.py", "tests/test_catalog_pure.py"]
_KEYS = ["tests/keys/test_store_values.py", "tests/keys/test_sign_out.py", "tests/keys/test_store.py"]
_BLOCKS = ["tests/render/test_blocks.py", "tests/render/test_links.py"]
_GROWING = [
    *_BLOCKS,
    "tests/render/test_growing_shown.py",
    "tests/render/test_growing.py",
    "tests/render/test_bounds.py",
]
_RESULT = ["tests/compare/test_pure.py"]
_LEDGER = ["tests/ledger/test_totals.py", "tests/ledger/test_segments.py", "tests/ledger/test_places_and_clocks.py"]
_NOTING = ["tests/ledger/test_noting.py", *_LEDGER]
_BUDGETS = ["tests/ledger/test_budgets.py", "tests/test_amounts.py"]
_KEPT = ["tests/answers/test_file.py", "tests/answers/test_asking.py"]

TESTS: dict[str, list[str]] = {
    "completion/accumulate": [
        *["tests/completion/test_accumulate.py", "tests/completion/test_signed.py", "tests/http/test_usage_names.py"],
    ],
    "completion/signed": ["tests/completion/test_signed.py"],
    "completion/usage": ["tests/completion/test_accumulate.py", "tests/http/test_usage_names.py"],
    "http/usage_names": ["tests/http/test_usage_names.py"],
    "completion/displays": ["tests/completion/test_displays.py"],
    "completion/cell_pictures": ["tests/completion/test_cell_pictures.py"],
    "http/faults": _ERRORS,
    "http/meaning": _ERRORS,
    "http/error_body": _ERRORS,
    "completion/calls": ["tests/completion/test_calls.py"],
    "completion/thinking": ["tests/completion/test_calls.py"],
    "completion/reasons": ["tests/completion/test_calls.py"],
    "completion/answer": ["tests/completion/test_calls.py"],
    "catalog/join": _CATALOG,
    "catalog/models": _CATALOG,
    "catalog/picking": _CATALOG,
    "catalog/search": [*_CATALOG, "tests/test_catalog_search.py"],
    "keys/store": [*_KEYS, "tests/security/test_keys_follow_the_disk.py", "tests/keys/test_keyring.py"],
    "keys/private_file": ["tests/keys/test_private_file_itself.py", "tests/keys/test_private_file.py", *_KEYS],
    "keys/places": _KEYS,
    "render/blocks": _BLOCKS,
    "render/table": ["tests/render/test_table.py"],
    "render/numbers": ["tests/render/test_table.py", "tests/test_amounts.py"],
    "render/markdown": _GROWING,
    "render/growing": _GROWING,
    "render/nested": ["tests/render/test_nested.py", *_GROWING],
    "compare/columns": _RESULT,
    "compare/facts": _RESULT,
    "render/diff": _RESULT,
    "compare/exports": [*_RESULT, "tests/compare/test_exports.py"],
    "compare/data": _RESULT,
    "compare/result": [*_RESULT, "tests/compare/test_exports.py", "tests/compare/test_result.py"],
    "http/retry": ["tests/http/test_waits.py", "tests/http/test_retry.py"],
    "http/sse": ["tests/http/test_bare_errors.py", "tests/http/test_sse.py"],
    "http/wire": ["tests/http/test_wire_documents.py", "tests/http/test_wire.py", "tests/http/test_any_member.py"],
    "http/inflate": ["tests/http/test_inflate.py"],
    "http/chunks": _CHUNKS,
    "http/chunk_reading": _CHUNKS,
    "http/gate": ["tests/http/test_gate.py"],
    "http/reading": ["tests/http/test_reading.py", "tests/http/test_wire.py", "tests/http/test_any_member.py"],
    "amounts": ["tests/test_amounts_exact.py", "tests/test_amounts.py"],
    "characters": ["tests/test_characters.py"],
    "secrecy": ["tests/test_secrecy.py"],
    "needles": ["tests/test_needles.py"],
    "whole_files": ["tests/test_whole_files.py"],
    "ages": ["tests/test_ages.py"],
    "ledger/about": _LEDGER,
    "ledger/book": [*_LEDGER, "tests/ledger/test_writing.py"],
    "ledger/budget": _BUDGETS,
    "ledger/day": [*_BUDGETS, *_LEDGER],
    "ledger/frame": _LEDGER,
    "ledger/reading": _NOTING,
    "ledger/record": _NOTING,
    "ledger/report": ["tests/ledger/test_report.py", *_LEDGER],
    "ledger/segments": _LEDGER,
    "ledger/totals": _LEDGER,
    "ledger/window": ["tests/ledger/test_window.py"],
    "ledger/writing": ["tests/ledger/test_writing.py", *_LEDGER],
    "answers/aside": ["tests/answers/test_hanging_disk.py", "tests/answers/test_asking.py"],
    "answers/database": ["tests/answers/test_database.py"],
    "answers/file": [*_KEPT, "tests/answers/test_turns.py", "tests/answers/test_places.py"],
    "answers/kept": _KEPT,
    "answers/key": ["tests/answers/test_key.py"],
    "answers/places": ["tests/answers/test_places.py", *_KEPT],
    "answers/turn": ["tests/answers/test_turns.py"],
}
