//! Sealing: what must be read again (gateway keys, hook secrets) is kept encrypted; what need not be is only hashed elsewhere.
//!
//! XChaCha20-Poly1305. A sealed value is `1 | key id (8) | nonce (24) | ciphertext and tag`; the place it belongs to (tenant, table,
//! row, column) is authenticated with it, so that a value copied elsewhere does not open. Keys come from `secret_key` or a key file:
//! the first seals, all of them open. To rotate, put a new one in front and reseal (`indaba reseal`), then drop the old one.
use crate::{
    Error, Result,
    clock::Time,
    db::{self, FromRow, SystemTx, Value},
    id::TenantId,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

/// The keys of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Secrets(Arc<Vec<Key>>);

struct Key {
    id: [u8; 8],
    root: [u8; 32],
    cipher: XChaCha20Poly1305,
}

/// Where a sealed value lives. It opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Whose it is; none for the operator's own rows.
    pub tenant: Option<TenantId>,
    /// Table name.
    pub table: &'static str,
    /// The row's id.
    pub row: &'a [u8],
    /// Column name.
    pub column: &'static str,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        let tenant = self.tenant.map_or([0; 16], |tenant| tenant.0);
        [&tenant[..], self.table.as_bytes(), b"|", self.row, b"|", self.column.as_bytes()].concat()
    }
}

impl Key {
    fn new(text: &str) -> Key {
        let root = mac(b"indaba secret key", text.as_bytes());
        let id = mac(&root, b"id")[..8].try_into().expect("32 bytes have 8");
        Key { id, root, cipher: XChaCha20Poly1305::new(&mac(&root, b"seal").into()) }
    }
}

fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

impl Secrets {
    /// From the setting, or else from the key file in `dir`, which is made (readable by its owner alone) if it is not there.
    /// Errors: a sentence for the operator.
    pub fn load(setting: Option<&SecretString>, dir: &Path) -> Result<Secrets, String> {
        match setting {
            Some(text) => Secrets::read("secret_key", text.expose_secret().split(',')),
            None => Secrets::file(&dir.join("secret.key")),
        }
    }

    fn file(path: &Path) -> Result<Secrets, String> {
        let failed = |what: &str, e: std::io::Error| format!("cannot {what} {}: {e}", path.display());
        // made under another name and then linked: a file that is there is whole, and is never written over
        if !path.exists() {
            let fresh = path.with_extension("key.new");
            let _ = fs::remove_file(&fresh);
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&fresh)
                .map_err(|e| failed("make the key file", e))?;
            let text = format!("{}\n", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| failed("write", e))?;
            match fs::hard_link(&fresh, path) {
                Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(failed("make", e)),
                _ => fs::remove_file(&fresh).map_err(|e| failed("tidy up beside", e))?,
            }
            if let Some(dir) = path.parent() {
                fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| failed("keep", e))?;
            }
        }
        let text = fs::read_to_string(path).map_err(|e| failed("read the key file", e))?;
        Secrets::read(&path.display().to_string(), text.lines())
    }

    fn read<'a>(from: &str, texts: impl Iterator<Item = &'a str>) -> Result<Secrets, String> {
        let texts: Vec<&str> = texts.map(str::trim).filter(|text| !text.is_empty()).collect();
        match texts.iter().find(|text| text.len() < 32) {
            _ if texts.is_empty() => Err(format!("{from} holds no key")),
            Some(_) => Err(format!("{from}: a key has at least 32 characters")),
            None => Ok(Secrets(Arc::new(texts.into_iter().map(Key::new).collect()))),
        }
    }

    /// Keys that are different each time: for tests.
    pub fn random() -> Secrets {
        Secrets(Arc::new(vec![Key::new(&URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))]))
    }

    /// Encrypts `plain` for this place, with the first key.
    pub fn seal(&self, place: Place, plain: &[u8]) -> Vec<u8> {
        let key = &self.0[0];
        let nonce: [u8; 24] = rand::random();
        let payload = Payload { msg: plain, aad: &place.bytes() };
        let sealed = key.cipher.encrypt(&XNonce::from(nonce), payload).expect("only a text of 256 GB is too long");
        [&[1], &key.id[..], &nonce[..], &sealed[..]].concat()
    }

    /// Decrypts what [`Secrets::seal`] made for this place. Errors: `Internal`, when it was sealed elsewhere, with a key we do not have, or damaged.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Vec<u8>> {
        let wrong = |why: &str| Error::Internal(format!("{}.{} does not open: {why}", place.table, place.column));
        let (1, id, nonce, text) = split(sealed).ok_or_else(|| wrong("it is cut off"))? else {
            return Err(wrong("its format is not known"));
        };
        let key = self.0.iter().find(|key| key.id == id).ok_or_else(|| wrong("we do not have its key"))?;
        let payload = Payload { msg: text, aad: &place.bytes() };
        key.cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| wrong("damaged, or of another place"))
    }

    /// Whether the first key sealed it; if not, it waits to be resealed.
    pub fn is_fresh(&self, sealed: &[u8]) -> bool {
        split(sealed).is_some_and(|(_, id, ..)| id == self.0[0].id)
    }

    /// A key for something else than sealing, from the first key: the same label gives the same key.
    pub fn derive(&self, label: &str) -> [u8; 32] {
        mac(&self.0[0].root, format!("derive|{label}").as_bytes())
    }

    /// The same from every key, the first one first: for checking what an older one signed.
    pub fn derive_all(&self, label: &str) -> Vec<[u8; 32]> {
        self.0.iter().map(|key| mac(&key.root, format!("derive|{label}").as_bytes())).collect()
    }

    /// Introduces our keys to the database, or refuses: with a key that it does not know, nothing sealed in it would open.
    /// A new first key is welcome beside a known one (rotation), or when there is none yet.
    pub fn introduce(&self, tx: &mut SystemTx, now: Time) -> Result<()> {
        let known: Vec<(String,)> = tx.all("select key_id from secret_keys", args![])?;
        let known = |id: &[u8; 8]| known.iter().any(|(have,)| *have == hex::encode(id)) || known.is_empty();
        if !self.0.iter().any(|key| known(&key.id)) {
            return Err(Error::Internal(
                "the database was used with another secret key: give it as INDABA_SECRET_KEY or put back secret.key \
                 (a new key goes in front of the old one, with a comma)"
                    .into(),
            ));
        }
        for key in self.0.iter() {
            let id = hex::encode(key.id);
            tx.run("insert into secret_keys (key_id, made_at) values ($1, $2) on conflict do nothing", args![id, now])?;
        }
        Ok(())
    }
}

/// A column that holds sealed values, and how to walk it.
pub struct Sealed {
    /// Table name, as in [`Place`].
    pub table: &'static str,
    /// Column name, as in [`Place`].
    pub column: &'static str,
    /// Whether values are sealed for their tenant; else they are the operator's.
    pub by_tenant: bool,
    /// `select id, tenant_id, value … where id > $1 order by id limit …`
    pub page: &'static str,
    /// `update … set value = $3 where id = $1 and value = $2`
    pub update: &'static str,
}

/// A sealed value in its row.
struct Row {
    id: [u8; 16],
    tenant: Option<TenantId>,
    value: Vec<u8>,
}

impl FromRow for Row {
    fn from_row(row: &db::Row) -> Result<Row> {
        let id: Vec<u8> = row.get(0)?;
        let id = id.try_into().map_err(|_| Error::Internal("an id has sixteen bytes".into()))?;
        Ok(Row { id, tenant: row.get(1)?, value: row.get(2)? })
    }
}

impl Secrets {
    /// Opens one page of a column's values, those after the row `after`, and seals anew what an older key had sealed.
    /// How many that were, and where the next page begins; none: that was the last.
    pub fn reseal(&self, tx: &mut SystemTx, column: &Sealed, after: [u8; 16]) -> Result<(u64, Option<[u8; 16]>)> {
        let rows: Vec<Row> = tx.all(column.page, &[Value::Bytes(&after)])?;
        let mut count = 0;
        for row in rows.iter().filter(|row| !self.is_fresh(&row.value)) {
            let tenant = row.tenant.filter(|_| column.by_tenant);
            let place = Place { tenant, table: column.table, row: &row.id, column: column.column };
            let fresh = self.seal(place, &self.open(place, &row.value)?);
            count += tx.run(column.update, &[Value::Bytes(&row.id), Value::Bytes(&row.value), Value::Bytes(&fresh)])?;
        }
        Ok((count, rows.last().map(|row| row.id)))
    }
}

type Parts<'a> = (u8, [u8; 8], [u8; 24], &'a [u8]);

fn split(sealed: &[u8]) -> Option<Parts<'_>> {
    let (version, rest) = sealed.split_first()?;
    let (id, rest) = rest.split_first_chunk::<8>()?;
    let (nonce, text) = rest.split_first_chunk::<24>()?;
    Some((*version, *id, *nonce, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const TENANT: TenantId = TenantId([7; 16]);

    fn place(row: &'static [u8]) -> Place<'static> {
        Place { tenant: Some(TENANT), table: "gateways", row, column: "secrets" }
    }

    #[test]
    fn a_sealed_value_opens_in_its_own_place_only() {
        let secrets = Secrets::random();
        let sealed = secrets.seal(place(b"one"), b"a key");
        assert_eq!(secrets.open(place(b"one"), &sealed).unwrap(), b"a key");
        assert!(!sealed.windows(5).any(|part| part == b"a key") && secrets.is_fresh(&sealed));
        assert_ne!(sealed, secrets.seal(place(b"one"), b"a key"), "a nonce is used once");
        assert!(secrets.open(place(b"two"), &sealed).is_err());
        assert!(secrets.open(Place { tenant: None, ..place(b"one") }, &sealed).is_err());
        assert!(secrets.open(Place { column: "hook_secret", ..place(b"one") }, &sealed).is_err());
        for cut in [0, 1, 8, 33, sealed.len() - 1] {
            assert!(secrets.open(place(b"one"), &sealed[..cut]).is_err());
        }
        for at in [0, 3, 20, sealed.len() - 1] {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(secrets.open(place(b"one"), &bad).is_err(), "byte {at} was changed");
        }
    }

    #[test]
    fn an_older_key_opens_what_it_sealed_and_a_new_one_in_front_seals() {
        let (old, new) = ("o".repeat(32), "n".repeat(32));
        let load = |text: String| Secrets::load(Some(&text.into()), Path::new("/nowhere"));
        let before = load(old.clone()).unwrap();
        let sealed = before.seal(place(b"one"), b"a key");
        let both = load(format!("{new}, {old}")).unwrap();
        assert_eq!(both.open(place(b"one"), &sealed).unwrap(), b"a key");
        assert!(!both.is_fresh(&sealed) && both.is_fresh(&both.seal(place(b"one"), b"a key")));
        assert_eq!(both.derive_all("x")[1], before.derive("x"));
        assert_ne!(before.derive("x"), before.derive("y"));
        assert!(load(new).unwrap().open(place(b"one"), &sealed).is_err());
        assert!(load("short".into()).is_err() && load(" , ".into()).is_err());
    }

    #[test]
    fn the_key_file_is_made_once_and_for_its_owner_alone() {
        let dir = std::env::temp_dir().join(format!("indaba-key-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let first = Secrets::load(None, &dir).unwrap();
        let mode = fs::metadata(dir.join("secret.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Secrets::load(None, &dir).unwrap().derive("x"), first.derive("x"));
        fs::remove_dir_all(&dir).unwrap();
    }
}
