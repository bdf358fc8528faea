# summary: the rows of bench/rows.tsv out of samples, by rounds: a ratio is made of two samples of the same
# round and the median taken of the ratios, for what a busy machine does to one it does to the other.
#
#	awk -f bench/summary.awk bench/rows.tsv SAMPLES             a table
#	awk -v tsv=1 -f bench/summary.awk bench/rows.tsv SAMPLES    the same by tabs
#
# An OURS with @ in it has there `auto`'s containment: the first name that fits.
BEGIN {
	FS = "\t"
	if (tsv)
		print "row\tours\tpeer\tours_median\tpeer_median\tunit\tratio_median\tratio_min\tratio_max" \
			"\tmust\taim\tverdict\tload_max"
}

/^#/ { next }

NR == FNR {
	row[++rows] = $1; ours[rows] = $2; peer[rows] = $3; better[rows] = $4
	must[rows] = $5; aim[rows] = $6; what[rows] = $7
	next
}

{
	key = $1 SUBSEP $2
	value[key, $3] = $4
	if (!(key in unit))
		names[$1] = names[$1] "\t" $2
	unit[key] = $5
	if ($3 > last[key])
		last[key] = $3
	if ($6 > busy[$1])
		busy[$1] = $6
}

# Sorts list[1..n].
function sort(list, n,    i, j, held) {
	for (i = 2; i <= n; i++) {
		held = list[i]
		for (j = i - 1; j > 0 && list[j] > held; j--)
			list[j + 1] = list[j]
		list[j + 1] = held
	}
}

function median(list, n) {
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

# The values of a name into list; returns how many.
function collect(key, list,    n, r) {
	n = 0
	for (r = 1; r <= last[key]; r++)
		if ((key, r) in value)
			list[++n] = value[key, r] + 0
	return n
}

function find(r, name,    i, n, list, end) {
	if (name !~ /@/)
		return name
	end = substr(name, 2)
	n = split(names[r], list, "\t")
	for (i = 1; i <= n; i++)
		if (list[i] ~ /^(cgroup|subreaper|group)-/ && substr(list[i], length(list[i]) - length(end) + 1) == end)
			return list[i]
	return name
}

function reaches(x, bound, way) {
	return way == "more" ? x >= bound : x <= bound
}

function judge(x, i) {
	if (must[i] == "-")
		return ""
	if (reaches(x, aim[i], better[i]))
		return "aim"
	return reaches(x, must[i], better[i]) ? "must" : "SHORT"
}

function number(x) {
	return x >= 100 ? sprintf("%.0f", x) : x >= 10 ? sprintf("%.1f", x) : sprintf("%.2f", x)
}

function show(i, o, p, u, m, lo, hi) {
	if (tsv) {
		printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row[i], found, peer[i], o, p, u,
			m, lo, hi, must[i], aim[i], judge(m, i), busy[row[i]]
	} else {
		printf "%-9s %9s %9s %-4s  %7s  %-15s %5s %5s  %-5s %5s  %s\n", row[i], o, p, u, number(m),
			number(lo) " - " number(hi), must[i], aim[i], judge(m, i), busy[row[i]], what[i]
	}
}

function compare(i,    a, b, r, n, ratios, left, right) {
	a = row[i] SUBSEP found; b = row[i] SUBSEP peer[i]
	if (!(a in unit) || (peer[i] != "-" && !(b in unit))) {
		# A row without any sample was not asked for.
		if (names[row[i]] != "")
			missing = missing "left out, not installed or of the other form: " row[i] ", " \
				((a in unit) ? peer[i] : ours[i]) " (" what[i] ")\n"
		return
	}
	n = 0
	for (r = 1; r <= last[a]; r++) {
		if (!((a, r) in value) || (peer[i] != "-" && !((b, r) in value)))
			continue
		if (peer[i] != "-" && value[b, r] == 0)
			continue
		ratios[++n] = peer[i] == "-" ? value[a, r] + 0 : value[a, r] / value[b, r]
	}
	if (n == 0)
		return
	sort(ratios, n)
	nl = collect(a, left); sort(left, nl)
	if (peer[i] != "-") {
		nr = collect(b, right); sort(right, nr)
	}
	show(i, number(median(left, nl)), peer[i] == "-" ? "-" : number(median(right, nr)), unit[a],
		median(ratios, n), ratios[1], ratios[n])
}

END {
	if (!tsv)
		printf "%-9s %9s %9s %-4s  %7s  %-15s %5s %5s  %-5s %5s  %s\n", "row", "spawnd", "peer", "unit", "median",
			"spread", "must", "aim", "is", "load", "what"
	for (i = 1; i <= rows; i++) {
		found = find(row[i], ours[i])
		compare(i)
	}
	printf "%s", missing > "/dev/stderr"
}
