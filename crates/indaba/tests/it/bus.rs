//! The bell between transactions and those who wait for their rows.
use crate::support::each_database_with;
use indaba::{
    Error, args,
    bus::{self, Bus, Heard},
    clock::Time,
    db::{Bell, Dialect},
    id::TenantId,
};
use std::{collections::HashSet, sync::Arc, time::Duration};

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what).await.expect("soon")
}

fn bell(key: impl ToString) -> Bell {
    Bell { topic: "jobs", key: key.to_string() }
}

#[tokio::test]
async fn what_a_transaction_rings_is_heard_after_its_commit() {
    each_database_with(
        |settings| settings,
        async |db, settings| {
            let node = bus::open(settings.url.as_deref()).unwrap();
            bus::attach(&node, &db);
            let mut jobs = node.listen("jobs");
            let tenant = TenantId::at(Time(1));
            let undone = db.write(tenant, |tx| {
                tx.ring("jobs", "undone");
                Err::<(), _>(Error::Missing)
            });
            undone.await.unwrap_err();
            let done = db.write(tenant, |tx| {
                tx.ring("jobs", "done");
                Ok(())
            });
            done.await.unwrap();
            loop {
                match soon(jobs.next()).await {
                    Heard::Missed => {} // it joined just now
                    heard => break assert_eq!(heard, Heard::Key("done".into())),
                }
            }
        },
    )
    .await
}

#[tokio::test]
async fn other_nodes_hear_it_once_and_learn_that_the_line_was_cut() {
    each_database_with(
        |settings| settings,
        async |db, settings| {
            if db.dialect() == Dialect::Sqlite {
                return; // there is one node
            }
            let join = || bus::open(settings.url.as_deref()).unwrap();
            let (here, there): (Arc<dyn Bus>, Arc<dyn Bus>) = (join(), join());
            let (mut own, mut other) = (here.listen("jobs"), there.listen("jobs"));
            assert_eq!(soon(other.next()).await, Heard::Missed); // from now on it listens
            assert_eq!(soon(own.next()).await, Heard::Missed);

            // more than one notice can hold
            here.ring((0..200).map(|i| bell(format!("{i:0100}"))).collect());
            let mut heard = HashSet::new();
            for _ in 0..200 {
                heard.insert(soon(other.next()).await);
                assert_ne!(soon(own.next()).await, Heard::Missed);
            }
            assert_eq!(heard.len(), 200);

            let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                        where datname = current_database() and pid <> pg_backend_pid()";
            db.system("a test", move |tx| tx.get::<(i64,)>(cut, args![])).await.unwrap();
            assert_eq!(soon(other.next()).await, Heard::Missed);
            assert_eq!(soon(own.next()).await, Heard::Missed);
            here.ring(vec![bell("after")]);
            assert_eq!(soon(other.next()).await, Heard::Key("after".into()));
            assert_eq!(soon(own.next()).await, Heard::Key("after".into()));
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!((own.try_next(), other.try_next()), (None, None)); // its own notice is not heard again
        },
    )
    .await
}
