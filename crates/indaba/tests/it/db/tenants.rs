//! What one tenant sees of another, and who may look at all of them.
use super::*;

#[tokio::test]
async fn a_stranger_sees_and_changes_nothing() {
    each_db(async |db| {
        let (tenant, thread) = house(&db).await;
        let (stranger, _) = house(&db).await;
        let locked = db.dialect() == Dialect::Postgres; // by row-level security
        db.write(tenant, move |tx| receive(tx, thread, "a", None, 1)).await.unwrap();
        assert!(db.read(stranger, move |tx| page(tx, thread)).await.unwrap().is_empty());
        let pointed = db.write(stranger, move |tx| receive(tx, thread, "b", None, 1)).await;
        assert!(matches!(pointed, Err(Error::ForeignKey(_))), "{pointed:?}");
        // a statement that names its tenant and looks beyond it all the same
        let all = db
            .read(stranger, |tx| tx.get::<(i64,)>("select count(*) from test_notes where tenant_id = $1 or true", args![]));
        assert_eq!(all.await.unwrap().0, if locked { 0 } else { 1 });
        let planted = db.write(stranger, move |tx| {
            tx.run(
                "insert into test_threads (tenant_id, id, title) select $2, $3, 'x' from test_threads where tenant_id = $1",
                args![tenant, ThreadId::MAX],
            )
        });
        let planted = planted.await;
        assert!(!locked || format!("{planted:?}").contains("row-level security"), "{planted:?}");
        // a read cannot write, whatever it says
        let wrote = db.read(tenant, |tx| tx.each("delete from test_notes where tenant_id = $1", args![], &mut |_| Ok(())));
        assert!(wrote.await.is_err());
    })
    .await
}

#[tokio::test]
async fn a_statement_that_does_not_name_its_tenant_is_refused() {
    each_db(async |db| {
        let all = db.read(TenantId::NIL, |tx| tx.all::<(String,)>("select title from test_threads", args![])).await;
        assert_eq!(all, Err(Error::Panicked)); // in tests and debug builds; row-level security stands behind it
    })
    .await
}

#[tokio::test]
async fn the_operator_sees_all_and_goes_on_as_one_tenant() {
    each_db(async |db| {
        let ((one, thread), (two, _)) = (house(&db).await, house(&db).await);
        let count = "select count(*) from test_threads";
        assert_eq!(db.system_read("a test", move |tx| tx.get::<(i64,)>(count, args![])).await.unwrap().0, 2);
        db.system("a test", move |tx| {
            tx.as_tenant(one, |tx| receive(tx, thread, "a", None, 1))?;
            tx.as_tenant(two, |tx| open(tx, ThreadId::MAX, "later"))?;
            assert_eq!(tx.get::<(i64,)>(count, args![])?.0, 3);
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(db.read(one, move |tx| unread(tx, thread)).await.unwrap(), 1);
    })
    .await
}

#[tokio::test]
async fn every_table_of_a_tenant_is_locked_by_its_rows() {
    each_db(async |db| {
        if db.dialect() == Dialect::Sqlite {
            return; // it has no such lock; the transaction itself and the keys are what it has
        }
        let open: Vec<(String,)> = db
            .system_read("a test", |tx| {
                tx.all(
                    "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
                      where a.attname = 'tenant_id' and c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace
                        and not (c.relrowsecurity and c.relforcerowsecurity
                                 and exists (select from pg_policy p where p.polrelid = c.oid))",
                    args![],
                )
            })
            .await
            .unwrap();
        assert_eq!(open, []);
    })
    .await
}

#[test]
fn a_role_that_sees_through_the_locks_is_refused() {
    let Some(admin) = superuser() else { return };
    let refused = Db::open(&Settings { url: Some(admin), ..Settings::in_dir("/nowhere") }).map(drop).unwrap_err();
    assert!(refused.to_string().contains("is a superuser"), "{refused}");
}
