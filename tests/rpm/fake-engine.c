/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for the engine where a test asks what the plugin says, and into what
 * process it puts the engine.  Writes that down in /engine.log and says "end".
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void log_process(FILE *log, char **argv)
{
	char here[4096];
	sigset_t blocked;
	struct stat st;

	fprintf(log, "run");
	for (int i = 5; argv[i]; i++)
		fprintf(log, " %s", argv[i]);
	fprintf(log, "\ndirectory %s\n", getcwd(here, sizeof(here)) ? here : "?");
	for (char **e = environ; *e; e++)
		fprintf(log, "variable %.*s\n", (int)strcspn(*e, "="), *e);
	for (int fd = 0; fd < 1024; fd++)
		if (fd != fileno(log) && fstat(fd, &st) == 0)
			fprintf(log, "descriptor %d\n", fd);
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int i = 1; i < 32; i++) {
		struct sigaction action;

		if (sigismember(&blocked, i) || (sigaction(i, NULL, &action) == 0 && action.sa_handler != SIG_DFL))
			fprintf(log, "signal %d\n", i);
	}
}

int main(int argc, char **argv)
{
	FILE *log = fopen("/engine.log", "ae"), *facts = fdopen(3, "r");
	char line[1024], byte;

	if (argc < 5 || !log || !facts)
		return 1;
	log_process(log, argv);
	while (fgets(line, sizeof(line), facts))
		fprintf(log, "fact %s", line);
	fprintf(log, "input %zd\n", read(STDIN_FILENO, &byte, 1));
	fclose(log);
	dprintf(4, "notice the engine was here\nend\n");
	return 0;
}
