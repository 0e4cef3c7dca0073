# SPDX-License-Identifier: GPL-2.0-or-later
#
# This project has a folder called core.  Autoconf takes anything of that name
# for a core dump and runs "rm -f core" after every test and at the end, which
# fails on a directory: the noise is harmless, but confdefs.h is left behind and
# distcheck stops there.  Configure is told not to try.

# KILN_NO_RM_CORE(MACRO)
AC_DEFUN([KILN_NO_RM_CORE],
[m4_ifdef([$1], [m4_define([$1], m4_bpatsubst(m4_dquote(m4_defn([$1])), [rm -f core ], [rm -f ]))])])

# KILN_KEEP_CORE_DIR: has to come before AC_INIT.
AC_DEFUN([KILN_KEEP_CORE_DIR],
[KILN_NO_RM_CORE([_AC_INIT_PREPARE])dnl
KILN_NO_RM_CORE([_AC_COMPILE_IFELSE])dnl
KILN_NO_RM_CORE([_AC_LINK_IFELSE])dnl
KILN_NO_RM_CORE([_AC_RUN_IFELSE])dnl
])
