/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random dkms.confs from a grammar that reaches everything which the evaluator
 * does in C, and some of what it has to leave to bash:
 *
 *	conf-random SEED COUNT DIR
 *
 * The same seed makes the same files.  Every loop ends by construction.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

struct maker {
	unsigned long long state;
	struct kiln_buf out;
	unsigned depth, loops;
	bool in_function;
};

static unsigned any(struct maker *m, unsigned n)
{
	m->state = m->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(m->state >> 33) % n;
}

static void say(struct maker *m, const char *s)
{
	kiln_buf_adds(&m->out, s);
}

#define ONE_OF(m, list) (list)[any(m, sizeof(list) / sizeof((list)[0]))]

static const char *const names[] = { "a", "b", "c", "x1", "kernelver", "MAKE", "CLEAN", "unset_one" };
static const char *const numbers[] = { "n", "i", "k" };
static const char *const arrays[] = { "PATCH", "BUILT_MODULE_NAME", "STRIP", "v" };
static const char *const texts[] = {
	"make", "foo.ko", "6.1.0-9-amd64", "a b", "x  y", "-j4", "a.b.c", "1", "0", "42", "y", "n",
	"CONFIG_PCI", "/usr/src", "foo/bar/baz", "A-B_c", "", "*", "?", "[a-z]", "\\", "a=b", "5.18",
	"!", "-n", "=", "#x", "~", "a:b", "{a,b}", "tab\there", "a'b", "don", "%s", "&", "x;y", "(z)",
};
static const char *const patterns[] = {
	"*", "?", "a*", "*.ko", "[0-9]*", "*-*", "6.*", "[!a]*", "*b*", "foo", "?.?", "%", "[a-c]", ".", "*.",
};
static const char *const regexes[] = {
	"^6\\\\.", "[0-9]+", "(a|b)", "^$", "\\\\.ko$", "^([0-9]+)\\\\.([0-9]+)", "x*", "a.c", "-(.*)$", "^[a-z]+$",
};

static void word(struct maker *m);
static void list(struct maker *m);
static void arithmetic(struct maker *m);

static void raw(struct maker *m, const char *s, const char *without)
{
	for (; *s; s++)
		if (!strchr(without, *s))
			kiln_buf_addc(&m->out, *s);
}

static void number(struct maker *m)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", any(m, 4) ? any(m, 7) : any(m, 300));
	say(m, text);
}

/* ---- words ---- */

static void pattern(struct maker *m)
{
	if (!any(m, 5)) {
		say(m, "$");
		say(m, ONE_OF(m, names));
	} else {
		say(m, ONE_OF(m, patterns));
	}
}

static void parameter(struct maker *m)
{
	static const char *const trims[] = { "%", "%%", "#", "##" };
	static const char *const replaces[] = { "/", "//", "/#", "/%" };
	static const char *const defaults[] = { "-", ":-", "+", ":+", ":=", "=" };
	static const char *const cases[] = { ",", ",,", "^", "^^" };
	const char *name = any(m, 4) ? ONE_OF(m, names) : ONE_OF(m, numbers);

	say(m, "${");
	if (!any(m, 8)) {
		say(m, "#");
		say(m, name);
		say(m, "}");
		return;
	}
	if (!any(m, 4)) {
		say(m, ONE_OF(m, arrays));
		say(m, "[");
		if (any(m, 3))
			arithmetic(m);
		else
			say(m, any(m, 2) ? "@" : "*");
		say(m, "]");
	} else {
		say(m, name);
	}
	switch (any(m, 8)) {
	case 0:
		say(m, ONE_OF(m, trims));
		pattern(m);
		break;
	case 1:
		say(m, ONE_OF(m, replaces));
		pattern(m);
		say(m, "/");
		raw(m, ONE_OF(m, texts), "&\\/'~");
		break;
	case 2:
		say(m, ONE_OF(m, defaults));
		raw(m, ONE_OF(m, texts), "\\'{}");
		break;
	case 3:
		say(m, ONE_OF(m, cases));
		break;
	case 4:
		say(m, ":");
		number(m);
		if (any(m, 2)) {
			say(m, ":");
			number(m);
		}
		break;
	default:
		break;
	}
	say(m, "}");
}

static void sed_call(struct maker *m)
{
	static const char *const scripts[] = {
		"s/a/b/", "s/[0-9]/N/g", "s/\\..*//", "s/^[^-]*-//", "s/\\([0-9]*\\)\\.\\([0-9]*\\).*/\\2:\\1/",
		"s,/,_,g", "s/x*/-/g", "s/.*/[&]/", "s/a\\|b/Q/g", "/a/d", "1p", "s/-/./2", "s/$/!/", "s/^/./",
		"s/b*/x/g", "s/A/z/i", "s/foo//;s/bar/X/", "2!d", "q", "s/[[:alpha:]]\\+/w/g", "s/\\(.\\)\\1/=/",
		"s/.\\{2\\}/2/g", "s/\\w/W/", "$d", "y/a/b/", "s/a/\\n/",
	};
	static const char *const extended[] = {
		"s/([0-9]+)\\.([0-9]+).*/\\1-\\2/", "s/(a|b)+/P/g", "s/[a-z]{2,3}/L/g", "s/^(.*)-(.*)$/\\2/", "s/x?/o/g",
		"s/()/E/",
	};
	bool e = !any(m, 3);

	say(m, any(m, 5) ? "sed " : "sed -n ");
	say(m, e ? "-E '" : any(m, 2) ? "'" : "-e '");
	say(m, e ? ONE_OF(m, extended) : ONE_OF(m, scripts));
	say(m, "'");
}

static void filter(struct maker *m)
{
	static const char *const filters[] = {
		"cut -d. -f1", "cut -d- -f 3", "cut -d ' ' -f 2-", "cut -c1-3", "cut -d. -f1,3", "cut -d. -f-2 -s",
		"tr a-z A-Z", "tr -d '.'", "tr -s ' '", "tr '.' ' '", "tr -cd '0-9'", "tr '[:upper:]' '[:lower:]'",
		"tr -d '[:space:]'", "tr . -", "head -n 1", "head -1", "tail -n 1", "tail -1", "head -n2", "wc -l", "wc -w",
		"wc -c", "cat", "sort", "sort -r", "sort -V", "sort -V -C && echo sorted", "grep a", "grep -v a",
		"grep -c a", "grep -o '[0-9]*'", "grep -E '^[a-z]+'", "grep -q a && echo has", "grep -x a", "grep -w b",
		"grep -i A", "grep -o '[0-9]\\+\\.[0-9]\\+'", "grep -F a.b", "tail -n +2", "cut -b 1", "sort -n", "rev",
	};

	if (any(m, 4))
		say(m, ONE_OF(m, filters));
	else
		sed_call(m);
}

static void substitution(struct maker *m)
{
	static const char *const commands[] = {
		"dirname \"$a\"", "basename \"$b\" .ko", "VER $kernelver", "VER 5.4", "cat $kernel_source_dir/.config | head -n 3",
		"grep -c '=y' $kernel_source_dir/.config", "grep -E '^CONFIG_(PCI|MMC)=' $kernel_source_dir/.config",
		"cat /nonexistent", "true", "false", ":", "uname", "printf '%s-%03d|' a 1 b 2", "printf '%5s|%-4s|\\n' ab cd",
		"echo -e 'a\\tb\\nc'", "echo -n x", "printf %s\\\\n p q", "echo $i; echo $k", "f one two", "g", "uname -o",
		"override_dest_module_location /extra", "grep -qs '^CONFIG_USB=y' $kernel_source_dir/.config && echo LLVM=1",
		"(echo a; exit 3)", "x1=inner; echo $x1", "[[ $a == *b* ]] && echo in || echo out", "echo \"$?\"", "<$kernel_source_dir/.config",
	};
	bool back = !m->depth && !any(m, 4);

	say(m, back ? "`" : "$(");
	if (any(m, 2)) {
		say(m, "echo ");
		m->depth += 2;
		word(m);
		m->depth -= 2;
		for (unsigned i = any(m, 3); i; i--) {
			say(m, " | ");
			filter(m);
		}
	} else {
		say(m, ONE_OF(m, commands));
	}
	if (!any(m, 6))
		say(m, " 2>/dev/null");
	say(m, back ? "`" : ")");
}

static void in_quotes(struct maker *m)
{
	say(m, "\"");
	for (unsigned i = any(m, 4); i; i--) {
		switch (any(m, m->depth < 3 ? 6 : 3)) {
		case 0:
			raw(m, ONE_OF(m, texts), "\\");
			break;
		case 1:
			say(m, "$");
			say(m, ONE_OF(m, names));
			say(m, any(m, 2) ? " " : ".");
			break;
		case 2:
			say(m, any(m, 5) ? " " : any(m, 2) ? "\\$a" : any(m, 2) ? "\\." : "\\\"q\\\"");
			break;
		case 3:
			parameter(m);
			break;
		case 4:
			substitution(m);
			break;
		default:
			say(m, "$((");
			arithmetic(m);
			say(m, "))");
		}
	}
	say(m, "\"");
}

static void word(struct maker *m)
{
	m->depth++;
	for (unsigned i = 1 + any(m, 2); i; i--) {
		switch (any(m, m->depth < 4 ? 8 : 3)) {
		case 0:
			raw(m, ONE_OF(m, texts), " \t*?[]\\&;()'{}~!#");
			break;
		case 1:
			say(m, "'");
			raw(m, ONE_OF(m, texts), "'");
			say(m, "'");
			break;
		case 2:
			say(m, "$");
			say(m, ONE_OF(m, names));
			break;
		case 3:
			parameter(m);
			break;
		case 4:
			substitution(m);
			break;
		case 5:
			say(m, "$((");
			arithmetic(m);
			say(m, "))");
			break;
		default:
			in_quotes(m);
		}
	}
	m->depth--;
}

/* ---- arithmetic ---- */

static void arithmetic(struct maker *m)
{
	static const char *const operators[] = {
		"+", "-", "*", "/", "%", "<", ">", "<=", "==", "!=", "&&", "||", "&", "|", "^", "<<", "**", ",",
	};
	static const char *const assigns[] = { "=", "+=", "-=", "*=" };

	m->depth++;
	switch (any(m, m->depth < 6 ? 10 : 2)) {
	case 0:
	case 3:
		number(m);
		break;
	case 1:
	case 4:
		say(m, any(m, 3) ? "" : "$");
		say(m, ONE_OF(m, numbers));
		break;
	case 2:
		say(m, ONE_OF(m, numbers));
		say(m, any(m, 2) ? "++" : "--");
		break;
	case 5:
		say(m, any(m, 3) ? "++" : any(m, 2) ? "-" : "!");
		say(m, ONE_OF(m, numbers));
		break;
	case 6:
		say(m, "(");
		arithmetic(m);
		say(m, any(m, 3) ? ")" : "? 1 : 2)");
		break;
	case 7:
		say(m, ONE_OF(m, numbers));
		say(m, ONE_OF(m, assigns));
		number(m);
		break;
	default:
		arithmetic(m);
		say(m, any(m, 2) ? " " : "");
		say(m, ONE_OF(m, operators));
		say(m, any(m, 2) ? " " : "");
		arithmetic(m);
	}
	m->depth--;
}

/* ---- commands ---- */

static void assignment(struct maker *m)
{
	unsigned kind = any(m, 10);

	if (kind < 2) {
		say(m, ONE_OF(m, arrays));
		say(m, "[");
		arithmetic(m);
		say(m, "]");
		say(m, any(m, 5) ? "=" : "+=");
		word(m);
	} else if (kind == 2) {
		say(m, ONE_OF(m, arrays));
		say(m, any(m, 2) ? "=(" : "+=(");
		for (unsigned i = any(m, 4); i; i--) {
			word(m);
			say(m, " ");
		}
		say(m, ")");
	} else if (kind == 3) {
		say(m, ONE_OF(m, numbers));
		say(m, "=");
		number(m);
	} else {
		say(m, ONE_OF(m, names));
		say(m, any(m, 8) ? "=" : "+=");
		word(m);
	}
}

/* Behind a first operand in double quotes. */
static void compare_numbers(struct maker *m)
{
	static const char *const compares[] = { "-eq", "-ne", "-lt", "-le", "-gt", "-ge" };

	say(m, "\" ");
	say(m, ONE_OF(m, compares));
	say(m, " ");
	number(m);
}

static void condition(struct maker *m)
{
	static const char *const files[] = { "-f", "-e", "-d", "-s", "-h", "-r" };
	static const char *const paths[] = { "$kernel_source_dir/.config", "$kernel_source_dir", "/nonexistent", "\"\"" };

	switch (any(m, 12)) {
	case 11:
		say(m, any(m, 2) ? "[ \"$a\" = x -o " : "[ -n \"$b\" -a ! -z \"$c\" -o ");
		say(m, any(m, 2) ? "$n -gt 3 -a $i -le 2 ]" : "\\( \"$i\" = 0 -o -e /nonexistent \\) ]");
		break;
	case 0:
	case 1:
		say(m, "[[ x");
		word(m);
		say(m, any(m, 3) ? " == " : " != ");
		pattern(m);
		say(m, " ]]");
		break;
	case 2:
		say(m, "[[ $");
		say(m, ONE_OF(m, names));
		say(m, " =~ ");
		raw(m, ONE_OF(m, regexes), any(m, 9) ? "" : "\\");
		say(m, " ]]");
		break;
	case 3:
		say(m, "[[ \"");
		arithmetic(m);
		compare_numbers(m);
		say(m, any(m, 2) ? " && -n $a ]]" : " || ( -z $b && $a < $b ) ]]");
		break;
	case 4:
		say(m, "[ ");
		in_quotes(m);
		say(m, any(m, 2) ? " = " : " != ");
		in_quotes(m);
		say(m, " ]");
		break;
	case 5:
		say(m, "[ \"$");
		say(m, ONE_OF(m, numbers));
		compare_numbers(m);
		say(m, " ]");
		break;
	case 6:
		say(m, "[ ");
		say(m, any(m, 4) ? "" : "! ");
		say(m, ONE_OF(m, files));
		say(m, " ");
		say(m, ONE_OF(m, paths));
		say(m, " ]");
		break;
	case 7:
		say(m, "((");
		arithmetic(m);
		say(m, "))");
		break;
	case 8:
		say(m, "grep -q '^CONFIG_");
		say(m, any(m, 2) ? "PCI=y'" : "[MU]S*B'");
		say(m, " $kernel_source_dir/.config");
		break;
	case 9:
		say(m, "echo ");
		word(m);
		say(m, " | ");
		filter(m);
		break;
	default:
		say(m, any(m, 2) ? "! true" : "test -n \"$c\"");
	}
}

static void loop(struct maker *m)
{
	char variable[16];

	snprintf(variable, sizeof(variable), "l%u", m->depth);
	switch (any(m, 4)) {
	case 0:
		say(m, "for a in ");
		for (unsigned i = any(m, 3); i; i--) {
			word(m);
			say(m, " ");
		}
		break;
	case 1:
		kiln_buf_addf(&m->out, "for ((%s=0; %s<%u; %s++))", variable, variable, any(m, 4), variable);
		break;
	case 2:
		kiln_buf_addf(&m->out, "%s=0; while ((%s++ < %u))", variable, variable, any(m, 4));
		break;
	default:
		kiln_buf_addf(&m->out, "%s=%u; until [ $((%s--)) -le 0 ]", variable, any(m, 4), variable);
	}
	say(m, "; do\n");
	m->loops++;
	list(m);
	if (!any(m, 4)) {
		condition(m);
		say(m, any(m, 2) ? " && break\n" : " || continue\n");
	}
	m->loops--;
	say(m, "done");
}

static void function(struct maker *m)
{
	say(m, any(m, 2) ? "f" : "g");
	say(m, "() {\nlocal i=7 c=\"$1\" k\n");
	m->in_function = true;
	list(m);
	if (any(m, 2))
		say(m, "echo \"$1-$#-$@\"\n");
	if (!any(m, 3))
		say(m, any(m, 2) ? "return 2\n" : "[ \"$2\" ] && return\n");
	m->in_function = false;
	say(m, "}");
}

static void small(struct maker *m)
{
	static const char *const commands[] = {
		"read -r a b <<< \"$kernelver\"", "IFS=. read -r a b c <<< \"$kernelver\"", "IFS=.- read -ra v <<< \"$a\"",
		"read a <<< $b", "unset a", "unset v PATCH", "unset MAKE", "let n++", "let 'n = i * 2' k=3", "printf -v a '%s.' $b x",
		". $kernel_source_dir/.config", "source /nonexistent", "a=$? ", "shopt -s extglob", "export b=2 a", "local b",
		"declare -a v=(1 2)", "echo out", "echo err >&2", ": ${c:=default}", "{ a=1; b=2; }", "( a=sub; b=sub )", "true | a=piped",
		"a=1 b=$a c=$(false)", "f x y", "g", "f a > /dev/null", "IFS=: read -r x1 a < $kernel_source_dir/.config", "local i=3 v",
		"while IFS== read -r a b; do [ $a = CONFIG_MMC ] && c=$b; done < $kernel_source_dir/.config", "MAKE=/bin/rm -f x",
		"echo \"a b\" | while read a b; do c=$b; done", "return 0", "readonly q=1", "a=b c", "IFS=' ' read -r a b <<< ' p  q '",
		"IFS='. ' read -r a b <<< 'p . q.r.'", "IFS=, read -r a b <<< 'p,,'", "IFS=, read -r a b <<< 'p,q,'", "typeset c=t",
		"a=${a[0]}", "b=${!c}", "x1=v; b=${!x1}", "v[5]=far; MAKE=${#v[@]}", "for a; do :; done", "set -- 1 2", "[ a -a b ]", "[ \"$a\" -o \"$b\" ]",
	};

	say(m, ONE_OF(m, commands));
}

static void command(struct maker *m)
{
	unsigned kind = any(m, m->depth < 4 ? 20 : 12);

	m->depth++;
	if (kind < 9) {
		assignment(m);
	} else if (kind < 12) {
		small(m);
	} else if (kind < 14) {
		condition(m);
		say(m, any(m, 2) ? " && " : " || ");
		assignment(m);
	} else if (kind < 17) {
		say(m, "if ");
		condition(m);
		say(m, "; then\n");
		list(m);
		if (any(m, 2)) {
			say(m, "else\n");
			list(m);
		}
		say(m, "fi");
	} else if (kind == 17) {
		say(m, "case ");
		word(m);
		say(m, " in\n");
		pattern(m);
		say(m, ") ");
		assignment(m);
		say(m, ";;\n*) ");
		assignment(m);
		say(m, " ;;\nesac");
	} else if (kind == 18 && m->loops < 2) {
		loop(m);
	} else if (!m->in_function && !m->loops) {
		function(m);
	} else {
		assignment(m);
	}
	m->depth--;
	say(m, "\n");
}

static void list(struct maker *m)
{
	m->depth++;
	for (unsigned i = 1 + any(m, 2); i; i--)
		command(m);
	m->depth--;
}

static void conf(struct maker *m)
{
	m->depth = 0;
	say(m, "PACKAGE_NAME=acme\na=x b='p q' c= n=3 i=0 k=2\n");
	if (any(m, 3))
		say(m, "f() { echo \"$2,$1\"; c=$#; [ $1 = one ]; }\ng() { local a=5 n; n=${a}1; MAKE+=$n; return $n; }\n");
	for (unsigned i = 3 + any(m, 8); i; i--)
		command(m);
	say(m, "PRE_BUILD=\"$?|$a|$b|$c|$x1|$n|$i|$k|\"\nPOST_BUILD=\"${v[*]}|${!v[@]}|${BASH_REMATCH[1]}\"\n");
}

int main(int argc, char **argv)
{
	_cleanup_(closep) int dir = argc == 4 ? kiln_fs_open_dir(AT_FDCWD, argv[3]) : -1;
	unsigned long long seed = argc == 4 ? strtoull(argv[1], NULL, 10) : 0;
	unsigned long count = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;

	if (dir < 0) {
		fputs("usage: conf-random SEED COUNT DIR\n", stderr);
		return 2;
	}
	for (unsigned long i = 0; i < count; i++) {
		_cleanup_(freep) char *name = kiln_strf("%05lu.conf", i);
		struct maker m = { .state = (seed + i) * 2654435761ULL + 12345 };
		int r;

		for (int warm = 0; warm < 8; warm++)
			any(&m, 2);
		conf(&m);
		r = kiln_fs_replace(dir, name, m.out.data, m.out.len, 0644);
		kiln_buf_free(&m.out);
		if (r < 0)
			return 1;
	}
	return 0;
}
