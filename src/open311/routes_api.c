/* open311/routes_api.c -- the table of calls; each stands twice, for JSON and for XML. */
#include "open311/inside_api.h"

static bool nothing(struct request *rq, struct reply *rp, struct err *e)
{
        (void)rq, (void)rp;
        return err_both(e, ERR_NOT_FOUND, NULL, "there is nothing at this address; addresses end with .json or .xml",
                        "此地址不存在；地址须以 .json 或 .xml 结尾");
}

/* --- query names ------------------------------------------------------------------------------------------------------- */
#define JURISDICTION \
        { \
                .name = "jurisdiction_id", .type = SHAPE_TEXT, .about = "Of the standard; may be left out." \
        }
#define KEY \
        { \
                .name = "api_key", .type = SHAPE_TEXT, .about = "A channel's key; better sent as Authorization: Bearer." \
        }
#define EXTENSIONS \
        { \
                .name = "extensions", .type = SHAPE_TEXT, .about = "Extension: true adds extended_attributes." \
        }
static const struct query_param plain[] = {JURISDICTION, KEY, {0}};
static const struct query_param one[] = {JURISDICTION, KEY, EXTENSIONS, {0}};
static const struct query_param many[] = {
        JURISDICTION,
        KEY,
        {.name = "service_request_id", .type = SHAPE_TEXT, .most = 20000, .about = "Comma list; overrides all else."},
        {.name = "service_code", .type = SHAPE_TEXT, .most = 20000, .about = "Comma list."},
        {.name = "start_date", .type = SHAPE_TEXT, .most = 60, .about = "With its zone; at most 90 days before end_date."},
        {.name = "end_date", .type = SHAPE_TEXT, .most = 60, .about = "With its zone; now when unsaid."},
        {.name = "status", .type = SHAPE_TEXT, .about = "open, closed; comma list."},
        {.name = "page", .type = SHAPE_TEXT, .about = "Extension: 1, 2, ..."},
        {.name = "page_size", .type = SHAPE_TEXT, .about = "Extension: 1 to 1000; 100 when unsaid."},
        EXTENSIONS,
        {0},
};

static const struct query_param span[] = {
        JURISDICTION,
        KEY,
        {.name = "service_request_id", .type = SHAPE_TEXT, .most = 20000, .about = "Comma list."},
        {.name = "start_date", .type = SHAPE_TEXT, .most = 60, .about = "With its zone; at most 90 days before end_date."},
        {.name = "end_date", .type = SHAPE_TEXT, .most = 60, .about = "With its zone; now when unsaid."},
        {0},
};
static const struct query_param feed[] = {
        JURISDICTION,
        KEY,
        {.name = "cursor", .type = SHAPE_TEXT, .about = "As the page before gave it; now: from now on."},
        {.name = "limit", .type = SHAPE_TEXT, .about = "1 to 1000; 100 when unsaid."},
        {0},
};

/* --- shapes (for the OpenAPI page) ---------------------------------------------------------------------------------------- */
#define WORD(n) \
        { \
                .name = n, .type = SHAPE_TEXT, .required = true \
        }
#define MAYBE(n) \
        { \
                .name = n, .type = SHAPE_TEXT, .required = true, .nullable = true \
        }
static const struct shape request_form[] = {
        {.name = "service_code", .type = SHAPE_TEXT, .required = true, .most = 60, .about = "Of services."},
        {.name = "api_key", .type = SHAPE_TEXT, .about = "A channel's key, when it is sent in no other way."},
        {.name = "jurisdiction_id", .type = SHAPE_TEXT},
        {.name = "lat", .type = SHAPE_REAL, .least = -90, .most = 90, .about = "Degrees north, WGS-84; with long."},
        {.name = "long", .type = SHAPE_REAL, .least = -180, .most = 180, .about = "Degrees east, WGS-84; with lat."},
        {.name = "address_string", .type = SHAPE_TEXT, .most = 400, .about = "Where it is, in words."},
        {.name = "address_id", .type = SHAPE_TEXT, .most = 40, .about = "Code of the area."},
        {.name = "description", .type = SHAPE_TEXT, .most = DESCRIPTION_MOST, .about = "What the matter is."},
        {.name = "attribute[CODE]", .type = SHAPE_TEXT, .most = 2000, .about = "An answer; attribute[CODE][] for several."},
        {.name = "email", .type = SHAPE_TEXT, .most = 200, .about = "Kept sealed."},
        {.name = "first_name", .type = SHAPE_TEXT, .most = 100, .about = "Kept sealed."},
        {.name = "last_name", .type = SHAPE_TEXT, .most = 100, .about = "Kept sealed."},
        {.name = "phone", .type = SHAPE_TEXT, .most = 40, .about = "Kept sealed."},
        {.name = "device_id", .type = SHAPE_TEXT, .about = "Not kept."},
        {.name = "account_id", .type = SHAPE_TEXT, .about = "Not kept."},
        {.name = "media_url", .type = SHAPE_TEXT, .most = 2000, .about = "Address of a picture."},
        {.name = "media", .type = SHAPE_TEXT, .about = "Pictures, as files of a multipart form, under any name."},
        {0},
};
static const struct shape receipt_answer[] = {
        {.name = "service_request_id",
         .type = SHAPE_TEXT,
         .about = "Case number; a report that is not filed yet has a token instead."},
        {.name = "token", .type = SHAPE_TEXT, .about = "For tokens."},
        {.name = "service_notice", .type = SHAPE_TEXT, .required = true, .most = 400},
        MAYBE("account_id"),
        {0},
};
static const struct shape token_answer[] = {MAYBE("service_request_id"), WORD("token"), {0}};
static const struct shape request_answer[] = {
        WORD("service_request_id"),
        WORD("status"),
        MAYBE("status_notes"),
        MAYBE("service_name"),
        MAYBE("service_code"),
        MAYBE("description"),
        MAYBE("agency_responsible"),
        MAYBE("service_notice"),
        {.name = "requested_datetime", .type = SHAPE_TIME, .required = true},
        {.name = "updated_datetime", .type = SHAPE_TIME, .required = true},
        {.name = "expected_datetime", .type = SHAPE_TIME, .required = true, .nullable = true},
        MAYBE("address"),
        MAYBE("address_id"),
        MAYBE("zipcode"),
        {.name = "lat", .type = SHAPE_REAL, .required = true, .nullable = true},
        {.name = "long", .type = SHAPE_REAL, .required = true, .nullable = true},
        MAYBE("media_url"),
        {.name = "extended_attributes", .type = SHAPE_OBJECT, .open = true, .about = "With extensions=true."},
        {0},
};
static const struct shape update_form[] = {
        {.name = "service_request_id", .type = SHAPE_TEXT, .required = true, .most = 60, .about = "A report of the key's channel."},
        {.name = "update_id", .type = SHAPE_TEXT, .about = "The sender's own id: the same update again stores nothing."},
        {.name = "description", .type = SHAPE_TEXT, .most = 4000, .about = "What there is to say; else `status` is taken."},
        {.name = "status", .type = SHAPE_TEXT, .most = 60},
        {.name = "media_url", .type = SHAPE_TEXT, .most = 2000},
        {.name = "api_key", .type = SHAPE_TEXT},
        {.name = "jurisdiction_id", .type = SHAPE_TEXT},
        {0},
};
static const struct shape update_answer[] = {WORD("update_id"),
                                             WORD("service_request_id"),
                                             WORD("status"),
                                             {.name = "updated_datetime", .type = SHAPE_TIME, .required = true},
                                             MAYBE("description"),
                                             MAYBE("media_url"),
                                             WORD("external_status_code"),
                                             {0}};
static const struct shape noted_answer[] = {WORD("update_id"), {0}};
static const struct shape change_fields[] = {
        WORD("service_request_id"), WORD("status"), {.name = "updated_datetime", .type = SHAPE_TIME, .required = true}, {0}};
static const struct shape change_element[] = {{.type = SHAPE_OBJECT, .fields = change_fields}, {0}};
static const struct shape changes_answer[] = {{.name = "changes", .type = SHAPE_ARRAY, .required = true, .fields = change_element},
                                              WORD("cursor"),
                                              {0}};
static const struct shape service_answer[] = {WORD("service_code"), WORD("service_name"),
                                              WORD("description"),  {.name = "metadata", .type = SHAPE_BOOL, .required = true},
                                              WORD("type"),         WORD("keywords"),
                                              WORD("group"),        {0}};
static const struct shape any_element[] = {{.type = SHAPE_OBJECT, .open = true}, {0}};
static const struct shape definition_answer[] = {
        WORD("service_code"), {.name = "attributes", .type = SHAPE_ARRAY, .required = true, .fields = any_element}, {0}};
static const struct shape discovery_answer[] = {WORD("changeset"),
                                                WORD("contact"),
                                                WORD("key_service"),
                                                {.name = "endpoints", .type = SHAPE_ARRAY, .required = true, .fields = any_element},
                                                {0}};

/* Pictures and the rest of the form. */
enum { BODY_MOST = 12 << 20 };

/* --- the table ---------------------------------------------------------------------------------------------------------------- */
#define REST .roles = ROLE_ALL, .any_query = true, .key_name = "api_key", .refuse = open311_refuse
#define BOTH(p, ...) \
        {.path = p ".json", REST, __VA_ARGS__}, \
        { \
                .path = p ".xml", .type = "text/xml", REST, __VA_ARGS__ \
        }
#define READ(handler, names) .method = "GET", .run = handler, .query = names, .per_minute = 600

static const struct route routes[] = {
        BOTH("/open311/discovery", READ(get_discovery, plain), .answer = discovery_answer,
             .about = "Where Open311 is served here."),
        BOTH(OPEN311_BASE "/discovery", READ(get_discovery, plain), .answer = discovery_answer,
             .about = "Where Open311 is served here."),
        BOTH(OPEN311_BASE "/services", READ(get_services, plain), .answer = service_answer, .list = true,
             .about = "What can be reported: the leaf items of the catalogue."),
        BOTH(OPEN311_BASE "/services/{service_code}", READ(get_definition, plain), .answer = definition_answer,
             .about = "What a report of this service is asked beside its text."),
        BOTH(OPEN311_BASE "/requests", .method = "POST", .run = post_request, .query = plain, .form_body = true,
             .body_most = BODY_MOST, .body = request_form, .answer = receipt_answer, .list = true, .per_minute = 120,
             .about = "A report comes in through Open311.  Safe to send again with an Idempotency-Key."),
        BOTH(OPEN311_BASE "/requests", READ(get_requests, many), .answer = request_answer, .list = true,
             .about = "Reports of at most 90 days, newest first."),
        BOTH(OPEN311_BASE "/requests/{service_request_id}", READ(get_request, one), .answer = request_answer, .list = true,
             .about = "One report."),
        BOTH(OPEN311_BASE "/tokens/{token}", READ(get_token, plain), .answer = token_answer, .list = true,
             .about = "The number of a report that could not be filed at once; null while it waits."),
        BOTH(OPEN311_BASE "/servicerequestupdates", READ(get_updates, span), .answer = update_answer, .list = true,
             .about = "Extension: what happened to reports in a span of time, oldest first."),
        BOTH(OPEN311_BASE "/servicerequestupdates", .method = "POST", .run = post_update, .query = plain, .form_body = true,
             .body = update_form, .answer = noted_answer, .list = true, .per_minute = 120,
             .about = "Extension: a note on a report of the key's channel."),
        BOTH(OPEN311_BASE "/changes", READ(get_changes, feed), .answer = changes_answer,
             .about = "Extension: every change in the order of commits, to be followed with the cursor."),
        {.method = "GET", .path = "/open311/{rest*}", REST, .run = nothing, .about = "Nothing is here."},
        {0},
};
const struct route *const open311_routes = routes;
