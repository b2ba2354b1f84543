# SPDX-License-Identifier: GPL-2.0
#
# vmcompare and its tests. Included by the top Makefile, whose $(O) and $(CC) it uses.
# load -> model -> report, export; stats is arithmetic, and the model knows no format.
VMC := vmtests/compare
VMC_O := $(O)/vmtests/compare
VMC_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -I$(VMC) -Ivmtests/lib/include \
	$(EXTRA_CFLAGS)
VMC_LIBS := -ljansson -lgsl -lgslcblas -lm
VMC_C := $(VMC)/file.c $(VMC)/util.c \
	$(foreach dir,load model stats report export,$(wildcard $(VMC)/$(dir)/*.c))
VMC_LIB := $(VMC_C:$(VMC)/%.c=$(VMC_O)/%.o)

$(O)/vmtests/vmcompare: $(VMC_O)/main.o $(VMC_LIB)
	@echo '  CC   $(@F)'
	@$(CC) $(VMC_CFLAGS) $(EXTRA_LDFLAGS) -o $@ $^ $(VMC_LIBS)

$(VMC_O)/%.o: $(VMC)/%.c
	@mkdir -p $(@D)
	@echo '  CC   $(@F)'
	@$(CC) $(VMC_CFLAGS) -MMD -MP -c -o $@ $<

$(VMC_O)/tests/%: $(VMC)/tests/%.c $(VMC_LIB)
	@mkdir -p $(@D)
	@echo '  CC   $(@F)'
	@$(CC) $(VMC_CFLAGS) -MMD -MP -MF $@.d $(EXTRA_LDFLAGS) -o $@ $< $(VMC_LIB) $(VMC_LIBS)

-include $(VMC_O)/main.d $(VMC_LIB:.o=.d) $(wildcard $(VMC_O)/tests/*.d)

check-compare: $(O)/vmtests/vmcompare \
		$(addprefix $(VMC_O)/tests/,stats_golden grammar generate calibrate)
	$(VMC_O)/tests/stats_golden $(VMC)/tests/golden
	$(VMC_O)/tests/grammar
	$(VMC_O)/tests/calibrate 500
	$(VMC)/tests/run.sh $(O)/vmtests/vmcompare $(VMC_O)/tests/generate
	$(VMC)/tests/screenshots.sh $(O)/vmtests/vmcompare $(VMC_O)/tests/generate

# The full simulation: 4000 trials a cell.
calibrate: $(VMC_O)/tests/calibrate
	$(VMC_O)/tests/calibrate 4000

# Ten minutes on one core; needs clang and its runtime. FUZZ_SECONDS shortens it.
FUZZ_SECONDS ?= 600
fuzz-compare:
	@mkdir -p $(VMC_O)/corpus
	clang -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
		-I$(VMC) -Ivmtests/lib/include \
		-o $(VMC_O)/fuzz $(VMC)/tests/fuzz.c $(VMC_C) $(VMC_LIBS)
	$(VMC_O)/fuzz -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -max_len=8192 $(VMC_O)/corpus $(VMC)/tests/corpus

clean-compare:
	rm -rf $(VMC_O) $(O)/vmtests/vmcompare

.PHONY: check-compare calibrate fuzz-compare clean-compare
clean: clean-compare
