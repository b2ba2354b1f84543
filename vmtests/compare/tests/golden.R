#!/usr/bin/env Rscript
# SPDX-License-Identifier: GPL-2.0
# Reference values for vmcompare's statistics: Rscript golden.R OUTPUT-DIRECTORY
# Records: a tag and numbers, blank separated; the reader is stats_golden.c.
out <- file(file.path(commandArgs(TRUE)[1], "stats.txt"), "w")
set.seed(20240229)
num <- function(v) paste(formatC(v, digits = 17, format = "g", width = 1), collapse = " ")
put <- function(...) writeLines(paste(..., sep = " "), out)
pair <- function(x, y) paste(length(x), num(x), length(y), num(y))

for (i in 1:100) {
	x <- rnorm(sample(2:12, 1), 10, runif(1, 0.01, 3))
	y <- rnorm(sample(2:12, 1), 10 + rnorm(1), runif(1, 0.01, 3))
	w <- t.test(y, x)
	put("welch", pair(x, y), num(c(w$statistic, w$parameter, w$p.value, w$conf.int)))
	n <- min(length(x), length(y))
	w <- t.test(y[1:n], x[1:n], paired = TRUE)
	put("paired", pair(x[1:n], y[1:n]), num(c(w$statistic, w$parameter, w$p.value, w$conf.int)))
	k <- sample(4:12, 1)
	at <- sort(runif(k))
	v <- rnorm(k) + at
	s <- summary(lm(v ~ at))$coefficients[2, ]
	put("slope", pair(at, v), num(s[c(1, 2, 4)]))
}

# Full enumeration, half of the cases with ties. Ranks and small integers keep the sums exact.
for (i in 1:400) {
	nx <- sample(2:5, 1)
	ny <- sample(2:5, 1)
	v <- if (i %% 2) sample(1:5, nx + ny, TRUE) else rnorm(nx + ny)
	splits <- combn(nx + ny, nx)
	two.sided <- function(z) {
		sums <- colSums(matrix(z[splits], nx))
		far <- abs(sums - nx * mean(z))
		mean(far >= abs(sum(z[1:nx]) - nx * mean(z)) - 1e-9)
	}
	put("ranks", pair(v[1:nx], v[-(1:nx)]), num(c(two.sided(v), two.sided(rank(v)))))
}

for (i in 1:50) {
	p <- runif(sample(1:40, 1))^sample(1:6, 1)
	put("holm", pair(p, p.adjust(p, "holm")))
}

# A trend over labels: groups of equal x, half of the cases with ties in y too.
for (i in 1:100) {
	x <- rep(0:sample(2:7, 1), each = sample(1:4, 1))
	y <- if (i %% 2) sample(1:6, length(x), TRUE) else rnorm(length(x)) + runif(1, 0, 0.5) * x
	if (all(y == y[1]))
		next
	k <- cor.test(x, y, method = "kendall", exact = FALSE, continuity = TRUE)
	# R has S back from tau, so that what is left of an S of 1 is not quite 0.
	z <- if (abs(k$statistic) < 1e-12) 0 else k$statistic
	d <- combn(length(x), 2)
	step <- x[d[2, ]] - x[d[1, ]]
	sen <- median(((y[d[2, ]] - y[d[1, ]]) / step)[step != 0])
	put("trend", pair(x, y), num(c(k$estimate, z, k$p.value, sen, t.test(y)$conf.int)))
}

# The shift of y against x: exact without ties, then with so many values that p is normal, with ties
# in half of the cases. There R has another interval; ours are pairs by a normal rank near the exact.
for (i in 1:150) {
	x <- rnorm(sample(4:12, 1), 10, runif(1, 0.01, 3))
	y <- rnorm(sample(4:12, 1), 10 + rnorm(1), runif(1, 0.01, 3))
	w <- wilcox.test(y, x, exact = TRUE, conf.int = TRUE)
	put("shift", pair(x, y), num(c(w$estimate, w$p.value, w$conf.int)))
}
for (i in 1:20) {
	x <- rnorm(sample(51:64, 1), 10)
	y <- rnorm(sample(51:64, 1), 10 + rnorm(1, 0, 0.3))
	if (i %% 2) {
		x <- round(x * 4) / 4
		y <- round(y * 4) / 4
	}
	w <- wilcox.test(y, x, exact = FALSE, correct = TRUE)
	d <- sort(outer(y, x, "-"))
	n <- length(d)
	k <- ceiling(qnorm(0.025, (n - 1) / 2, sqrt(n * (length(x) + length(y) + 1) / 12)))
	stopifnot(abs(k - qwilcox(0.025, length(x), length(y))) <= 1)
	put("shift", pair(x, y), num(c(median(d), w$p.value, d[k], d[n + 1 - k])))
}
close(out)
