//! Records that other resources deliver: the group of a delivery is the partition key.

use trunkline_host::{Accepted, Routed};
use trunkline_types::{Code, Error, Result};

use super::Stream;
use super::entry::{self, NewRecord};
use super::operation::PUT;
use super::put::{ENTRY_BYTES, put_one};

impl Stream {
    /// Adds what another resource delivers, in one step with what the sender records of it.
    ///
    /// Nothing that is due runs here: the sender may hold a lock of its own.
    pub(super) fn accept_record(&self, routed: &Routed<'_>) -> Result<Accepted> {
        let key = self.check_routed(routed)?;
        let record = NewRecord { key, hash_key: None, data: routed.body };
        let now = self.host.admit_internal(PUT)?.now(&self.host);
        let put = {
            let state = self.state();
            let mut append = self.host.append_at(now)?;
            // A stream that is being removed says so under the append lock.
            self.check_present()?;
            if let Some(also) = routed.also {
                append.reserve(2, ENTRY_BYTES + key.len() + routed.body.len() + also.bytes());
            }
            let (route, mut put) = put_one(&state, &mut append, &record, now)?;
            if let Some(also) = routed.also {
                also.append(&mut append);
                put.ticket = append.ticket();
            }
            drop(append);
            self.logs.on_append(&route.log);
            put
        };
        if self.host.trace.is_on() {
            self.trace_put(&put, key);
        }
        self.wake();
        let seq = put.sequence.offset();
        Ok(Accepted { resource: self.id, seq, duplicate: false, ticket: put.ticket })
    }

    /// Whether the stream takes a delivery; the partition key of its record.
    pub(super) fn check_routed<'a>(&self, routed: &Routed<'a>) -> Result<&'a str> {
        if routed.moved.is_some() {
            return Err(Error::new(
                Code::UnsupportedOperation,
                format!("Messages cannot be moved to the stream {}.", self.name.name),
            ));
        }
        let key = routed.group.ok_or_else(|| self.no_key())?;
        let record = NewRecord { key, hash_key: None, data: routed.body };
        entry::check(&record, &self.host.limits, self.record_bytes_max())?;
        Ok(key)
    }

    #[cold]
    fn no_key(&self) -> Error {
        Error::new(
            Code::MissingParameter,
            format!("The delivery to the stream {} has no partition key.", self.name.name),
        )
    }
}
