# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How this machine reaches its Debian mirror is read from its own apt at run
# time and lent to the roots, never stored in them.  Downloaded packages are
# shared: each run gets a shelf of its own above them (apt locks its archive
# directory for the whole run) and what it fetched is linked back afterwards.

ARCHIVES=$GROUND_CACHE/apt/archives

# mirror LABEL: the URI of the first apt source with that label; nothing: there is none.
mirror() {
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -v label="$1" '$1 == label && !uri { uri = $2 } END { print uri }'
}

# apt_sources SUITE: sources.list lines for a suite with its updates.
apt_sources() {
	local debian security
	debian=$(mirror Debian)
	security=$(mirror Debian-Security)
	[ -n "$debian" ] || die "apt of this machine knows no Debian archive (run apt-get update, or add a source)"
	echo "deb $debian $1 main"
	[ "$1" != sid ] || return 0
	echo "deb $debian $1-updates main"
	[ -z "$security" ] || echo "deb $security $1-security main"
}

# apt_host_sources: what the mirror is derived from; quick, for cache keys.
apt_host_sources() {
	find /etc/apt/sources.list /etc/apt/sources.list.d -type f -exec cat {} + 2>/dev/null || true
}

# apt_host_conf: this machine's proxy, time and retry settings as apt.conf.
apt_host_conf() {
	local name
	apt-config dump --format '%F "%v";%n' --no-empty |
		grep -E '^Acquire::(https?|Retries|ForceIPv|Check-(Valid-Until|Date)|Max-FutureTime)' || true
	for name in http https; do
		local var=${name}_proxy
		[ -z "${!var:-}" ] || echo "Acquire::$name::Proxy \"${!var}\";"
	done
}

# shelf_open DIR: DIR/archives for what a run fetches, DIR/work for an overlay, and DIR/apt.conf.
shelf_open() {
	mkdir -p "$ARCHIVES" "$1/archives/partial" "$1/work"
	(umask 077 && apt_host_conf >"$1/apt.conf")
}

# shelf_fill DIR: links to all packages of the cache.
shelf_fill() {
	find "$ARCHIVES" -maxdepth 1 -name '*.deb' -exec ln -t "$1/archives" {} +
}

# shelf_make DIR: both.
shelf_make() {
	shelf_open "$1"
	shelf_fill "$1"
}

# shelf_mount DIR PLACE: the cache with DIR/archives above it, at PLACE; links where
# the cache's file system carries no overlay.  1500 links took half of a short run.
shelf_mount() {
	mount -t overlay -o "lowerdir=$ARCHIVES,upperdir=$1/archives,workdir=$1/work" ground "$2" 2>/dev/null && return
	shelf_fill "$1"
	mount --bind "$1/archives" "$2"
}

# shelf_keep DIR: link what is new on the shelf into the cache, drop the shelf.
shelf_keep() {
	local deb
	for deb in "$1"/archives/*.deb; do
		# Another run may have been quicker: both have the same package.  What was
		# deleted is no file in an overlay.
		[ ! -f "$deb" ] || [ -e "$ARCHIVES/${deb##*/}" ] || ln "$deb" "$ARCHIVES/" 2>/dev/null || true
	done
	rm -rf "$1"
}

# shelf_sweep: drop the shelves of runs that were killed.
shelf_sweep() {
	local dir
	for dir in "$GROUND_CACHE"/shelf/*; do
		[ ! -d "$dir" ] || [ -e "/proc/${dir##*/}" ] || rm -rf "$dir"
	done
}
