# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the commands around the tests share: saying what is done and how long it
# took, and a name for the state of the source tree.

# step TEXT COMMAND...: output only if it fails.
step() {
	local text=$1 log start=$SECONDS rc
	shift
	log=$(mktemp)
	echo "== $text"
	# A subshell, and no "||", so that errexit works inside COMMAND.
	set +e
	(set -e; "$@") >"$log" 2>&1 </dev/null
	rc=$?
	set -e
	if [ $rc -ne 0 ]; then
		cat "$log"
		echo "== $text: failed ($rc)"
	else
		echo "   done in $((SECONDS - start)) s"
	fi
	rm -f "$log"
	return $rc
}

# git_here ARG...: whoever owns the clone.
git_here() {
	git -c safe.directory='*' -C "$TOP" "$@"
}

# tree_files [PATH...]: what the source tree holds, whether committed or not.
tree_files() {
	git_here ls-files -z --cached --others --exclude-standard -- "$@"
}

# tree_hash [PATH...]: a name for the contents of those paths (default: everything).
tree_hash() {
	(cd "$TOP" && tree_files "$@" | sort -zu | xargs -0 -r sha256sum 2>/dev/null | sha256sum | cut -c1-16)
}

# build_dir: where this tree is built; another clone has another place.
build_dir() {
	echo "${MODKILN_CACHE:-/var/cache/modkiln}/build/$(sha256sum <<<"$TOP" | cut -c1-8)"
}
