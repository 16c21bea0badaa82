//! Secrets at rest: a new key takes an old one's place.
use crate::support::{KEY, each_db};
use indaba::{
    Result,
    registry::SEALED,
    secrets::{Place, Secrets},
};
use indaba_simulator::{Config, Simulator};
use serde_json::json;
use std::path::Path;

#[tokio::test]
async fn what_an_old_key_sealed_is_sealed_anew_and_the_old_key_can_go() {
    each_db(async |house| {
        let waha = Simulator::start(Config::fast()).await.expect("a simulator on a free port");
        let settings = json!({ "url": waha.url(), "apiKey": "simulator" });
        let form = json!({ "provider": "waha", "name": "Sales", "settings": settings });
        assert_eq!(house.admin.post("/api/instances", form).await.status, 201);

        let keys = |text: String| Secrets::load(Some(&text.into()), Path::new("/nowhere")).unwrap();
        let new = "a key that was made this morning";
        let both = keys(format!("{new},{KEY}"));
        for (wanted, column) in SEALED.iter().map(|column| (1, column)).chain(SEALED.iter().map(|column| (0, column))) {
            let keys = both.clone();
            let (count, _) =
                house.app.db.system("seal with the new key", move |tx| keys.reseal(tx, column, [0; 16])).await.unwrap();
            assert_eq!(count, wanted, "{}", column.table);
        }
        let found = house.app.db.system_read("seal with the new key", |tx| {
            tx.all::<(Vec<u8>, Vec<u8>)>("select id, secrets from gateways", &[])
        });
        for (id, sealed) in found.await.unwrap() {
            let open = |keys: &Secrets| -> Result<Vec<u8>> {
                keys.open(Place { tenant: None, table: "gateways", row: &id, column: "secrets" }, &sealed)
            };
            let plain = String::from_utf8(open(&keys(new.into())).unwrap()).unwrap();
            assert!(plain.contains("simulator") && open(&house.app.secrets).is_err());
        }
    })
    .await;
}
