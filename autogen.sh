#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes configure and the Makefile templates, which git does not hold.
set -e
cd "$(dirname "$0")"
exec autoreconf --force --install
