/*
 * settings: see settings.h.
 */
#include "server/settings.h"

#include "base/log.h"
#include "config/ini.h"
#include "server/prune.h"

#include <stdio.h>
#include <stdlib.h>

static void
add_fault(void *arg, const struct ini_fault *fault)
{
	char **faults = arg, *longer;

	if (asprintf(&longer, "%s%s%s", *faults == NULL ? "" : *faults, *faults == NULL ? "" : "\n",
		fault->text) < 0)
		return;
	free(*faults);
	*faults = longer;
}

/* For those that wait for a pool which is gone, somebody has to do something. */
static void
take_room(struct server *s)
{
	char names[256];

	server_set_room(s);
	if (server_set_pools(s) < 0)
		log_line("pools: out of memory; those that are missing have no room, reload again");
	queue_list_pools(s->queue, false, names, sizeof(names));
	if (names[0] != '\0')
		log_line(
		    "pools that the configuration does not have any more, but jobs are in: %s; "
		    "those that are queued wait until it has them again",
		    names);
}

int
settings_load(struct server *s, char **ret_faults)
{
	struct config config;
	struct sections *sections;
	struct ini_origin origin;
	char *faults = NULL;
	int r = ini_read(s->paths.config, &config, &origin, &sections, add_fault, &faults);

	if (r < 0) {
		*ret_faults = faults;
		return r;
	}
	free(faults);
	s->config = config;
	sections_unref(s->sections);
	s->sections = sections;
	if (s->queue != NULL)
		take_room(s);
	if (s->store != NULL)
		store_set_full(s->store, config.durability == DURABILITY_FULL);
	if (s->store != NULL)
		prune_look(s);
	s->has_news = true;
	return 0;
}
