//! Removing the files of bodies that are not used any more.

use std::sync::Arc;

use trunkline_journal::Ticket;
use trunkline_types::{Durability, Result};

use crate::bodies::Bodies;
use crate::host::{Host, Ticker};

impl Host {
    /// Where bodies are kept.
    pub fn bodies(&self) -> &Arc<Bodies> {
        &self.bodies
    }

    /// Removes the files of bodies that are not used any more, as far as the records that gave them
    /// up are durable. Verbs that give bodies up call it when they are done. The ticker removes the
    /// others once their records are durable; on a virtual clock the next verb does.
    pub fn remove_unused_bodies(self: &Arc<Self>) -> Result<()> {
        if self.check_writable().is_err() {
            return Ok(());
        }
        // This verb does not wait for a copy: the next one removes what is left.
        let Some(_removing) = self.bodies.begin_removal() else { return Ok(()) };
        let given_up = self.bodies.take_unused();
        if given_up.is_empty() {
            return Ok(());
        }
        let appended = self.journal.as_ref().map(|journal| journal.appended());
        let mut kept = Vec::new();
        let mut removed = Ok(());
        for (id, ticket) in given_up {
            let ticket = ticket.or(appended);
            let is_durable = match ticket {
                Some(ticket) => self.is_settled(ticket, self.removal_level()).unwrap_or(false),
                None => true,
            };
            if is_durable && removed.is_ok() {
                removed = self.bodies.remove(id);
            } else {
                kept.push((id, ticket));
            }
        }
        let newest = kept.iter().filter_map(|(_, ticket)| *ticket).max();
        self.bodies.keep_unused(kept);
        match newest {
            Some(ticket) if removed.is_ok() => self.remove_when_durable(ticket),
            _ => removed,
        }
    }

    /// Has the ticker remove bodies that are given up from now on: the caller is about to give some
    /// up, and readers or callers may hold them for longer than its verb lasts.
    pub fn watch_unused_bodies(self: &Arc<Self>) {
        if self.clock.is_virtual() || self.bodies.is_watched() || !Ticker::request(self) {
            return;
        }
        self.bodies.watch(self.ticker.parker());
    }

    fn remove_when_durable(self: &Arc<Self>, ticket: Ticket) -> Result<()> {
        if self.clock.is_virtual() || !Ticker::request(self) {
            return Ok(());
        }
        let removal = self.bodies.removal(self.ticker.parker());
        self.notify_when(ticket, self.removal_level(), removal)
    }

    /// How durable a record has to be before what it gave up is removed. A file is gone for the
    /// operating system at once: a record that only this process knows would come too late.
    fn removal_level(&self) -> Durability {
        self.durability.max(Durability::Os)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bodies::Body;
    use crate::codec::Encode;
    use crate::options::OpenOptions;
    use trunkline_journal::{MemoryStorage, Storage};

    struct Fact;

    impl Encode for Fact {
        fn encode(&self, out: &mut Vec<u8>) {
            out.push(255);
        }
    }

    fn host(storage: &MemoryStorage) -> Arc<Host> {
        let options =
            OpenOptions { storage: Some(Arc::new(storage.clone())), ..OpenOptions::memory() };
        Host::open(options, &[]).unwrap()
    }

    fn write(host: &Host, bytes: &[u8]) -> Arc<Body> {
        let mut writer = host.bodies().create().unwrap();
        writer.write(bytes).unwrap();
        writer.finish(Durability::Disk).unwrap()
    }

    #[test]
    fn a_body_is_there_until_its_last_reader_is_gone() {
        let host = host(&MemoryStorage::new());
        let body = write(&host, b"hello");
        let mut reader = body.open().unwrap();
        drop(body);
        host.remove_unused_bodies().unwrap();
        let mut bytes = [0; 8];
        assert_eq!((reader.read_at(0, &mut bytes).unwrap(), &bytes[..5]), (5, &b"hello"[..]));
        assert_eq!(host.bodies().list().unwrap().len(), 1);
        drop(reader);
        host.flush().unwrap();
        host.remove_unused_bodies().unwrap();
        assert_eq!(host.bodies().list().unwrap(), []);
    }

    #[test]
    fn a_body_is_removed_when_its_record_is_durable_and_no_verb_comes() {
        let storage = MemoryStorage::new();
        let options = OpenOptions {
            storage: Some(Arc::new(storage.clone())),
            durability: Durability::Disk,
            ..OpenOptions::memory()
        };
        let host = Host::open(options, &[]).unwrap();
        let body = write(&host, b"hello");
        // A record that is not durable yet, as that of a verb is which gave the body up.
        host.append().unwrap().append(&Fact);
        host.watch_unused_bodies();
        host.remove_unused_bodies().unwrap();
        // Its reader is the last to hold it, and calls no verb.
        let reader = body.open().unwrap();
        drop(body);
        drop(reader);
        host.flush().unwrap();
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while !host.bodies().list().unwrap().is_empty() {
            assert!(std::time::Instant::now() < patience, "the file is still there");
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_was_not_finished_is_removed_and_closing_gives_nothing_up() {
        let storage = MemoryStorage::new();
        let first = host(&storage);
        let body = write(&first, b"kept");
        drop(first.bodies().create().unwrap());
        std::mem::forget(first.bodies().create().unwrap());
        first.close().unwrap();
        drop(body);
        first.remove_unused_bodies().unwrap();
        let again = host(&storage);
        let [id] = again.bodies().list().unwrap()[..] else { panic!("one body is kept") };
        again.bodies().sweep_orphans(&[id]).unwrap();
        assert_eq!(again.bodies().list().unwrap(), [id]);
        assert!(!storage.list().unwrap().iter().any(|name| name.ends_with("draft")));
        again.bodies().sweep_orphans(&[]).unwrap();
        assert_eq!(again.bodies().list().unwrap(), []);
    }
}
