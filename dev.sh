#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For development: a build with sanitizers and warnings as errors beside the
# source tree, and all tests that need neither root nor network.
#
#	./dev.sh [BUILD-DIRECTORY]	default: ../modkiln-dev
set -euo pipefail

source_dir=$(cd "$(dirname "$0")" && pwd)
build_dir=${1:-$source_dir/../modkiln-dev}
jobs=${JOBS:-$(nproc)}

mkdir -p "$build_dir"
if [ ! -x "$source_dir/configure" ] || [ "$source_dir/configure.ac" -nt "$source_dir/configure" ]; then
	"$source_dir/autogen.sh"
fi
cd "$build_dir"
if [ ! -f config.status ] || [ "$source_dir/configure" -nt config.status ]; then
	"$source_dir/configure" --enable-sanitizers CFLAGS='-Og -g'
fi
make -j"$jobs"
make -j"$jobs" check
