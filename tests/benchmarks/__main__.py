"""`make bench`: every figure measured in one run on this machine, as ratios; printed and written to results.json."""

from __future__ import annotations

import json
import platform
from pathlib import Path

from tests.benchmarks import (
    cells,
    chat,
    client_cpu,
    compare_live,
    compare_runs,
    interrupt,
    kept,
    keys,
    ledger,
    loading,
    page_load,
    picker,
    rendering,
)

RESULTS = Path(__file__).parent / "results.json"


def main() -> None:
    """Measure, print the table, write the file."""
    load = loading.measure()
    client = client_cpu.measure()
    kernel = cells.measure()
    floods = interrupt.flooded()
    panel = chat.measure()
    search = picker.measure()
    columns = compare_live.measure()
    large = compare_runs.measure()
    blocks = rendering.measure()
    recalled = kept.measure()
    spent = ledger.measure()
    looked = keys.measure()
    opened = page_load.measure()
    results = {
        "python": platform.python_version(),
        "load_ext": load,
        "client": client,
        "cell": {name: kernel[name] for name in ("burst", "paced")},
        "interrupt": kernel["interrupt"],
        "interrupt_after_1_mb": floods,
        "chat": panel,
        "picker": search,
        "compare_live": columns,
        "compare_runs": large,
        "rendering": blocks,
        "kept_answers": recalled,
        "ledger": spent,
        "keys": looked,
        "page_load": opened,
    }
    RESULTS.write_text(json.dumps(_rounded(results), indent=2) + "\n")
    burst, paced, stop = kernel["burst"], kernel["paced"], kernel["interrupt"]
    rows = [
        (
            "(a) %load_ext over bare IPython",
            f"{1000 * load['added_s']:.0f} ms, {load['modules']:.0f} modules",
            "50 ms, 60",
        ),
        (
            "(b) client CPU against bare httpx, burst / paced",
            f"{client['burst_ratio']:.2f}x / {client['paced_ratio']:.2f}x",
            "1.25x",
        ),
        (
            "(c) first text after the first chunk",
            f"{burst['first_text_ms']:.0f} / {paced['first_text_ms']:.0f} ms",
            "30 ms",
        ),
        ("    burst: bytes against the text's", f"{burst['bytes_per_text_byte']:.1f}x", "3x"),
        ("    burst: messages", f"{burst['messages']:.0f}", ""),
        ("    burst: kernel CPU against a cell that prints", f"{burst['to_printing_ratio']:.2f}x", "1.5x"),
        ("    paced: kernel CPU against a cell that shows", f"{paced['to_showing_ratio']:.2f}x", "1.3x"),
        ("    paced: against one that only prints", f"{paced['to_printing_ratio']:.2f}x", ""),
        ("    paced: messages, bytes", f"{paced['messages']:.0f}, {paced['bytes'] / 1000:.0f} kB", ""),
        ("(d) interrupt to idle", f"{stop['idle_ms']:.0f} ms", "150 ms"),
        ("    interrupt to the router seeing it", f"{stop['hung_up_ms']:.0f} ms", "150 ms"),
        ("    interrupt after 1 MB of list items", f"{floods['items_ms']:.0f} ms", "200 ms"),
        ("    interrupt after 1 MB of any kind: worst", f"{floods['worst_ms']:.0f} ms", "200 ms"),
        ("(e) chat panel: CPU against whole HTML at 10 Hz", f"{panel['panel_to_whole_html']:.2f}x", "0.53x"),
        ("    chat panel: bytes against the text's", f"{panel['bytes_per_text_byte']:.1f}x", "10x"),
        ("(f) picker, a keystroke over 500 models: worst", f"{search['worst_ms']:.0f} ms", "50 ms"),
        ("    picker: most bytes of a keystroke", f"{search['most_bytes']:.0f}", ""),
        (
            "(g) compare panel: CPU against HTML boxes at 10 Hz",
            f"{columns['added_to_boxes_added']:.2f}x",
            "0.61x",
        ),
        ("    compare panel: bytes against the text's", f"{columns['bytes_per_text_byte']:.1f}x", "8x"),
        ("(h) 32 columns: whole run against the slowest", f"{large['wall_to_slowest']:.2f}x", "1.1x"),
        ("    forecast of 10,000 cells", f"{large['forecast_ms']:.0f} ms", "200 ms"),
        ("    2,000 answers: memory, with the page", f"{large['run_and_page_mb']:.0f} MB", ""),
        ("(j) ledger: a request with a budget, CPU", f"{spent['request_with_budget_ms']:.2f} ms", "0.3 ms"),
        ("    100,000 records read and summed", f"{spent['read_to_plainest']:.2f}x json.loads", "0.8x"),
        ("    today's", f"{1000 * spent['today_s']:.0f} ms", "50 ms"),
        ("    bytes of a record", f"{spent['bytes_per_record']:.0f}", ""),
        (
            "(i) an update of 40,000 characters against 5,000",
            f"{max(b['ratio'] for b in blocks.values()):.2f}x",
            "1.3x",
        ),
        (
            "(k) a question with a kept answer: CPU, median",
            f"{recalled['hit_cpu_ms']:.2f} / {recalled['hit_ms']:.2f} ms",
            "2 ms",
        ),
        ("    a file of 5,000 answers: CPU of opening it", f"{recalled['open_cpu_ms']:.0f} ms", ""),
        (
            "(l) 1,000 keys against one: a text / a stream",
            f"{looked['text_ratio']:.1f}x / {looked['stream_ratio']:.1f}x",
            "4x",
        ),
        ("(m) JupyterLab's page: main thread in the extension", f"{opened['ours_ms']:.0f} ms", "30 ms"),
        ("    all of it, with / without", f"{opened['with_ms']:.0f} / {opened['without_ms']:.0f} ms", ""),
        ("    the extension's files", f"{opened['bytes'] / 1000:.0f} kB", ""),
        ("    an idle notebook sends / gets in 10 s", f"{opened['idle_sent']} / {opened['idle_received']}", "0 / 0"),
    ]
    print(f"{'':50}{'measured':>18}{'aim':>12}")
    for name, value, aim in rows:
        print(f"{name:50}{value:>18}{aim:>12}")


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
