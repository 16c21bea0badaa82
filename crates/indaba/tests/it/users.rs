//! People: signing up, in and out, roles, invitations, keys.
use crate::support::{Caller, House, PASSWORD, Reply, each_db, each_db_with};
use indaba::{clock::Time, http::Role};
use serde_json::json;
use std::time::Duration;

fn form(email: &str, password: &str) -> serde_json::Value {
    json!({ "email": email, "password": password, "name": "Asha", "tenantName": "Asha Estates", "country": "ZA" })
}

#[tokio::test]
async fn who_signs_up_has_a_workspace_of_their_own() {
    each_db(async |house| {
        let reply = house.nobody().post("/api/auth/sign-up", form(" Asha@Example.com", PASSWORD)).await;
        assert_eq!(reply.status, 201);
        let session = reply.json();
        assert_eq!(session["user"]["email"], "asha@example.com");
        assert_eq!((&session["role"], &session["tenant"]["slug"]), (&json!("admin"), &json!("asha-estates")));
        assert_eq!(session["tenant"]["timeZone"], "Africa/Johannesburg");
        assert_eq!(session["tenants"].as_array().unwrap().len(), 1);
        let cookie = reply.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly; SameSite=Lax") && cookie.contains("Path=/;"), "{cookie}");
        assert!(!cookie.contains("Secure"), "the house is reached by http");

        let asha = house.nobody().bearer(&reply.cookie("indaba_access").unwrap());
        let me = asha.get("/api/me").await.ok();
        assert_eq!((&me["user"], &me["operator"]), (&session["user"], &json!(false)));
        let by_cookie =
            house.nobody().with("cookie", &format!("indaba_access={}", reply.cookie("indaba_access").unwrap()));
        by_cookie.get("/api/me").await.ok();
        assert_eq!(house.nobody().get("/api/me").await.problem(401), "unauthorized");
    })
    .await;
}

#[tokio::test]
async fn an_email_is_one_person_however_it_is_written() {
    each_db(async |house| {
        house.nobody().post("/api/auth/sign-up", form("asha@example.com", PASSWORD)).await.ok();
        for email in ["ASHA@example.com", " asha@EXAMPLE.com ", "Asha@Example.Com"] {
            let again = house.nobody().post("/api/auth/sign-up", form(email, PASSWORD)).await;
            assert_eq!(again.problem(409), "email-taken");
            house.nobody().post("/api/auth/sign-in", json!({ "email": email, "password": PASSWORD })).await.ok();
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_pointed_at_all_at_once() {
    each_db(async |house| {
        let up = async |body| house.nobody().post("/api/auth/sign-up", body).await;
        let wrong = json!({ "email": "asha", "password": "password1", "name": "  ", "tenantName": "", "country": "za", "timeZone": "Mars/Base" });
        assert_eq!(up(wrong).await.fields(), ["/email", "/name", "/password", "/tenantName", "/country", "/timeZone"]);
        assert_eq!(up(json!({ "email": "a@b.co" })).await.fields(), ["/password"]);
        assert_eq!(up(form("a@b.co", &"x".repeat(1025))).await.fields(), ["/password"]);
        assert_eq!(up(form("a@b.co", &"x".repeat(1_000_000))).await.fields(), ["/password"]);
        assert_eq!(up(form("a@b.co", &"x".repeat(2_000_000))).await.problem(413), "too-large");
        let long = json!({ "email": "naledi@kusasa.test", "password": "x".repeat(1_000_000) });
        assert_eq!(house.nobody().post("/api/auth/sign-in", long).await.fields(), ["/password"]);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_email_are_answered_alike() {
    each_db(async |house| {
        let attempt = async |email: &str| {
            let reply =
                house.nobody().post("/api/auth/sign-in", json!({ "email": email, "password": "not this one" })).await;
            assert_eq!(reply.problem(401), "credentials");
            let mut told = reply.json();
            told["requestId"] = json!("");
            told
        };
        assert_eq!(attempt("naledi@kusasa.test").await, attempt("nobody@kusasa.test").await);
        assert_eq!(attempt("no e-mail at all").await, attempt("naledi@kusasa.test").await);
    })
    .await;
}

#[tokio::test]
async fn too_many_tries_to_sign_in_have_to_wait() {
    each_db_with(&[("INDABA_LIMITS_SIGN_IN_PER_MINUTE", "4")], async |house| {
        let attempt = async || {
            let wrong = json!({ "email": "naledi@kusasa.test", "password": "not this one" });
            house.nobody().post("/api/auth/sign-in", wrong).await
        };
        // one of the four was signing up
        for _ in 0..3 {
            assert_eq!(attempt().await.problem(401), "credentials");
        }
        let refused = attempt().await;
        assert_eq!(refused.problem(429), "too-many");
        let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=15).contains(&wait), "{wait}");
    })
    .await;
}

/// A browser: it keeps the cookies it is given, and comes from our own page.
struct Browser {
    caller: Caller,
    access: Option<String>,
    refresh: Option<String>,
}

impl Browser {
    async fn sign_in(house: &House, email: &str) -> Browser {
        let caller = house.nobody().with("origin", "http://indaba.test");
        let mut browser = Browser { caller, access: None, refresh: None };
        let reply = browser.caller.post("/api/auth/sign-in", json!({ "email": email, "password": PASSWORD })).await;
        reply.ok();
        browser.keep(&reply);
        browser
    }

    fn keep(&mut self, reply: &Reply) {
        for (name, kept) in [("indaba_access", &mut self.access), ("indaba_refresh", &mut self.refresh)] {
            if reply.headers.get_all("set-cookie").iter().any(|line| line.to_str().unwrap().starts_with(name)) {
                *kept = reply.cookie(name);
            }
        }
    }

    fn ask(&self) -> Caller {
        let cookies = [("indaba_access", &self.access), ("indaba_refresh", &self.refresh)];
        let cookies = cookies.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
        self.caller.with("cookie", &cookies.collect::<Vec<_>>().join("; "))
    }

    async fn refresh(&self) -> Reply {
        self.ask().post("/api/auth/refresh", json!({})).await
    }
}

#[tokio::test]
async fn a_sign_in_goes_on_by_refreshing_and_two_tabs_may_do_so_at_once() {
    each_db(async |house| {
        let mut browser = Browser::sign_in(&house, "naledi@kusasa.test").await;
        house.wait(Duration::from_secs(15 * 60));
        assert_eq!(browser.ask().get("/api/me").await.problem(401), "unauthorized");

        let (one, two) = tokio::join!(browser.refresh(), browser.refresh());
        assert_eq!(one.ok()["user"]["email"], "naledi@kusasa.test");
        two.ok();
        assert_eq!(
            one.cookie("indaba_refresh"),
            two.cookie("indaba_refresh"),
            "the two tabs share what they were given"
        );
        let old = browser.refresh.clone();
        browser.keep(&one);
        assert_ne!(old, browser.refresh);
        browser.ask().get("/api/me").await.ok();

        // an answer that was lost on its way can be asked for again, for a while
        house.wait(Duration::from_secs(29));
        let late = Browser { refresh: old, access: None, caller: browser.caller.clone() };
        assert_eq!(late.refresh().await.cookie("indaba_refresh"), browser.refresh);
        house.wait(Duration::from_secs(2));
        assert_eq!(late.refresh().await.problem(401), "unauthorized");
        assert_eq!(browser.refresh().await.problem(401), "unauthorized", "somebody had a copy: the sign-in has ended");
        assert_eq!(browser.ask().get("/api/me").await.problem(401), "unauthorized", "and at once");
    })
    .await;
}

#[tokio::test]
async fn a_forged_refresh_token_ends_nobodys_sign_in() {
    each_db(async |house| {
        let browser = Browser::sign_in(&house, "naledi@kusasa.test").await;
        let refresh = browser.refresh.clone().unwrap();
        let id = refresh.split('.').next().unwrap();
        for forged in [format!("{id}.AAAA.AAAA"), format!("{refresh}x"), "x".into(), refresh.replace('.', "..")] {
            let forger = Browser { refresh: Some(forged), access: None, caller: browser.caller.clone() };
            let refused = forger.refresh().await;
            assert_eq!(refused.problem(401), "unauthorized");
            assert_eq!(refused.cookie("indaba_refresh"), None);
        }
        browser.refresh().await.ok();
        house.wait(Duration::from_secs(31 * 24 * 3600));
        assert_eq!(browser.refresh().await.problem(401), "unauthorized", "nobody came back for a month");
    })
    .await;
}

#[tokio::test]
async fn another_sites_page_changes_nothing_with_our_cookies() {
    each_db(async |house| {
        let browser = Browser::sign_in(&house, "naledi@kusasa.test").await;
        let rename = async |caller: Caller| caller.patch("/api/me", json!({ "name": "Mallory" })).await;
        let mut plain = browser.ask();
        plain.headers.remove("origin");
        for foreign in [
            plain.clone(),
            plain.with("origin", "https://evil.example"),
            plain.with("origin", "null"),
            plain.with("origin", "http://indaba.test.evil.example"),
            plain.with("sec-fetch-site", "cross-site"),
            plain.with("sec-fetch-site", "same-site"),
            plain.with("origin", "https://evil.example").with("sec-fetch-site", "same-origin"),
        ] {
            assert_eq!(rename(foreign.clone()).await.problem(403), "forbidden");
            assert_eq!(foreign.post("/api/auth/refresh", json!({})).await.problem(403), "forbidden");
            assert_eq!(foreign.post("/api/auth/sign-out", json!({})).await.problem(403), "forbidden");
            assert_eq!(foreign.get("/api/me").await.ok()["user"]["name"], "Naledi", "reading is not changing");
        }
        let sign_in = json!({ "email": "naledi@kusasa.test", "password": PASSWORD });
        let evil = house.nobody().with("origin", "https://evil.example");
        assert_eq!(evil.post("/api/auth/sign-in", sign_in).await.problem(403), "forbidden");
        rename(plain.with("sec-fetch-site", "same-origin")).await.ok();
        rename(browser.ask()).await.ok();
        // a bearer is shown on purpose: its origin does not matter
        let bearer = evil.bearer(&browser.access.clone().unwrap());
        rename(bearer).await.ok();
    })
    .await;
}

#[tokio::test]
async fn signing_out_takes_effect_at_once_here_or_everywhere() {
    each_db(async |house| {
        let email = "naledi@kusasa.test";
        let (mut one, two) = (Browser::sign_in(&house, email).await, Browser::sign_in(&house, email).await);
        let list = one.ask().get("/api/me/sign-ins").await.ok();
        let items = list["items"].as_array().unwrap();
        assert_eq!(items.len(), 3, "the house's own admin is signed in too");
        assert_eq!(items.iter().filter(|item| item["current"] == true).count(), 1);
        assert_eq!(items[0]["ip"], "127.0.0.1");

        let out = one.ask().post("/api/auth/sign-out", json!({})).await;
        assert_eq!(out.status, 204);
        assert_eq!(
            one.ask().get("/api/me").await.problem(401),
            "unauthorized",
            "the cookie is still known, but not good"
        );
        one.keep(&out);
        assert!(one.access.is_none() && one.refresh.is_none());
        two.ask().get("/api/me").await.ok();

        assert_eq!(two.ask().delete("/api/me/sign-ins").await.status, 204);
        assert_eq!(two.ask().get("/api/me").await.problem(401), "unauthorized");
        assert_eq!(two.refresh().await.problem(401), "unauthorized");
        assert_eq!(house.admin.get("/api/me").await.problem(401), "unauthorized");
        assert_eq!(house.nobody().post("/api/auth/sign-out", json!({})).await.status, 204, "signing out always works");
    })
    .await;
}

#[tokio::test]
async fn one_browser_of_many_can_be_signed_out() {
    each_db(async |house| {
        let other = Browser::sign_in(&house, "naledi@kusasa.test").await;
        let list = other.ask().get("/api/me/sign-ins").await.ok();
        let id = list["items"].as_array().unwrap().iter().find(|item| item["current"] == true).unwrap()["id"].clone();
        let path = format!("/api/me/sign-ins/{}", id.as_str().unwrap());
        assert_eq!(house.stranger().await.delete(&path).await.problem(404), "missing");
        other.ask().get("/api/me").await.ok();
        assert_eq!(house.admin.delete(&path).await.status, 204);
        assert_eq!(other.ask().get("/api/me").await.problem(401), "unauthorized");
        assert_eq!(house.admin.delete(&path).await.problem(404), "missing");
    })
    .await;
}

#[tokio::test]
async fn a_new_password_signs_the_other_browsers_out() {
    each_db(async |house| {
        let email = "naledi@kusasa.test";
        let (mut one, two) = (Browser::sign_in(&house, email).await, Browser::sign_in(&house, email).await);
        let change = async |current: &str, new: &str| {
            one.ask().put("/api/me/password", json!({ "current": current, "new": new })).await
        };
        assert_eq!(change("not this one", "eight wooden chairs").await.fields(), ["/current"]);
        assert_eq!(change(PASSWORD, "password1").await.fields(), ["/new"]);
        let changed = change(PASSWORD, "eight wooden chairs").await;
        assert_eq!(changed.status, 204);
        assert_eq!(two.ask().get("/api/me").await.problem(401), "unauthorized");
        one.keep(&changed);
        one.ask().get("/api/me").await.ok();
        one.refresh().await.ok();
        let sign_in = async |password: &str| {
            house.nobody().post("/api/auth/sign-in", json!({ "email": email, "password": password })).await
        };
        assert_eq!(sign_in(PASSWORD).await.problem(401), "credentials");
        sign_in("eight wooden chairs").await.ok();
    })
    .await;
}

#[tokio::test]
async fn an_invitation_lets_one_person_in_once() {
    each_db_with(&[("INDABA_SIGN_UP", "open")], async |house| {
        let invite = json!({ "email": "Sipho@example.com", "role": "agent" });
        let first = house.admin.post("/api/invitations", invite.clone()).await.ok();
        let second = house.admin.post("/api/invitations", invite).await.ok();
        let token = |of: &serde_json::Value| of["url"].as_str().unwrap().split("invitation=").nth(1).unwrap().to_owned();
        let shown = house.nobody().get(&format!("/api/auth/invitations/{}", token(&second))).await.ok();
        assert_eq!(shown, json!({ "email": "sipho@example.com", "tenantName": "Kusasa Homes", "role": "agent" }));
        let old = house.nobody().get(&format!("/api/auth/invitations/{}", token(&first))).await;
        assert_eq!(old.problem(404), "missing", "the second takes the first one's place");
        let list = house.admin.get("/api/invitations").await.ok();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert!(list["items"][0].get("url").is_none(), "only its hash was kept");

        let join = |email: &str| json!({ "email": email, "password": PASSWORD, "name": "Sipho", "invitation": token(&second) });
        let up = async |email: &str| house.nobody().post("/api/auth/sign-up", join(email)).await;
        assert_eq!(up("other@example.com").await.fields(), ["/email"]);
        let session = up("sipho@example.com").await.ok();
        assert_eq!((&session["role"], &session["tenant"]["name"]), (&json!("agent"), &json!("Kusasa Homes")));
        assert_eq!(up("sipho@example.com").await.problem(409), "invitation-lapsed");
        let again = house.admin.post("/api/invitations", json!({ "email": "sipho@example.com", "role": "admin" })).await;
        assert_eq!(again.problem(409), "in-team");

        let late = house.admin.post("/api/invitations", json!({ "email": "late@example.com", "role": "agent" })).await.ok();
        house.wait(Duration::from_secs(8 * 24 * 3600));
        assert_eq!(house.nobody().get(&format!("/api/auth/invitations/{}", token(&late))).await.problem(404), "missing");
    })
    .await;
}

#[tokio::test]
async fn who_has_signed_up_joins_another_workspace_and_goes_between_them() {
    each_db(async |house| {
        let (thabo, own) = house.nobody().sign_up("thabo@example.com", "Thabo", "Thabo Lettings").await;
        let invited =
            house.admin.post("/api/invitations", json!({ "email": "thabo@example.com", "role": "viewer" })).await.ok();
        let token = invited["url"].as_str().unwrap().split("invitation=").nth(1).unwrap();
        let stranger = house.stranger().await;
        assert_eq!(stranger.post("/api/me/invitations", json!({ "token": token })).await.problem(403), "forbidden");
        let joined = thabo.post("/api/me/invitations", json!({ "token": token })).await;
        let session = joined.ok();
        assert_eq!((&session["tenant"]["name"], &session["role"]), (&json!("Kusasa Homes"), &json!("viewer")));
        assert_eq!(session["tenants"].as_array().unwrap().len(), 2);
        let there = house.nobody().bearer(&joined.cookie("indaba_access").unwrap());
        assert_eq!(there.get("/api/users").await.ok()["items"].as_array().unwrap().len(), 2);
        // the token from before still means the tenant it was made for
        assert_eq!(thabo.get("/api/users").await.ok()["items"].as_array().unwrap().len(), 1);
        let back = there.post("/api/me/tenant", json!({ "tenantId": own["tenant"]["id"] })).await;
        assert_eq!(back.ok()["role"], "admin");
        let foreign = stranger.get("/api/me").await.ok()["tenant"]["id"].clone();
        assert_eq!(there.post("/api/me/tenant", json!({ "tenantId": foreign })).await.problem(404), "missing");
    })
    .await;
}

#[tokio::test]
async fn by_invitation_only_the_first_person_still_gets_in() {
    each_db_with(&[("INDABA_SIGN_UP", "invite")], async |house| {
        // the house's own admin was the first
        let up = async |form| house.nobody().post("/api/auth/sign-up", form).await;
        assert_eq!(up(form("asha@example.com", PASSWORD)).await.problem(403), "forbidden");
        house.person("Sipho", Role::Agent).await.get("/api/me").await.ok();
    })
    .await;
}

#[tokio::test]
async fn the_last_admin_stays_and_a_new_role_counts_at_once() {
    each_db(async |house| {
        let sipho = house.person("Sipho", Role::Viewer).await;
        let id = |me: serde_json::Value| me["user"]["id"].as_str().unwrap().to_owned();
        let (naledi, sipho_id) = (id(house.admin.get("/api/me").await.ok()), id(sipho.get("/api/me").await.ok()));
        let role =
            async |id: &str, role: &str| house.admin.patch(&format!("/api/users/{id}"), json!({ "role": role })).await;
        assert_eq!(role(&naledi, "agent").await.problem(409), "last-admin");
        assert_eq!(house.admin.delete(&format!("/api/users/{naledi}")).await.problem(409), "last-admin");
        assert_eq!(sipho.get("/api/api-keys").await.problem(403), "forbidden");
        role(&sipho_id, "admin").await.ok();
        sipho.get("/api/api-keys").await.ok();
        assert_eq!(role(&sipho_id, "owner").await.fields(), ["/role"]);
        assert_eq!(house.admin.delete(&format!("/api/users/{sipho_id}")).await.status, 204);
        assert_eq!(sipho.get("/api/me").await.problem(401), "unauthorized");
        assert_eq!(role(&sipho_id, "agent").await.problem(404), "missing");
    })
    .await;
}

#[tokio::test]
async fn a_key_is_shown_once_and_does_what_it_was_made_for() {
    each_db(async |house| {
        let end = house.app.clock.now() + Duration::from_secs(60);
        let form = json!({ "name": "n8n", "role": "admin", "scopes": ["users:read", "api-keys"], "expiresAt": end });
        let made = house.admin.post("/api/api-keys", form).await.ok();
        let key = made["key"].as_str().unwrap();
        assert!(key.starts_with("ik_") && key.starts_with(made["prefix"].as_str().unwrap()));
        let list = house.admin.get("/api/api-keys").await.ok();
        assert!(!list.to_string().contains(key) && list["items"][0]["scopes"] == json!(["users:read", "api-keys"]));

        let n8n = house.nobody().bearer(key);
        n8n.get("/api/users").await.ok();
        n8n.get("/api/api-keys").await.ok();
        let invite = json!({ "email": "x@example.com", "role": "agent" });
        assert_eq!(n8n.post("/api/invitations", invite.clone()).await.problem(403), "forbidden");
        assert_eq!(n8n.get("/api/me").await.problem(403), "forbidden");
        house.wait(Duration::from_secs(60));
        assert_eq!(n8n.get("/api/users").await.problem(401), "unauthorized", "its time is over");

        let free = house.key(Role::Admin).await;
        free.post("/api/invitations", invite).await.ok();
        let newest = house.admin.get("/api/api-keys").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(house.admin.delete(&format!("/api/api-keys/{newest}")).await.status, 204);
        assert_eq!(free.get("/api/users").await.problem(401), "unauthorized", "at once");

        let wrong = json!({ "name": "", "role": "admin", "scopes": ["users", "users:all"], "expiresAt": Time(0) });
        assert_eq!(house.admin.post("/api/api-keys", wrong).await.fields(), ["/name", "/scopes/1", "/expiresAt"]);
    })
    .await;
}

#[tokio::test]
async fn the_log_tells_who_changed_what_and_no_secret() {
    each_db(async |house| {
        let change = json!({ "name": "=Kusasa, Homes", "country": "ZA" });
        let reply = house.admin.with("x-request-id", "story-1").patch("/api/tenant", change).await;
        reply.ok();
        house.key(Role::Agent).await;
        let log = house.admin.get("/api/audit?action=tenant.change").await.ok();
        let entry = &log["items"][0];
        assert_eq!(entry["before"], json!({ "name": "Kusasa Homes", "country": null }));
        assert_eq!(entry["after"], json!({ "name": "=Kusasa, Homes", "country": "ZA" }));
        assert_eq!((&entry["actor"]["name"], &entry["requestId"]), (&json!("Naledi"), &json!("story-1")));
        assert_eq!(entry["subject"]["id"], house.tenant.to_string());
        assert_eq!(entry["at"], "2026-11-20T07:00:00.000Z");

        let whole = house.admin.get("/api/audit").await.ok();
        let actions: Vec<_> =
            whole["items"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["api-key.create", "tenant.change", "sign-in.begin", "user.join"]);
        let actor = entry["actor"]["id"].as_str().unwrap();
        let mine = house.admin.get(&format!("/api/audit?actor={actor}&subject={}", house.tenant)).await.ok();
        assert_eq!(mine["items"].as_array().unwrap().len(), 1);
        assert_eq!(house.admin.get("/api/audit?actor=x").await.fields(), ["actor"]);

        let (mut seen, mut next) = (Vec::new(), String::new());
        loop {
            let page = house.admin.get(&format!("/api/audit?limit=1{next}")).await.ok();
            seen.extend(page["items"].as_array().unwrap().iter().map(|e| e["action"].clone()));
            let Some(after) = page["next"].as_str() else { break };
            next = format!("&after={after}");
        }
        assert_eq!(seen, actions);

        let csv = house.admin.get("/api/audit/export").await;
        let text = String::from_utf8(csv.body.clone()).unwrap();
        assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
        assert!(text.starts_with("at,actor kind,") && text.lines().count() == 5, "{text}");
        assert!(text.contains("\"{\"\"country\"\":\"\"ZA\"\",\"\"name\"\":\"\"=Kusasa, Homes\"\"}\""), "{text}");
        assert!(!text.contains("ik_") || text.matches("ik_").count() == 1, "only the prefix: {text}");
        assert_eq!(house.key(Role::Manager).await.get("/api/audit").await.problem(403), "forbidden");
    })
    .await;
}

#[tokio::test]
async fn what_somebody_is_called_for_is_theirs_and_of_this_workspace() {
    each_db(async |house| {
        let sipho = house.person("Sipho", Role::Viewer).await;
        let first = sipho.get("/api/me/preferences").await.ok();
        let quiet = json!([first["quiet"], first["quietFrom"], first["quietUntil"]]);
        assert_eq!((&first["alerts"], &first["idleMinutes"]), (&json!("team"), &json!(15)));
        assert_eq!(quiet, json!([false, "22:00", "07:00"]));
        let change = async |body| sipho.patch("/api/me/preferences", body).await;
        change(json!({ "alerts": "mine", "quiet": true, "quietFrom": "18:30" })).await.ok();
        let after = sipho.get("/api/me/preferences").await.ok();
        assert_eq!(
            (&after["alerts"], &after["quietFrom"], &after["quietUntil"]),
            (&json!("mine"), &json!("18:30"), &json!("07:00"))
        );
        let others = house.person("Lindiwe", Role::Agent).await.get("/api/me/preferences").await.ok();
        assert_eq!(others["alerts"], "team");

        let wrong = json!({ "idleMinutes": -1, "quietFrom": "25:00", "quietUntil": "soon" });
        assert_eq!(change(wrong).await.fields(), ["/idleMinutes", "/quietFrom", "/quietUntil"]);
        assert_eq!(change(json!({ "idleMinutes": 481 })).await.fields(), ["/idleMinutes"]);
        assert_eq!(change(json!({ "alerts": "loud" })).await.fields(), ["/alerts"]);
        assert_eq!(change(json!({ "sound": true })).await.status, 422);
        assert_eq!(change(json!({})).await.ok()["alerts"], "mine");
        let program = house.key(Role::Admin).await;
        assert_eq!(program.get("/api/me/preferences").await.status, 403);
        assert_eq!(program.patch("/api/me/preferences", json!({})).await.status, 403);
    })
    .await;
}
