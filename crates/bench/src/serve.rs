//! The server inside this process: where a benchmark needs what no request can ask for.
use crate::{fan, process};
use anyhow::{Context, Result, anyhow};
use indaba::{
    app::{App, Basis},
    config::Config,
    events,
    id::TenantId,
    serve::{Part, Server, assemble},
};
use std::path::Path;

/// The settings of a server in `dir` on a free port, with no limit that a benchmark would meet, and then these.
pub fn config(dir: &Path, settings: &[(&str, String)]) -> Result<Config> {
    let own = [("INDABA_DATA_DIR", dir.display().to_string()), ("INDABA_LISTEN", "127.0.0.1:0".into())];
    let all = process::boundless().into_iter().chain(own).map(|(name, value)| (name.to_owned(), value));
    let given = settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Config::load(None, all.chain(given)).map_err(|e| anyhow!(e))
}

/// Its parts, without a listener and without anybody who does the jobs.
pub async fn parts(dir: &Path) -> Result<App> {
    let config = config(dir, &[])?;
    let basis = tokio::task::spawn_blocking(move || Basis::open(config)).await?.map_err(|e| anyhow!(e))?;
    assemble(basis).await.map_err(|e| anyhow!(e))
}

/// Closes what [`parts`] opened.
pub async fn close(app: App) -> Result<()> {
    app.stop.cancel();
    let db = app.db.clone();
    drop(app);
    Ok(tokio::task::spawn_blocking(move || db.close()).await?)
}

/// The ids that an event about a message carries, as it prints them.
pub fn ids() -> String {
    let ids: Vec<String> = IDS.iter().map(|(name, id)| format!(r#""{name}":"{id}""#)).collect();
    format!("{{{}}}", ids.join(","))
}

const IDS: [(&str, &str); 4] = [
    ("message", "msg_01h455vb4pex5vsknk084sn02q"),
    ("conversation", "cnv_01h455vb4pex5vsknk084sn02q"),
    ("contact", "con_01h455vb4pex5vsknk084sn02q"),
    ("instance", "ins_01h455vb4pex5vsknk084sn02q"),
];

/// A server whose events are appended on order (`send <n>`): what is measured is the way from the committed row to the sockets. The
/// first line of its standard input names the tenant.
pub async fn serve_live(dir: &Path) -> Result<()> {
    let server = Server::start(config(dir, &[])?, Part::Web).await.map_err(|e| anyhow!(e))?;
    process::listening(server.address);
    let mut line = String::new();
    let line = tokio::task::spawn_blocking(move || std::io::stdin().read_line(&mut line).map(|_| line)).await??;
    let tenant: TenantId =
        line.trim().parse().map_err(|_| anyhow!("a tenant, not {line}")).context("the first line")?;
    let patch: serde_json::Value = serde_json::from_str(fan::PATCH)?;
    fan::orders(async |count| {
        let patch = patch.clone();
        let written = server.app.db.write(tenant, move |tx| {
            let ids: [(&'static str, &dyn std::fmt::Display); 4] =
                [(IDS[0].0, &IDS[0].1), (IDS[1].0, &IDS[1].1), (IDS[2].0, &IDS[2].1), (IDS[3].0, &IDS[3].1)];
            (0..count).try_for_each(|_| events::append(tx, "message.received", &ids, &patch))
        });
        Ok(written.await?)
    })
    .await?;
    server.stop().await;
    Ok(())
}
