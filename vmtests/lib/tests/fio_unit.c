// SPDX-License-Identifier: GPL-2.0
/*
 * fio's JSON is read by field, and what is not all there is no result.
 */
#include <errno.h>

#include <vmtests/fio.h>

#include "kselftest_harness.h"
#include "fakeroot.h"

#define JSON "/fio.json"
#define CLAT "\"clat_ns\":{\"mean\":1500.5,\"percentile\":{\"50.000000\":1000,\"99.000000\":9000," \
	     "\"99.900000\":20000}}"
#define IDLE "{\"io_bytes\":0,\"bw_bytes\":0,\"iops\":0," CLAT "}"
#define NO_PERCENTILES "{\"io_bytes\":4096,\"bw_bytes\":1,\"iops\":1,\"clat_ns\":{\"mean\":1}}"
#define NO_BANDWIDTH "{\"io_bytes\":4096,\"iops\":1," CLAT "}"
#define SIDE "{\"io_bytes\":4096,\"bw_bytes\":1000,\"iops\":0.25," CLAT "}"

static struct fakeroot root;

FIXTURE(fio) {
	struct fio_result result;
};

FIXTURE_SETUP(fio)
{
	fakeroot_create(&root);
	memset(&self->result, 0, sizeof(self->result));
}

FIXTURE_TEARDOWN(fio)
{
	fakeroot_remove(&root);
}

static int parse(const char *text, enum fio_direction direction, struct fio_result *result)
{
	fakeroot_write(&root, JSON, text);
	return __fio_parse(fakeroot_path(&root, JSON), direction, result);
}

TEST_F(fio, fields_are_those_of_the_direction)
{
	const struct fio_result *r = &self->result;

	EXPECT_EQ(0, parse("{\"jobs\":[{\"error\":0,\"write\":" SIDE "}]}", FIO_WRITE,
			   &self->result));
	EXPECT_EQ(4096, r->io_bytes);
	EXPECT_TRUE(r->iops == 0.25 && r->bw_bytes == 1000 && r->clat_mean_ns == 1500.5);
	EXPECT_TRUE(r->clat_p50_ns == 1000 && r->clat_p99_ns == 9000 && r->clat_p999_ns == 20000);
	EXPECT_EQ(-EPROTO, parse("{\"jobs\":[{\"error\":0,\"write\":" SIDE "}]}", FIO_READ,
				 &self->result));
}

TEST_F(fio, note_in_front_is_passed_over)
{
	EXPECT_EQ(0, parse("fio: a note\n{\"jobs\":[{\"error\":0,\"read\":" SIDE "}]}", FIO_READ,
			   &self->result));
}

TEST_F(fio, what_failed_is_no_result)
{
	static const struct {
		const char *text;
		int err;
	} broken[] = {
		{ "{\"jobs\":[{\"error\":5,\"read\":" SIDE "}]}", -EIO },
		{ "{\"jobs\":[{\"error\":0,\"read\":" IDLE "}]}", -EIO },
		{ "{\"jobs\":[{\"error\":0,\"read\":" NO_PERCENTILES "}]}", -EPROTO },
		{ "{\"jobs\":[{\"error\":0,\"read\":" NO_BANDWIDTH "}]}", -EPROTO },
		{ "{\"jobs\":[{\"read\":" SIDE "}]}", -EPROTO },
		{ "{\"jobs\":[{\"error\":0,\"read\":" SIDE "},{\"error\":0,\"read\":" SIDE "}]}",
		  -EPROTO },
		{ "{\"jobs\":[{\"error\":0,\"read\":", -EPROTO },
		{ "no JSON", -EPROTO },
		{ "", -EPROTO },
	};

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		EXPECT_EQ(broken[i].err, parse(broken[i].text, FIO_READ, &self->result)) {
			TH_LOG("%s", broken[i].text);
		}
	}
}

TEST_F(fio, job_that_there_is_none_of)
{
	unsetenv("VMTESTS_FIO_JOBS");
	EXPECT_EQ(-ENOENT, __fio_run("nonesuch", FIO_READ, NULL, "/dev/null", &self->result));
	setenv("VMTESTS_FIO_JOBS", root.dir, 1);
	EXPECT_EQ(-ENOENT, __fio_run("nonesuch", FIO_READ, NULL, "/dev/null", &self->result));
}

TEST_HARNESS_MAIN
