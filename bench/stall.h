/*
 * stall: what bench/stall.c tells bench/lateness.c, in a file that both have mapped. Seconds of
 * CLOCK_MONOTONIC, 0 before it happens.
 */
#ifndef BENCH_STALL_H
#define BENCH_STALL_H

struct stall_times {
	double began;
	double signalled;
};

#endif
