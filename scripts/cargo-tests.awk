# Reads what `cargo test -- --show-output` prints, shows a line a test binary and all of what failed, and at the end
# writes "passed failed skipped" to the file named by -v sums=FILE. A test that passed and printed a line that begins
# with "SKIPPED:" counts as skipped.

function end_unit() {
    # A test binary that was killed says nothing of its tests.
    if (running && !told) {
        printf "  %s ended before its tests did:\n%s", unit, recent > "/dev/stderr"
        failed++
    }
    running = 0; told = 0; section = ""; recent = ""
}

/^ +(Running|Doc-tests) / {
    end_unit()
    unit = $1 == "Running" ? $NF : $0
    sub(/^.*\/deps\//, "", unit); sub(/-[0-9a-f]+\)$/, "", unit); sub(/^ +Doc-tests /, "doc of ", unit)
    # The integration tests of every package are called "it"; they come after its unit tests.
    if ($2 == "unittests") package = unit; else if ($1 == "Running") unit = package "/" unit
    next
}
/^running [0-9]+ tests?$/ { running = 1; next }
running && /^test .* \.\.\. FAILED$/ { printf "  %s: %s\n", unit, $0 > "/dev/stderr" }
running && /^successes:$/ { section = "passed"; next }
running && /^failures:$/ { section = "failed" }
running && section == "passed" && /^---- .* stdout ----$/ { test = unit " " $2; next }
running && section == "passed" && /^SKIPPED:/ && !(test in seen) {
    seen[test] = 1
    unit_skipped++
    reasons[$0]++
}
running && section == "failed" { print "  " $0 > "/dev/stderr" }
running { recent = substr(recent $0 "\n", length(recent) > 8000 ? length($0) + 2 : 1) }
/^test result: / {
    match($0, /[0-9]+ passed/); unit_passed = substr($0, RSTART, RLENGTH) - unit_skipped
    match($0, /[0-9]+ failed/); unit_failed = substr($0, RSTART, RLENGTH) + 0
    if (unit_passed + unit_failed + unit_skipped > 0)
        printf "  %-20s %4d passed%s%s  %s\n", unit, unit_passed, unit_failed ? ", " unit_failed " FAILED" : "",
            unit_skipped ? ", " unit_skipped " skipped" : "", $NF > "/dev/stderr"
    passed += unit_passed; failed += unit_failed; skipped += unit_skipped
    unit_skipped = 0; told = 1; section = ""
}
END {
    end_unit()
    for (reason in reasons) printf "  %d × %s\n", reasons[reason], reason > "/dev/stderr"
    print passed + 0, failed + 0, skipped + 0 > sums
}
