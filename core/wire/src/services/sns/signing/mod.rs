//! Signatures of notifications, as AWS makes them: RSA over SHA-1 or SHA-256, by the attribute
//! `SignatureVersion` of a topic.
//!
//! The key is made when the first subscription or the first envelope needs it, and kept in a
//! document of the engine. Engines in memory share one key of the process, because a key takes long
//! to make and theirs end with the process.

mod cache;
mod key;

use std::sync::{Arc, Weak};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use trunkline_engine::{Engine, ResourceName, Signature, Signer};
use trunkline_types::sync::atomic::{AtomicBool, Ordering};
use trunkline_types::sync::{Mutex, lock};

use self::cache::Cache;
use self::key::Key;

/// Where an engine keeps its key.
const DOCUMENT: &str = "sns/signing-key";

/// The key of the engines in memory. The lock is never held while a key is made.
static OF_PROCESS: std::sync::Mutex<Option<Arc<Key>>> = std::sync::Mutex::new(None);

/// Signs the notifications of one engine.
pub(super) struct Notary {
    engine: Weak<Engine>,
    address: Mutex<Option<String>>,
    key: Mutex<Option<Arc<Key>>>,
    is_prepared: AtomicBool,
    cache: Mutex<Cache>,
}

/// What a topic's document says of its signatures.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TopicDocument {
    sns: Sns,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sns {
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Attributes {
    signature_version: String,
}

impl Notary {
    pub fn new(engine: &Arc<Engine>) -> Self {
        Self {
            engine: Arc::downgrade(engine),
            address: Mutex::default(),
            key: Mutex::default(),
            is_prepared: AtomicBool::new(false),
            cache: Mutex::default(),
        }
    }

    fn key(&self) -> Option<Arc<Key>> {
        let mut slot = lock(&self.key);
        if slot.is_none() {
            *slot = make(&*self.engine.upgrade()?);
        }
        slot.clone()
    }

    // Only a key that was made: a stranger's request makes none.
    fn made_key(&self) -> Option<Arc<Key>> {
        let mut slot = lock(&self.key);
        if slot.is_none() {
            *slot = stored(&*self.engine.upgrade()?);
        }
        slot.clone()
    }

    // The version that the topic has now; a topic that is gone has the one of AWS's default.
    fn version(&self, topic: &ResourceName) -> u8 {
        let found = self.engine.upgrade().and_then(|engine| engine.find_topic(topic).ok()?);
        let document = found.map(|topic| topic.document()).unwrap_or_default();
        let document: TopicDocument = serde_json::from_slice(&document).unwrap_or_default();
        if document.sns.attributes.signature_version == "2" { 2 } else { 1 }
    }
}

fn stored(engine: &Engine) -> Option<Arc<Key>> {
    let document = engine.document(DOCUMENT)?;
    Key::load(&document).ok().map(Arc::new)
}

fn make(engine: &Engine) -> Option<Arc<Key>> {
    if let Some(key) = stored(engine) {
        return Some(key);
    }
    let is_in_memory = !engine.host().is_journaled();
    let of_process = || OF_PROCESS.lock().unwrap_or_else(|held| held.into_inner());
    let shared = is_in_memory.then(|| of_process().clone()).flatten();
    let key = match shared {
        Some(key) => key,
        None => Arc::new(Key::generate().ok()?),
    };
    let key = match is_in_memory {
        true => of_process().get_or_insert(key).clone(),
        false => key,
    };
    // An engine that takes no documents any more can still sign what it delivers until it ends.
    if let Ok(document) = key.document() {
        let _kept = engine.put_document(DOCUMENT, Some(&document));
    }
    Some(key)
}

/// The signature of a message that a topic's control plane sends, as `topic` wants it: of these
/// fields, in their order. `None` where nothing signs.
pub fn sign(engine: &Engine, topic: &ResourceName, fields: &[(&str, &str)]) -> Option<Signature> {
    let text: String = fields.iter().map(|(name, value)| format!("{name}\n{value}\n")).collect();
    engine.signer()?.sign(topic, &text, None)
}

impl Signer for Notary {
    fn address(&self, region: &str) -> String {
        let announced = lock(&self.address).clone();
        announced.unwrap_or_else(|| format!("https://sns.{region}.amazonaws.com"))
    }

    fn announce(&self, address: String) {
        *lock(&self.address) = Some(address);
    }

    fn sign(&self, topic: &ResourceName, text: &str, version: Option<u8>) -> Option<Signature> {
        let version = version.unwrap_or_else(|| self.version(topic));
        let key = self.key()?;
        let signed = (version, Sha256::digest(text).into());
        let found = lock(&self.cache).get(&signed).cloned();
        let value = match found {
            Some(value) => value,
            None => {
                let value = key.sign(version, text).ok()?;
                lock(&self.cache).put(signed, value.clone());
                value
            }
        };
        let certificate_url = format!("{}{}", self.address(&topic.region), key.path);
        Some(Signature { version, value, certificate_url })
    }

    fn prepare(self: Arc<Self>) {
        if !self.is_prepared.swap(true, Ordering::Relaxed) {
            let made = std::thread::Builder::new().name("trunkline-sns-key".to_owned());
            // Without a thread the first envelope makes the key.
            let _started = made.spawn(move || self.key());
        }
    }

    fn certificate(&self, path: &str) -> Option<String> {
        let key = self.made_key()?;
        (key.path == path).then(|| key.certificate().to_owned())
    }
}
