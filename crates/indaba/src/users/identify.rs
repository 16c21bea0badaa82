//! Whom a credential names, asked at each request. The answer is kept for some seconds; whatever changes it (signing out, a new
//! role, a key withdrawn) rings the bell `auth` in its transaction, on every node, and what was kept is forgotten.
use super::{
    store,
    tokens::{self, Claims},
};
use crate::{
    Error, Result,
    app::App,
    bus::{Bus, Ears},
    clock::Time,
    http::who::{Actor, Credential, Identify, SignInId, UserId, Who},
    id::TenantId,
};
use async_trait::async_trait;
use moka::future::Cache;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// The net below the bell: so long at most a node that did not hear it goes on.
const KEPT: Duration = Duration::from_secs(5);
/// `last_used_at` is written at most once in this time.
const TOUCH: Duration = Duration::from_secs(60);

/// Answers for the floor whom a credential names.
pub struct Identities {
    people: Cache<(SignInId, TenantId), Person>,
    keys: Cache<[u8; 32], Program>,
    bell: Mutex<Ears>,
}

#[derive(Clone)]
struct Person {
    user: UserId,
    name: Arc<str>,
    auth_version: i64,
    operator: bool,
    role: crate::http::Role,
    expires_at: Time,
}

#[derive(Clone)]
struct Program {
    who: Who,
    expires_at: Option<Time>,
}

impl Identities {
    /// Listens to the bell from now on.
    pub fn new(bus: &Arc<dyn Bus>) -> Identities {
        Identities {
            people: Cache::builder().max_capacity(20_000).time_to_live(KEPT).build(),
            keys: Cache::builder().max_capacity(20_000).time_to_live(KEPT).build(),
            bell: Mutex::new(bus.listen("auth")),
        }
    }

    /// The bell is rung before the transaction that rang it is answered: what it changed is seen by the next request.
    fn hear(&self) {
        let mut bell = self.bell.lock().expect("no panic under this lock");
        let mut rung = false;
        while bell.try_next().is_some() {
            rung = true;
        }
        if rung {
            self.people.invalidate_all();
            self.keys.invalidate_all();
        }
    }

    async fn person(&self, app: &App, sign_in: SignInId, tenant: TenantId) -> Result<Person> {
        self.hear();
        if let Some(person) = self.people.get(&(sign_in, tenant)).await {
            return Ok(person);
        }
        let known = app.db.system_read("identify", move |tx| store::find_known(tx, sign_in, tenant)).await?;
        let known = known.ok_or(Error::Unauthorized)?;
        if app.clock.now().since(known.last_used_at) > TOUCH {
            let db = app.db.clone();
            tokio::spawn(async move { db.system("identify", move |tx| store::touch_sign_in(tx, sign_in)).await });
        }
        let person = Person {
            user: known.user_id,
            name: known.name.into(),
            auth_version: known.auth_version,
            operator: known.operator,
            role: known.role,
            expires_at: known.expires_at,
        };
        self.people.insert((sign_in, tenant), person.clone()).await;
        Ok(person)
    }

    async fn program(&self, app: &App, key: &str) -> Result<Who> {
        self.hear();
        let hash: [u8; 32] = tokens::hash(key).try_into().expect("a SHA-256 has 32 bytes");
        let program = match self.keys.get(&hash).await {
            Some(program) => program,
            None => {
                let known = app.db.system_read("identify", move |tx| store::find_key(tx, &hash)).await?;
                let known = known.ok_or(Error::Unauthorized)?;
                let (tenant, id) = (known.tenant_id, known.id);
                if known.last_used_at.is_none_or(|at| app.clock.now().since(at) > TOUCH) {
                    let db = app.db.clone();
                    tokio::spawn(async move { db.write(tenant, move |tx| store::touch_key(tx, id)).await });
                }
                let program = read(known)?;
                self.keys.insert(hash, program.clone()).await;
                program
            }
        };
        still_good(program, app.clock.now())
    }
}

fn read(known: store::KnownKey) -> Result<Program> {
    let scopes: Vec<String> =
        serde_json::from_str(&known.scopes).map_err(|e| Error::Internal(format!("scopes: {e}")))?;
    let actor = Actor::ApiKey { id: known.id, name: known.name.into() };
    let who =
        Who { tenant: known.tenant_id, actor, role: known.role, operator: false, scopes: scopes.into(), once: None };
    Ok(Program { who, expires_at: known.expires_at })
}

fn still_good(program: Program, now: Time) -> Result<Who> {
    match program.expires_at {
        Some(end) if end <= now => Err(Error::Unauthorized),
        _ => Ok(program.who),
    }
}

fn as_who(person: Person, sign_in: SignInId, tenant: TenantId) -> Who {
    let actor = Actor::User { id: person.user, name: person.name, sign_in };
    Who { tenant, actor, role: person.role, operator: person.operator, scopes: Arc::from([]), once: None }
}

#[async_trait]
impl Identify for Identities {
    async fn identify(&self, app: &App, credential: &Credential) -> Result<Who> {
        match credential {
            Credential::ApiKey(key) => self.program(app, key).await,
            Credential::Token(token) => {
                let now = app.clock.now();
                let claims = Claims::read(token, &app.secrets, now)?;
                let person = self.person(app, claims.sign_in, claims.tenant).await?;
                if person.user != claims.user || person.auth_version != claims.auth_version || person.expires_at <= now
                {
                    return Err(Error::Unauthorized);
                }
                Ok(as_who(person, claims.sign_in, claims.tenant))
            }
        }
    }

    async fn again(&self, app: &App, who: &Who) -> Result<Who> {
        let now = app.clock.now();
        match who.actor {
            Actor::System => Ok(who.clone()),
            Actor::User { id, sign_in, .. } => {
                // signing out everywhere also deletes the sign-in: its being there is enough
                let person = self.person(app, sign_in, who.tenant).await?;
                match person.user == id && person.expires_at > now {
                    true => Ok(as_who(person, sign_in, who.tenant)),
                    false => Err(Error::Unauthorized),
                }
            }
            Actor::ApiKey { id, .. } => {
                let known = app.db.read(who.tenant, move |tx| store::find_key_by_id(tx, id)).await?;
                still_good(read(known.ok_or(Error::Unauthorized)?)?, now)
            }
        }
    }
}
