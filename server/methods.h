/*
 * methods: what the control interface can do: org.spawnd, and org.varlink.service for those who
 * ask. One const table of names and functions. Runs in the server.
 */
#ifndef SERVER_METHODS_H
#define SERVER_METHODS_H

struct call;

/* Finds the call's method and runs it, or answers that there is none. */
void method_run(struct call *call);

#endif
