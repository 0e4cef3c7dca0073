# SPDX-License-Identifier: GPL-2.0-or-later
#
# Results of bench, "ROUND WHAT METHOD WALL CPU PROCESSES RESULT LOAD" a line, as
# a table, or with json=1 as JSON: medians with the smallest and the largest, and
# ours in relation to each other method, round by round.

function sorted(list, a,	n, i, j, t) {
	n = split(list, a, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && a[j - 1] + 0 > a[j] + 0; j--) {
			t = a[j]; a[j] = a[j - 1]; a[j - 1] = t
		}
	return n
}

function median(list,	a, n) {
	n = sorted(list, a)
	return n % 2 ? a[(n + 1) / 2] + 0 : (a[n / 2] + a[n / 2 + 1]) / 2
}

function least(list,	a) { sorted(list, a); return a[1] + 0 }
function most(list,	a) { return a[sorted(list, a)] + 0 }

# Sets spread[1..3] of a list: median, least, most.
function spread_of(list) {
	spread[1] = median(list); spread[2] = least(list); spread[3] = most(list)
}

# The figure of one of ours through that of a method, of each round that has both.
function ratios(what, one, method, figure,	list, r) {
	for (r = 1; r <= rounds; r++)
		if ((r, what, one, figure) in raw && raw[r, what, method, figure] > 0)
			list = list " " raw[r, what, one, figure] / raw[r, what, method, figure]
	return list
}

function print_ratios(what, one, method) {
	spread_of(ratios(what, one, method, "wall"))
	printf "   %6.3f (%.3f-%.3f)", spread[1], spread[2], spread[3]
	spread_of(ratios(what, one, method, "cpu"))
	printf "  %6.3f", spread[1]
}

{
	if ($1 > rounds) rounds = $1
	if (!($2 in seen)) { seen[$2]; whats[++n_whats] = $2 }
	if (!(($2, $3) in figures)) { order[$2] = order[$2] " " $3 }
	figures[$2, $3]
	raw[$1, $2, $3, "wall"] = $4; raw[$1, $2, $3, "cpu"] = $5; raw[$1, $2, $3, "processes"] = $6
	wall[$2, $3] = wall[$2, $3] " " $4; cpu[$2, $3] = cpu[$2, $3] " " $5
	processes[$2, $3] = processes[$2, $3] " " $6; result[$2, $3] = $7
	lines[NR] = $0
}

function line(what, method) {
	if (!((what, method) in figures))
		return
	spread_of(wall[what, method])
	printf "%-9s %-9s %9.2f %8.2f-%-8.2f", what, method, spread[1], spread[2], spread[3]
	spread_of(cpu[what, method])
	printf " %8.2f %7.2f-%-7.2f %8d %5d", spread[1], spread[2], spread[3], median(processes[what, method]), result[what, method]
	if (method !~ /^ours/ && (what, "ours") in figures)
		print_ratios(what, "ours", method)
	if (method !~ /^ours/ && (what, "ours-full") in figures)
		print_ratios(what, "ours-full", method)
	printf "\n"
}

function as_json(	i, j, k, m, f, part) {
	printf "{\n \"rounds\": ["
	for (i = 1; i <= NR; i++) {
		split(lines[i], f, " ")
		printf "%s\n  {\"round\": %s, \"what\": \"%s\", \"with\": \"%s\", \"wall\": %s, \"cpu\": %s, \"processes\": %s, \"done\": %s, \"load\": %s}",
			(i > 1 ? "," : ""), f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8]
	}
	printf "\n ],\n \"medians\": ["
	for (i = 1; i <= n_whats; i++) {
		m = split(order[whats[i]], part, " ")
		for (j = 1; j <= m; j++) {
			printf "%s\n  {\"what\": \"%s\", \"with\": \"%s\"", (k++ ? "," : ""), whats[i], part[j]
			spread_of(wall[whats[i], part[j]])
			printf ", \"wall\": %s, \"wall_least\": %s, \"wall_most\": %s", spread[1], spread[2], spread[3]
			printf ", \"cpu\": %s, \"processes\": %d", median(cpu[whats[i], part[j]]), median(processes[whats[i], part[j]])
			if (part[j] != "ours" && (whats[i], "ours") in figures)
				printf ", \"ours_wall_ratio\": %.4f, \"ours_cpu_ratio\": %.4f", median(ratios(whats[i], "ours", part[j], "wall")),
					median(ratios(whats[i], "ours", part[j], "cpu"))
			printf "}"
		}
	}
	printf "\n ]\n}\n"
}

END {
	if (json) {
		as_json()
		exit
	}
	printf "\n%-9s %-9s %9s %-17s %8s %-15s %9s %5s   %s\n", "what", "with", "wall s", "  least-most", "CPU s", " least-most",
		"processes", "done", "ours through it: wall (least-most)  CPU; then ours-full"
	for (i = 1; i <= n_whats; i++) {
		m = split(order[whats[i]], part, " ")
		line(whats[i], "ours")
		for (j = 1; j <= m; j++)
			if (part[j] != "ours")
				line(whats[i], part[j])
	}
}
