/* http/openapi.c -- the OpenAPI 3.1 document, written from the route tables. */
#include "base/text.h"
#include "http/inside.h"
#include <ctype.h>
#include <stdio.h>

static const struct {
        enum role role;
        const char *name;
} role_names[] = {
        {ROLE_PUBLIC, "everybody"},      {ROLE_CITIZEN, "citizen"}, {ROLE_CHANNEL, "channel"},       {ROLE_CLERK, "clerk"},
        {ROLE_DISPATCHER, "dispatcher"}, {ROLE_UNIT, "unit"},       {ROLE_SUPERVISOR, "supervisor"}, {ROLE_ADMIN, "admin"},
};

static bool in_document(const struct route *r)
{
        return !strstr(r->path, "*}") && !text_is(r->path, "/");
}

/* "get_api_v1_cases_number" */
static void operation_id(const struct route *r, char out[120])
{
        int n = snprintf(out, 120, "%s", r->method);
        for (const char *c = r->path; *c && n < 118; c++)
                if (isalnum((unsigned char)*c))
                        out[n++] = *c;
                else if (out[n - 1] != '_')
                        out[n++] = '_';
        while (n > 0 && out[n - 1] == '_')
                n--;
        out[n] = '\0';
        for (char *c = out; *c; c++)
                *c = (char)tolower((unsigned char)*c);
}

static void roles_text(const struct route *r, struct json *j)
{
        json_array(j, "x-roles");
        for (size_t i = 0; i < COUNT_OF(role_names); i++)
                if (r->roles & (unsigned)role_names[i].role)
                        json_text(j, NULL, role_names[i].name);
        json_array_end(j);
}

static void path_parameters(const struct route *r, struct json *j)
{
        for (const char *open = strchr(r->path, '{'); open; open = strchr(open + 1, '{')) {
                char name[64];
                (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(open + 1, "}"), open + 1);
                json_object(j, NULL);
                json_text(j, "name", name);
                json_text(j, "in", "path");
                json_bool(j, "required", true);
                json_object(j, "schema");
                json_text(j, "type", "string");
                json_object_end(j);
                json_object_end(j);
        }
}

static void query_schema(const struct query_param *q, struct json *j)
{
        static const char *const names[] = {[SHAPE_TEXT] = "string",
                                            [SHAPE_INT] = "integer",
                                            [SHAPE_REAL] = "number",
                                            [SHAPE_BOOL] = "boolean",
                                            [SHAPE_TIME] = "string"};
        const bool text = q->type == SHAPE_TEXT;
        json_object(j, "schema");
        json_text(j, "type", names[q->type]);
        if (q->type == SHAPE_TIME)
                json_text(j, "format", "date-time");
        if (text)
                json_int(j, "maxLength", q->most > 0 ? (int64_t)q->most : 200);
        if (!text && (q->least != 0 || q->most != 0)) {
                json_real(j, "minimum", q->least);
                json_real(j, "maximum", q->most);
        }
        if (q->choices) {
                json_array(j, "enum");
                for (const char *const *c = q->choices; *c; c++)
                        json_text(j, NULL, *c);
                json_array_end(j);
        }
        json_object_end(j);
}

static void parameters(const struct route *r, struct json *j)
{
        json_array(j, "parameters");
        path_parameters(r, j);
        for (const struct query_param *q = r->query; q && q->name; q++) {
                json_object(j, NULL);
                json_text(j, "name", q->name);
                json_text(j, "in", "query");
                if (q->required)
                        json_bool(j, "required", true);
                if (q->about)
                        json_text(j, "description", q->about);
                query_schema(q, j);
                json_object_end(j);
        }
        if (r->versioned && !text_is(r->method, "GET")) {
                json_object(j, NULL);
                json_text(j, "name", "If-Match");
                json_text(j, "in", "header");
                json_text(j, "description",
                          "The version that was read (ETag); when it is another by now: 412, and nothing is done.");
                json_object(j, "schema");
                json_text(j, "type", "string");
                json_object_end(j);
                json_object_end(j);
        }
        json_array_end(j);
}

static void content(struct json *j, const char *type, const struct shape *shape, bool list, const char *ref)
{
        json_object(j, type);
        if (ref) {
                json_object(j, "schema");
                json_text(j, "$ref", ref);
                json_object_end(j);
        } else if (list) {
                json_object(j, "schema");
                json_text(j, "type", "array");
                shape_schema(shape, j, "items");
                json_object_end(j);
        } else if (shape) {
                shape_schema(shape, j, "schema");
        }
        json_object_end(j);
}

static void request_body(const struct route *r, struct json *j)
{
        json_object(j, "requestBody");
        json_bool(j, "required", true);
        json_object(j, "content");
        if (r->form_body) {
                content(j, "application/x-www-form-urlencoded", r->body, false, NULL);
                content(j, "multipart/form-data", r->body, false, NULL);
        } else {
                content(j, "application/json", r->body, false, NULL);
        }
        json_object_end(j);
        json_object_end(j);
}

static const struct shape problem_shape[] = {
        {.name = "type", .type = SHAPE_TEXT, .required = true, .about = "Which kind of problem, as a URN."},
        {.name = "title", .type = SHAPE_TEXT, .required = true, .about = "The kind in words."},
        {.name = "status", .type = SHAPE_INT, .required = true, .least = 400, .most = 599, .about = "The HTTP status."},
        {.name = "detail", .type = SHAPE_TEXT, .required = true, .most = 400, .about = "What is wrong and what to do."},
        {.name = "field", .type = SHAPE_TEXT, .about = "The field at fault, dotted."},
        {.name = "request", .type = SHAPE_TEXT, .required = true, .about = "The request id; also in the server's log."},
        {0},
};

/* A problem with what this route's conflicts say besides. */
static void conflict(const struct route *r, const char *status, const char *about, struct json *j)
{
        enum { MEMBERS_MOST = 16 };
        struct shape all[MEMBERS_MOST + 1] = {0};
        size_t n = 0;
        for (const struct shape *f = problem_shape; f->type; f++)
                all[n++] = *f;
        for (const struct shape *f = r->conflict; f->type; f++) {
                assert(n < MEMBERS_MOST);
                all[n++] = *f;
        }
        json_object(j, status);
        json_text(j, "description", about);
        json_object(j, "content");
        content(j, "application/problem+json", all, false, NULL);
        json_object_end(j);
        json_object_end(j);
}

static void version_header(struct json *j)
{
        json_object(j, "headers");
        json_object(j, "ETag");
        json_text(j, "description", "The version of the thing, for If-Match.");
        json_object(j, "schema");
        json_text(j, "type", "string");
        json_object_end(j);
        json_object_end(j);
        json_object_end(j);
}

static void responses(const struct route *r, struct json *j)
{
        json_object(j, "responses");
        json_object(j, "2XX");
        json_text(j, "description", "Done.");
        if (r->versioned)
                version_header(j);
        if (r->answer || r->type) {
                json_object(j, "content");
                content(j, r->type ? r->type : "application/json", r->answer, r->list, NULL);
                json_object_end(j);
        }
        json_object_end(j);
        if (r->conflict) {
                conflict(r, "409", "Not possible as it stands now; what happened meanwhile.", j);
                conflict(r, "412", "It is another version than the one named; what happened meanwhile.", j);
        }
        json_object(j, "default");
        json_text(j, "description", "What was wrong and what to do about it.");
        json_object(j, "content");
        if (r->refuse)
                content(j, r->type ? r->type : "application/json", NULL, false, NULL);
        else
                content(j, "application/problem+json", NULL, false, "#/components/schemas/problem");
        json_object_end(j);
        json_object_end(j);
        json_object_end(j);
}

static void operation(const struct route *r, struct json *j)
{
        char id[120], method[16];
        size_t n = 0;
        for (; r->method[n] && n + 1 < sizeof method; n++)
                method[n] = (char)tolower((unsigned char)r->method[n]);
        method[n] = '\0';
        operation_id(r, id);
        json_object(j, method);
        json_text(j, "operationId", id);
        json_text(j, "summary", r->about);
        roles_text(r, j);
        if (r->per_minute > 0)
                json_int(j, "x-public-requests-per-minute", r->per_minute);
        parameters(r, j);
        if (r->body)
                request_body(r, j);
        if (!(r->roles & ROLE_PUBLIC)) {
                json_array(j, "security");
                json_object(j, NULL);
                json_array(j, "bearer");
                json_array_end(j);
                json_object_end(j);
                json_array_end(j);
        }
        responses(r, j);
        json_object_end(j);
}

static bool first_of_path(const struct route_list *list, size_t k)
{
        for (size_t i = 0; i < k; i++)
                if (text_is(list->at[i].route->path, list->at[k].route->path))
                        return false;
        return true;
}

static void paths(const struct route_list *list, struct json *j)
{
        json_object(j, "paths");
        for (size_t k = 0; k < list->n; k++) {
                const char *path = list->at[k].route->path;
                if (!in_document(list->at[k].route) || !first_of_path(list, k))
                        continue;
                json_object(j, path);
                for (size_t i = k; i < list->n; i++)
                        if (text_is(list->at[i].route->path, path))
                                operation(list->at[i].route, j);
                json_object_end(j);
        }
        json_object_end(j);
}

void openapi_write(const struct route_list *routes, const char *title, const char *release, struct buf *out)
{
        struct json j = json_to(out);
        json_object(&j, NULL);
        json_text(&j, "openapi", "3.1.0");
        json_object(&j, "info");
        json_text(&j, "title", title);
        json_text(&j, "version", release);
        json_object_end(&j);
        paths(routes, &j);
        json_object(&j, "components");
        json_object(&j, "schemas");
        shape_schema(problem_shape, &j, "problem");
        json_object_end(&j);
        json_object(&j, "securitySchemes");
        json_object(&j, "bearer");
        json_text(&j, "type", "http");
        json_text(&j, "scheme", "bearer");
        json_object_end(&j);
        json_object_end(&j);
        json_object_end(&j);
        json_object_end(&j);
}
