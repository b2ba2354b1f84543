/* SPDX-License-Identifier: GPL-2.0 */
/*
 * undo: things that a benchmark builds on the machine, each with a way back in the journal.
 *
 * A record is in the journal, synced, before the thing exists, so there is no moment at which a
 * death leaves something that nobody knows. Undoing what was never made, or is gone already, is
 * success. Records are undone newest first, so what is built in layers comes down in layers: by
 * restore_all(), at exit, and by the next start. A signal handler cannot do any of this; a
 * program that must come down on signals too runs under __journal_guard().
 *
 * Kinds, as the journal has them (see vmtests/journal.h for its format):
 *   process PID.STARTTIME ended     kill it and wait until its files are closed
 *   file PATH absent                unlink
 *   tree PATH absent                remove a folder and all in it, on this file system
 *   mount FOLDER unmounted          unmount
 *   dm NAME absent                  remove the device-mapper device and its node
 *   module NAME absent              unload
 *   pcidriver DEVICE DRIVER|absent  give the PCI device back to this driver, or to none
 *   crypto - NAMES                  unload the kernel's crypto modules but these, unless in use
 *
 * All of it but pcidriver acts on the machine itself, whatever $LIBMM_ROOT says. Not for several
 * threads of one process at a time.
 */
#ifndef VMTESTS_UNDO_H
#define VMTESTS_UNDO_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Make the journal know these kinds. Before it is opened; once is enough, more does no harm.
 * Returns 0 or -ENOSPC.
 */
int undo_register(void);

/*
 * __journal_guard() splits the process in two: the caller goes on in a child,
 * and its parent only waits to undo. The parent undoes when the child ends in whatever way, and on
 * HUP, INT, QUIT and TERM (unless ignored), for which it first kills the child and all that the
 * child started. It ends as the child did, or by that signal. The child dies when the parent does,
 * so SIGKILL of either leaves nothing running; what SIGKILL of the parent leaves, the next start
 * undoes. The second call does nothing. Call it with nothing of one's own in the journal. Its
 * errors are those of __journal_open().
 */

/*
 * As __command_start() (command.h), for a program that must not outlive the caller: it is killed
 * when the caller dies. With @in -1 it reads nothing, for it may not be in the foreground of its
 * terminal (__journal_guard()). Returns 0 with @pid set, -ENOENT when there is no such program, or
 * -errno.
 */
int __undo_process_start(char *const argv[], char *const env[], int in, int out, bool quiet,
			 pid_t *pid);

/* Start as above and wait. Returns its exit status, -EINTR when a signal killed it, or -errno. */
int __undo_process_run(char *const argv[], char *const env[], int in, int out, bool quiet);

/*
 * Note a file that is about to be made at the absolute @path, where there is none yet. Returns 0,
 * -EEXIST, or -errno.
 */
int __undo_file(const char *path);

/*
 * Make a folder of mode 0700 with a random name below the absolute @parent; @path (@size bytes)
 * gets it. What is put into it goes with it. Returns 0, -ENAMETOOLONG, or -errno.
 */
int __undo_directory(const char *parent, char *path, size_t size);

/*
 * mount(2) of @source on @target, a folder of one's own (__undo_directory()): whatever is mounted
 * there at the end is unmounted. Returns 0 or -errno.
 */
int __undo_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const char *data);

/*
 * Note a device-mapper device that is about to be made as @name, which must not be in use. Returns
 * 0, -EEXIST, or -errno (-ENODEV: no device mapper).
 */
int __undo_dm(const char *name);

/*
 * Load module @name, or all that an alias stands for, with @options ("NAME=VALUE", NULL-terminated,
 * may be NULL), and note those of it and its dependencies that were not loaded. What is loaded or
 * built in already is left alone, options or not. Returns 0, -ENOENT when there is none or no
 * modprobe, -EIO when modprobe failed, or -errno.
 */
int __undo_module_load(const char *name, const char *const *options);

/*
 * Note which of the kernel's crypto modules are loaded, before something that makes the kernel load
 * more of them by itself. Returns 0 or -errno.
 */
int __undo_crypto_modules(void);

/*
 * Note that PCI device @name is about to lose @driver, or to be bound when it has none ("").
 * Returns 0 or -errno.
 */
int __undo_pci_driver(const char *name, const char *driver);

/* Returns 1 when a module of this name is loaded or has parameters built in, else 0. */
int undo_module_present(const char *name);

#endif
