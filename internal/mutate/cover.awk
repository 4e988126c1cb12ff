# Prints how many statements of each package a coverage profile covers, and fails if a
# package has less than `least` percent. A block is listed once for each test binary
# that contains it, and is covered if one of them ran it.
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
