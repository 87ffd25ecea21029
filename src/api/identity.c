/* identity: who the caller is, and who the people of a company are (AO-53, AO-91, AO §16). */
#include "api/handlers.h"
#include "model/user.h"

static void write_user(struct jw *w, const struct user *u, bool image)
{
    jw_kstr(w, "id", u->id);
    jw_kstr(w, "email", u->email);
    jw_kstr(w, "name", u->name);
    if (image) jw_knull(w, "image");
}

static err_t require_person(struct req *r)
{
    return is_board(r) ? OK : err_new(r->arena, ERR_UNAUTHORIZED, "Board authentication required");
}

err_t session_show(struct req *r)
{
    TRY(require_person(r));
    const struct user me = user_of(r->actor.user_id);
    jw_obj(&r->w);
    jw_kobj(&r->w, "session");
    jw_kstr(&r->w, "id", arena_printf(r->arena, "paperclip:%s:%s", r->actor.source, me.id));
    jw_kstr(&r->w, "userId", me.id);
    jw_obj_end(&r->w);
    jw_kobj(&r->w, "user");
    write_user(&r->w, &me, true);
    jw_obj_end(&r->w);
    jw_obj_end(&r->w);
    return OK;
}

err_t profile_show(struct req *r)
{
    TRY(require_person(r));
    const struct user me = user_of(r->actor.user_id);
    jw_obj(&r->w);
    write_user(&r->w, &me, true);
    jw_obj_end(&r->w);
    return OK;
}

err_t cli_identity(struct req *r)
{
    struct membership *rows;
    int n;
    const struct user me = user_of(r->actor.user_id);
    TRY(user_memberships(r->db, me.id, &rows, &n));
    jw_obj(&r->w);
    jw_kobj(&r->w, "user");
    write_user(&r->w, &me, false);
    jw_obj_end(&r->w);
    jw_kstr(&r->w, "userId", me.id);
    jw_kbool(&r->w, "isInstanceAdmin", r->actor.instance_admin);
    jw_karr(&r->w, "companyIds");
    for (int i = 0; i < n; i++) jw_str(&r->w, rows[i].company_id);
    jw_arr_end(&r->w);
    jw_karr(&r->w, "memberships");
    for (int i = 0; i < n; i++) {
        jw_obj(&r->w);
        jw_kstr(&r->w, "companyId", rows[i].company_id);
        jw_kstr(&r->w, "membershipRole", rows[i].membership_role);
        jw_kstr(&r->w, "status", rows[i].status);
        jw_obj_end(&r->w);
    }
    jw_arr_end(&r->w);
    jw_kstr(&r->w, "source", r->actor.source);
    jw_kstr(&r->w, "keyId", r->actor.key_id);
    jw_obj_end(&r->w);
    return OK;
}

err_t user_directory(struct req *r)
{
    struct membership *rows;
    int n;
    TRY(company_people(r->db, r->company.id, &rows, &n));
    jw_obj(&r->w);
    jw_karr(&r->w, "users");
    for (int i = 0; i < n; i++) {
        const struct user u = user_of(rows[i].principal_id);
        jw_obj(&r->w);
        jw_kstr(&r->w, "principalId", u.id);
        jw_kstr(&r->w, "status", rows[i].status);
        jw_kobj(&r->w, "user");
        write_user(&r->w, &u, true);
        jw_obj_end(&r->w);
        jw_obj_end(&r->w);
    }
    jw_arr_end(&r->w);
    jw_obj_end(&r->w);
    return OK;
}
