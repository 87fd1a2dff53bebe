#!/usr/bin/python3
"""Fuzzes every target for a while, two at a time, and says what was found.

    tests/fuzz/fuzz.py build/fuzz [SECONDS [SEED [RUNS [TARGET..]]]]

SEED is the random numbers': 0, each call's own. With another one, from an empty corpus, a call does what the last did,
but a faster machine gets farther in SECONDS; RUNS, the most inputs of each target (0: any number), bounds that, too.
What the fuzzers learn stays in build/fuzz/corpus/TARGET and is where the next call starts from. An input that shows a
defect is left in build/fuzz/found; once it is mended, the input belongs into tests/fuzz/seeds/TARGET.
"""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS_PER_INPUT = 20
MOST_MIB = 1536  # 1 GiB, and what the sanitizers need


def fuzz(target, build, seconds, seed, most_runs):
    """The exit code of libFuzzer, and what it has printed."""
    corpus, found, temporary = build / "corpus" / target, build / "found", build / "tmp" / target
    for folder in (corpus, found, temporary):
        folder.mkdir(parents=True, exist_ok=True)
    command = [build / "bin" / f"fuzz_{target}", corpus, HERE / "seeds" / target,
               f"-dict={HERE / 'dictionaries' / target}.dict", f"-artifact_prefix={found}/{target}-",
               f"-seed={seed}", f"-runs={most_runs or -1}", f"-max_total_time={seconds}",
               f"-timeout={SECONDS_PER_INPUT}", "-rss_limit_mb=0", "-max_len=20000", "-print_final_stats=1"]
    # The allocator's limit, not libFuzzer's: it says where the memory goes, and stops at once.
    environment = os.environ | {"TMPDIR": str(temporary),
                                "ASAN_OPTIONS": f"soft_rss_limit_mb={MOST_MIB}:detect_leaks=0"}
    try:
        result = subprocess.run(list(map(str, command)), env=environment, stdout=subprocess.PIPE, errors="replace",
                                stderr=subprocess.STDOUT, text=True, check=False, timeout=seconds + 180)
        return result.returncode, result.stdout
    except subprocess.TimeoutExpired as stuck:
        return 1, (stuck.stdout or b"").decode(errors="replace") + "\nno end"
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def runs(output):
    return next((line.split()[-1] for line in output.splitlines() if "number_of_executed_units" in line), "?")


def main():
    build = Path(sys.argv[1]).resolve()
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    most_runs = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    targets = sys.argv[5:] or sorted(folder.name for folder in (HERE / "seeds").iterdir() if folder.is_dir())
    with ThreadPoolExecutor(max_workers=2) as pool:
        outcomes = list(pool.map(lambda target: fuzz(target, build, seconds, seed, most_runs), targets))
    failed = False
    for target, (code, output) in zip(targets, outcomes):
        print(f"{target:10} {'ok' if code == 0 else 'FOUND'}, {runs(output)} inputs")
        if code != 0:
            failed = True
            print("\n".join("    " + line for line in output.splitlines()[-60:]))
    if failed:
        sys.exit(f"inputs that show a defect are in {build / 'found'}; build/fuzz/bin/fuzz_TARGET FILE runs one again")


if __name__ == "__main__":
    main()
