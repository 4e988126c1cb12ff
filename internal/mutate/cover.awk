# Prints how many statements of each package a coverage profile has run, and fails if
# it is less than `least` percent of one. A block is listed once for each test binary
# that knows it: it is covered if one of them ran it.
NR > 1 {
	statements[$1] = $2
	if ($3 > 0) ran[$1] = 1
}
END {
	for (block in statements) {
		package = block
		sub(/\/[^\/]*$/, "", package)
		all[package] += statements[block]
		if (block in ran) covered[package] += statements[block]
	}
	for (package in all) {
		percent = 100 * covered[package] / all[package]
		verdict = percent < least ? sprintf("  below %d %%", least) : ""
		if (verdict) failed = 1
		printf "%-60s %5d of %5d statements  %5.1f %%%s\n", package, covered[package], all[package], percent, verdict | "sort"
	}
	close("sort")
	if (NR < 2) { print "no coverage profile"; failed = 1 }
	exit failed
}
