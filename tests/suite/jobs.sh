# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Jobs of the tests that run at the same time, and what they count.  Each has a
# folder of its own below $work, in $here; what it says is printed in one piece.
: "${work:?}"

# What one job may take of the memory; its roots need up to three quarters of that.
JOB_MEMORY=5000
jobs_started=0

# memory_free: in MiB.
memory_free() {
	awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo
}

# jobs_at_once: one a core, as far as there is memory for them.
jobs_at_once() {
	local fit cores
	fit=$(($(memory_free) / JOB_MEMORY))
	cores=$(nproc)
	[ "$fit" -gt 0 ] || fit=1
	echo $((fit < cores ? fit : cores))
}

# in_memory DIR: sets $memory to what runs a command with mounts of its own, and with
# DIR in memory, if there is enough of it.  All that ends with the command, even one
# that is killed.  On a disk, to remove the roots of a test takes longer than the test.
in_memory() {
	local free
	free=$(($(memory_free) / $(jobs_at_once)))
	memory=(unshare --mount)
	[ "$free" -ge $JOB_MEMORY ] || return 0
	# shellcheck disable=SC2016,SC2034 # expanded by the inner shell; the job reads it
	memory=(unshare --mount sh -c 'mount -t tmpfs -o "mode=755,size=$1" modkiln "$2" && shift 2 && exec "$@"'
		sh "$((free * 3 / 4))m" "$1")
}

# count PASSED FAILED SKIPPED
count() {
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# start_job CMD...: as soon as there is room.
start_job() {
	[ "$jobs_started" -gt 0 ] || at_once=$(jobs_at_once)
	while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do
		wait -n || true
	done
	jobs_started=$((jobs_started + 1))
	here=$work/$jobs_started
	mkdir "$here"
	job "$@" &
}

# job CMD...: in a process of its own.
job() {
	passed=0 failed=0 skipped=0
	"$@" >"$here/said" 2>&1
	echo "$passed $failed $skipped" >"$here/counts"
	flock "$work" cat "$here/said"
}

# end_jobs: adds up the counts; a job that left none broke off.
end_jobs() {
	local n numbers
	wait
	for ((n = 1; n <= jobs_started; n++)); do
		if read -r -a numbers 2>/dev/null <"$work/$n/counts"; then
			count "${numbers[@]}"
		else
			cat "$work/$n/said"
			echo "   broke off"
			count 0 1 0
		fi
	done
}

# stop_jobs: each ends what it runs, as limited asked for.
stop_jobs() {
	local pids
	pids=$(jobs -p)
	# shellcheck disable=SC2086 # numbers
	[ -z "$pids" ] || kill $pids 2>/dev/null || true
}
