//! Connections to WebSocket APIs: who is connected, and what is on its way to each client. They
//! belong to an engine, so that every dispatcher of it reaches them, and end with the process.

mod socket;

pub use socket::{NotSent, Outgoing, Socket, SocketPeer};

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use rsa::rand_core::{OsRng, RngCore};
use trunkline_types::sync::{Mutex, lock};

/// Random bytes of the id of a connection: 16 characters, as AWS's ids have.
const ID_BYTES: usize = 11;

/// A new id of a connection. It is as good as a secret: where signatures are not proved, a
/// program that knows it may send to the client.
pub fn new_id() -> String {
    let mut bytes = [0; ID_BYTES];
    OsRng.fill_bytes(&mut bytes);
    URL_SAFE.encode(bytes)
}

/// The connections of one engine.
#[derive(Default)]
pub struct Sockets {
    open: Mutex<HashMap<String, Arc<Socket>>>,
}

impl Sockets {
    /// Adds a connection that was accepted.
    pub fn add(&self, socket: Arc<Socket>) {
        lock(&self.open).insert(socket.peer.id.clone(), socket);
    }

    /// Removes a connection that has ended.
    pub fn remove(&self, id: &str) {
        lock(&self.open).remove(id);
    }

    /// The connection `id` of a stage of an API.
    pub fn find(&self, api: &str, stage: &str, id: &str) -> Option<Arc<Socket>> {
        let found = self.get(id)?;
        (found.peer.api == api && found.peer.stage == stage).then_some(found)
    }

    /// The connection `id`.
    pub fn get(&self, id: &str) -> Option<Arc<Socket>> {
        lock(&self.open).get(id).cloned()
    }

    /// Ends every connection: the engine was reset.
    pub fn close_all(&self) {
        for socket in lock(&self.open).values() {
            socket.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    #[test]
    fn ids_are_sixteen_characters_and_never_the_same() {
        let (one, other) = (new_id(), new_id());
        assert_eq!((one.len(), one.ends_with('=')), (16, true));
        assert_ne!(one, other);
    }

    #[test]
    fn a_connection_is_found_in_its_own_stage_until_it_is_removed() {
        let sockets = Sockets::default();
        let peer = SocketPeer {
            id: "c1".to_owned(),
            api: "a1".to_owned(),
            stage: "dev".to_owned(),
            ..SocketPeer::default()
        };
        let (socket, _outgoing) = Socket::new(peer, 0, Arc::new(Memory::new(10)));
        sockets.add(socket);
        assert!(sockets.find("a1", "dev", "c1").is_some());
        assert!(sockets.find("a1", "prod", "c1").is_none());
        assert!(sockets.find("a2", "dev", "c1").is_none());
        sockets.remove("c1");
        assert!(sockets.find("a1", "dev", "c1").is_none());
    }
}
