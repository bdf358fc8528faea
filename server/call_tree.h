/*
 * call_tree: the method Tree: families of jobs. Runs in the server. org.spawnd.varlink is its contract.
 */
#ifndef SERVER_CALL_TREE_H
#define SERVER_CALL_TREE_H

#include "server/call.h"

void call_tree(struct call *call);

#endif
