//! All SQL of media.
use super::{Media, MediaId, State};
use crate::{
    Result,
    db::{Arg, TenantRead, TenantTx},
};

pub fn get(tx: &mut TenantRead, id: MediaId) -> Result<Media> {
    tx.get(
        "select id, instance_id, state, kind, mime, name, size_bytes, width, height, duration_ms, blob_key, source, error
           from media
          where tenant_id = $1 and id = $2",
        args![id],
    )
}

pub fn all(tx: &mut TenantRead, ids: &[MediaId]) -> Result<Vec<Media>> {
    tx.all_for(
        "select id, instance_id, state, kind, mime, name, size_bytes, width, height, duration_ms, blob_key, source, error
           from media
          where tenant_id = $1 and id = $2",
        ids.iter().map(|id| [id.arg()]),
    )
}

/// The row goes. Errors: `ForeignKey` while anything shows the file.
pub fn forget(tx: &mut TenantTx, id: MediaId) -> Result<()> {
    tx.run("delete from media where tenant_id = $1 and id = $2", args![id]).map(drop)
}

pub fn insert(tx: &mut TenantTx, media: &[Media]) -> Result<()> {
    let now = tx.now();
    tx.insert_only(
        "insert into media (tenant_id, id, instance_id, state, kind, mime, name, size_bytes, width, height, duration_ms, blob_key,
                            source, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        media.iter().map(|of| {
            [
                of.id.arg(),
                of.instance_id.arg(),
                of.state.arg(),
                of.kind.arg(),
                of.mime.arg(),
                of.name.arg(),
                of.size_bytes.arg(),
                of.width.arg(),
                of.height.arg(),
                of.duration_ms.arg(),
                of.blob_key.arg(),
                of.source.arg(),
                now.arg(),
            ]
        }),
    )
    .map(drop)
}

/// The file is here now: what it was found to be. Nothing happens to one that was here already.
pub fn arrived(tx: &mut TenantTx, media: &Media, sha256: &[u8]) -> Result<bool> {
    let done = tx.run(
        "update media
            set state = 'ready', kind = $3, mime = $4, size_bytes = $5, width = $6, height = $7, sha256 = $8, blob_key = $9, error = null
          where tenant_id = $1 and id = $2 and state <> 'ready'",
        args![media.id, media.kind, media.mime, media.size_bytes, media.width, media.height, sha256, media.blob_key],
    )?;
    Ok(done > 0)
}

/// Whether it is on its way or could not be had, and why.
pub fn set_state(tx: &mut TenantTx, id: MediaId, state: State, error: Option<&str>) -> Result<bool> {
    let done = tx.run(
        "update media set state = $3, error = $4 where tenant_id = $1 and id = $2 and state <> 'ready'",
        args![id, state, error],
    )?;
    Ok(done > 0)
}
