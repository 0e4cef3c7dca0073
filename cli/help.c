/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --help, of the command and of each verb, out of the tables that the command runs by. */
#include "cli/options.h"

#include <stdio.h>

static void print_option(const struct cli_option *o)
{
	char letter[] = { '-', o->letter, '\0' };

	if (o->help)
		printf("  %2s %s%-22s %s\n", o->letter ? letter : "", o->name ? "--" : "  ", o->name ? o->name : "", o->help);
}

static void print_options(unsigned groups, bool of_all)
{
	size_t n;
	const struct cli_option *table = cli_options(&n);

	for (size_t i = 0; i < n; i++)
		if (of_all ? !table[i].group : table[i].group & groups)
			print_option(&table[i]);
}

static void print_verb(const struct cli_verb *v)
{
	printf("usage: dkms %s%s%s [OPTION...]\n\nTo %s.\n", v->name, v->words ? " " : "", v->words ? v->words : "",
	       v->summary);
	if (v->groups) {
		printf("\noptions:\n");
		print_options(v->groups, false);
	}
	printf("\noptions of every verb:\n");
	print_options(0, true);
	printf("\nman 8 dkms says more.\n");
}

void cli_usage(const struct cli_verb *verb)
{
	size_t n;
	const struct cli_verb *verbs = cli_verbs(&n);

	if (verb) {
		print_verb(verb);
		return;
	}
	printf("usage: dkms VERB [NAME/VERSION | DIRECTORY]... [OPTION...]\n\nverbs:\n");
	for (size_t i = 0; i < n; i++)
		printf("  %-17s %s\n", verbs[i].name, verbs[i].summary);
	printf("\noptions:\n");
	print_options(~0u, false);
	print_options(0, true);
	printf("\n\"dkms VERB --help\" tells what one verb takes.\n");
}
