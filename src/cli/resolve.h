/*
 * resolve: what a person types for an object (a name, a prefix, an identifier)
 * becomes the id that the API wants. A thing that is not found or not the only
 * one of its name is said on stderr; then the result is NULL and *end is set.
 */
#ifndef BULLDOG_CLI_RESOLVE_H
#define BULLDOG_CLI_RESOLVE_H

#include "cli/command.h"

/* The company of this invocation: -C, the environment, else the only one. */
const char *resolve_company(struct cli *c, enum cli_end *end);
/* A company named by id, prefix or name. */
const char *resolve_company_named(struct cli *c, const char *typed, enum cli_end *end);
const char *resolve_agent(struct cli *c, const char *typed, enum cli_end *end);   /* id, url key, name */
const char *resolve_project(struct cli *c, const char *typed, enum cli_end *end); /* id, url key, name */
const char *resolve_goal(struct cli *c, const char *typed, enum cli_end *end);    /* id, title */
const char *resolve_issue(struct cli *c, const char *typed, enum cli_end *end);   /* id, identifier */
/* {agent id: name} of the company; empty when it cannot be had. */
json_t *resolve_agent_names(struct cli *c);

#endif
