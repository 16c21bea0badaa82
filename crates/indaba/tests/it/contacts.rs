//! Contacts: made, changed, found, archived.
use crate::support::{ASHA, each_db, in_a_shop};
use indaba::{
    contacts::{self, Sighting},
    instances::InstanceId,
};
use indaba_providers::Person;
use serde_json::json;

#[tokio::test]
async fn a_contact_is_made_changed_and_archived() {
    each_db(async |house| {
        let who = &house.admin;
        who.patch("/api/tenant", json!({ "country": "ZA" })).await.ok();
        let made = who.post("/api/contacts", json!({ "name": " Thandi Mokoena ", "phone": "082 000 1009" })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        assert_eq!(
            (&made["name"], &made["phone"], &made["status"]),
            (&json!("Thandi Mokoena"), &json!("+27820001009"), &json!("new"))
        );
        let path = format!("/api/contacts/{}", made["id"].as_str().unwrap());
        let twice = who.post("/api/contacts", json!({ "phone": "+27820001009" })).await;
        assert_eq!(twice.problem(409), "exists");
        assert_eq!(who.post("/api/contacts", json!({ "phone": "x" })).await.fields(), ["/phone"]);
        assert_eq!(who.post("/api/contacts", json!({ "phone": "+27820001008", "name": "" })).await.fields(), ["/name"]);

        let me = who.get("/api/me").await.ok()["user"]["id"].clone();
        let changed = who
            .patch(&path, json!({ "name": "Thandi", "ownerId": me, "fields": { "suburb": "Mowbray", "budget": 9000 } }))
            .await
            .ok();
        assert_eq!((&changed["ownerId"], &changed["fields"]["suburb"]), (&me, &json!("Mowbray")));
        let changed = who.patch(&path, json!({ "ownerId": null, "fields": { "suburb": null } })).await.ok();
        assert_eq!((&changed["ownerId"], &changed["fields"]), (&json!(null), &json!({ "budget": 9000 })));
        assert_eq!(
            who.patch(&path, json!({ "ownerId": "usr_01h455vb4pex5vsknk084sn02q" })).await.fields(),
            ["/ownerId"]
        );
        who.patch(&path, json!({ "phone": "+1" })).await.problem(422);

        assert_eq!(who.delete(&path).await.ok()["status"], "archived");
        assert_eq!(who.get("/api/contacts").await.ok()["items"], json!([]));
        assert_eq!(who.get("/api/contacts?status=archived").await.ok()["items"].as_array().unwrap().len(), 1);
        house.stranger().await.get(&path).await.problem(404);
    })
    .await;
}

#[tokio::test]
async fn the_list_goes_by_name_page_by_page_and_finds_names_and_numbers() {
    each_db(async |house| {
        let who = &house.admin;
        for (n, name) in ["Émile", "adam", "Zinhle", "Bongani", "Chloë van Wyk"].iter().enumerate() {
            who.post("/api/contacts", json!({ "name": name, "phone": format!("+2782000200{n}") })).await.ok();
        }
        let mut names = Vec::new();
        let mut after = String::new();
        loop {
            let page = who.get(&format!("/api/contacts?limit=2&after={after}")).await.ok();
            names.extend(page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(names, ["adam", "Bongani", "Chloë van Wyk", "Émile", "Zinhle"]);
        for (search, found) in [
            ("emi", &["Émile"][..]),
            ("wyk chlo", &["Chloë van Wyk"]),
            ("0820002003", &["Bongani"]),
            ("+27 82 000 2004", &["Chloë van Wyk"]),
            ("2000", &["Émile"]),
            ("nobody", &[]),
            ("\"", &[]),
            ("* (", &[]),
        ] {
            let typed: String = url::form_urlencoded::byte_serialize(search.as_bytes()).collect();
            let items = who.get(&format!("/api/contacts?search={typed}")).await.ok()["items"].clone();
            let all: Vec<_> = items.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
            assert_eq!(all, found, "{search}");
        }
        for bad in ["limit=0", "limit=-1", "limit=1000000000", "status=x"] {
            who.get(&format!("/api/contacts?{bad}")).await.problem(422);
        }
        who.get("/api/contacts?after=forged").await.problem(400);
    })
    .await;
}

#[tokio::test]
async fn a_name_that_people_gave_outlives_what_whatsapp_says() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "hi").await;
        let contact = shop.newest().await.0["contact"].clone();
        assert_eq!(contact["name"], "Asha");
        let path = format!("/api/contacts/{}", contact["id"].as_str().unwrap());
        shop.who.patch(&path, json!({ "name": "Asha Patel (flat 3)" })).await.ok();
        shop.receive(ASHA, "A2", "hi again").await;
        assert_eq!(shop.who.get(&path).await.ok()["name"], "Asha Patel (flat 3)");
        shop.who.delete(&path).await.ok();
        shop.receive(ASHA, "A3", "still here").await;
        assert_eq!(shop.who.get(&path).await.ok()["status"], "active", "writing brings them back");
    })
    .await;
}

#[tokio::test]
async fn eight_who_meet_the_same_stranger_make_one_contact() {
    each_db(async |house| {
        let (db, tenant) = (house.app.db.clone(), house.tenant);
        let calls: Vec<_> = (0..8)
            .map(|n| {
                let db = db.clone();
                tokio::spawn(async move {
                    db.write(tenant, move |tx| {
                        let mut person = Person { phone: Some("+27820003001".into()), ..Person::default() };
                        person.name = Some(format!("Name {n}"));
                        let seen = Sighting { instance: InstanceId::NIL, person: &person, wrote: true };
                        Ok(contacts::recognise(tx, &[seen])?.contacts[0].id)
                    })
                    .await
                })
            })
            .collect();
        let mut ids = Vec::new();
        for call in calls {
            ids.push(call.await.unwrap().expect("nobody loses for good"));
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert_eq!(house.admin.get("/api/contacts").await.ok()["items"].as_array().unwrap().len(), 1);
    })
    .await;
}
