// SPDX-License-Identifier: GPL-2.0
/* One gnuplot process draws all pictures of a report: starting it costs more than drawing. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"
#include "report/plot.h"
#include "util.h"

#define SVG_MAX (256 << 20)

/* Small, so that its letters are still read where a phone makes it narrower. */
#define PICTURE_SIZE "500,260"

void plot_begin(FILE *script)
{
	/* Okabe and Ito's colours, which colour-blind readers can tell apart. */
	static const char *const colours[] = {
		"0072b2", "d55e00", "009e73", "cc79a7", "e69f00", "56b4e9", "777777", "000000",
	};

	fputs("reset\n"
	      "set terminal svg size " PICTURE_SIZE " dynamic noenhanced font 'sans-serif,13'\n"
	      "set output\n"
	      "set key outside top center horizontal\n"
	      "set grid lc rgb '#cccccc'\n"
	      "set border 3 lc rgb '#555555'\n"
	      "set tics nomirror\n"
	      "set format y '%.6g'\n", script);
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		fprintf(script, "set linetype %zu lc rgb '#%s'\n", i + 1, colours[i]);
	fprintf(script, "set linetype cycle %zu\n", ARRAY_SIZE(colours));
}

static void plots_split(struct plots *plots, char *text)
{
	char *at = text;

	while ((at = strstr(at, "<svg"))) {
		char *end = strstr(at, "</svg>");

		if (!end)
			return;
		end += strlen("</svg>");
		array_grow(plots->svg, plots->n, plots->cap);
		plots->svg[plots->n] = xcalloc(end - at + 1, 1);
		memcpy(plots->svg[plots->n++], at, end - at);
		at = end;
	}
}

static int gnuplot_spawn(int in, int out, pid_t *pid)
{
	/* -d: no settings of the user's, who may have set another terminal. */
	static char *const argv[] = { "gnuplot", "-d", "-", NULL };
	posix_spawn_file_actions_t act;
	int err;

	posix_spawn_file_actions_init(&act);
	posix_spawn_file_actions_adddup2(&act, in, 0);
	posix_spawn_file_actions_adddup2(&act, out, 1);
	err = posix_spawnp(pid, "gnuplot", &act, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&act);
	return err;
}

void plots_run(struct plots *plots, const char *script, size_t len)
{
	int in = memfd_create("script", MFD_CLOEXEC), pipefd[2], status = 0;
	char *text = NULL;
	pid_t pid;

	if (in < 0 || write(in, script, len) != (ssize_t)len || lseek(in, 0, SEEK_SET) ||
	    pipe2(pipefd, O_CLOEXEC)) {
		plots->why = "no room for a script";
		goto out;
	}
	if (gnuplot_spawn(in, pipefd[1], &pid)) {
		plots->why = "gnuplot is not installed";
		close(pipefd[1]);
	} else {
		close(pipefd[1]);
		text = file_slurp(pipefd[0], "gnuplot", SVG_MAX, &len);
		/* It would wait for ever for a reader of what is left. */
		if (!text)
			kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) < 0 || status)
			plots->why = text ? "gnuplot failed" : "gnuplot wrote more than 256 MB";
	}
	close(pipefd[0]);
out:
	if (in >= 0)
		close(in);
	if (text && !plots->why)
		plots_split(plots, text);
	free(text);
}

void plots_free(struct plots *plots)
{
	for (size_t i = 0; i < plots->n; i++)
		free(plots->svg[i]);
	free(plots->svg);
}
