//! Several nodes on one PostgreSQL: `NOTIFY` on a connection of its own, after the commit and many bells at a time.
//! (Inside each transaction it would take a lock of the whole server at every commit.)
use super::{Bus, Ears, Hub};
use crate::{
    Result,
    db::{Bell, Link},
};
use futures_util::{StreamExt, stream};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use tokio::{sync::Notify, task::JoinHandle, time};
use tokio_postgres::{AsyncMessage, Client, Notification};

/// The bus of many nodes. It ends when nobody holds it.
pub struct Postgres(Arc<Node>);

struct Node {
    hub: Hub,
    /// By which we know our own bells when they come back.
    name: String,
    /// What the other nodes have not been told yet.
    out: Mutex<HashSet<Bell>>,
    told: Notify,
}

/// The one channel of all topics.
const CHANNEL: &str = "indaba_bus";
/// The server takes 8000 bytes.
const PAYLOAD: usize = 7900;
/// Bells that ring meanwhile go together in the next notice.
const PAUSE: Duration = Duration::from_millis(5);

impl Postgres {
    /// Joins the other nodes on the server at `url`; call it on the runtime. While the server is away, listeners hear only
    /// their own node, and when it is back, that they missed some.
    pub fn join(url: &str) -> Result<Postgres> {
        let link = Link::new(url)?;
        let name = format!("{:016x}", rand::random::<u64>());
        let node = Arc::new(Node { hub: Hub::default(), name, out: Mutex::default(), told: Notify::new() });
        tokio::spawn(keep(Arc::downgrade(&node), link));
        Ok(Postgres(node))
    }
}

impl Bus for Postgres {
    fn ring(&self, bells: Vec<Bell>) {
        for bell in &bells {
            self.0.hub.deliver(bell.topic, &bell.key);
        }
        self.0.out.lock().expect("no panic under this lock").extend(bells);
        self.0.told.notify_one();
    }

    fn listen(&self, topic: &'static str) -> Ears {
        self.0.hub.listen(topic)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.0.told.notify_one();
    }
}

/// Keeps a line to the server for as long as somebody holds the bus.
async fn keep(node: Weak<Node>, link: Link) {
    let mut wait = Duration::from_millis(100);
    loop {
        if let Ok((client, listening)) = connect(&node, &link).await {
            wait = Duration::from_millis(100);
            speak(&node, &client, &listening).await;
            listening.abort();
        }
        let Some(node) = node.upgrade() else { return };
        node.out.lock().expect("no panic under this lock").clear(); // they will look everywhere when they are back
        drop(node);
        time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}

async fn connect(node: &Weak<Node>, link: &Link) -> Result<(Client, JoinHandle<()>), tokio_postgres::Error> {
    let (client, mut line) = link.config.connect(link.tls.clone()).await?;
    let ears = node.clone();
    let listening = tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |cx| line.poll_message(cx));
        while let (Some(Ok(message)), Some(node)) = (messages.next().await, ears.upgrade()) {
            if let AsyncMessage::Notification(notice) = message {
                node.hear(&notice);
            }
        }
    });
    client.batch_execute(&format!("listen {CHANNEL}")).await?;
    if let Some(node) = node.upgrade() {
        node.hub.missed(); // whatever was rung while nobody listened
    }
    Ok((client, listening))
}

/// Tells the others what is rung here, until the line is cut or nobody holds the bus.
async fn speak(node: &Weak<Node>, client: &Client, listening: &JoinHandle<()>) {
    while let Some(node) = node.upgrade() {
        // wakes now and then to see whether the line still stands
        let _ = time::timeout(Duration::from_secs(1), node.told.notified()).await;
        if Arc::strong_count(&node) == 1 || client.is_closed() || listening.is_finished() {
            return;
        }
        for notice in node.notices() {
            let sent = async { client.execute("select pg_notify($1, $2)", &[&CHANNEL, &notice]).await };
            if !matches!(time::timeout(Duration::from_secs(5), sent).await, Ok(Ok(_))) {
                return;
            }
        }
        time::sleep(PAUSE).await;
    }
}

impl Node {
    /// What waits to be told, in as few notices as it fits in: our name, then a bell on each line.
    fn notices(&self) -> Vec<String> {
        let bells = std::mem::take(&mut *self.out.lock().expect("no panic under this lock"));
        let mut notices: Vec<String> = Vec::new();
        for bell in bells {
            let line = format!("\n{} {}", bell.topic, bell.key);
            match notices.last_mut() {
                Some(last) if last.len() + line.len() <= PAYLOAD => last.push_str(&line),
                _ => notices.push(format!("{}{line}", self.name)),
            }
        }
        notices
    }

    fn hear(&self, notice: &Notification) {
        let mut lines = notice.payload().lines();
        if lines.next() == Some(&*self.name) {
            return;
        }
        for line in lines {
            if let Some((topic, key)) = line.split_once(' ') {
                self.hub.deliver(topic, key);
            }
        }
    }
}
