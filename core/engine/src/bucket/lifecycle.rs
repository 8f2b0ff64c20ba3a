//! What expires: objects, versions, delete markers and uploads, at the end of the day, by the
//! engine's clock.

use std::sync::Arc;

use trunkline_host::TimerKey;
use trunkline_types::sync::lock;
use trunkline_types::{Millis, Result};

use super::config::{ExpiryRule, Versioning};
use super::object::Object;
use super::put::{Cause, Change};
use super::{Bucket, VersionRef};

const DAY: Millis = 86_400_000;
/// Keys that are looked at in one step.
const STEP_KEYS: usize = 256;

/// When something that is to live `days` from `since` on expires: S3 rounds up to midnight, UTC.
pub fn expires_at(since: Millis, days: u64) -> Millis {
    let end = since.saturating_add(days.saturating_mul(DAY));
    end.div_ceil(DAY).saturating_mul(DAY)
}

/// What expires of a key.
enum Expired {
    /// The newest version: deleted as by a caller.
    Newest,
    /// A version, for good.
    Version(Arc<Object>),
}

impl Bucket {
    /// Asks for the next look at what expires, if anything may.
    pub(super) fn arm_lifecycle(&self, now: Millis) {
        let config = self.config();
        if config.expiry.is_empty() || self.host.check_writable().is_err() {
            return;
        }
        let midnight = (now / DAY + 1) * DAY;
        let dates = config.expiry.iter().filter_map(|rule| rule.date);
        let next = dates.filter(|date| *date > now).chain([midnight]).min().unwrap_or(midnight);
        self.host.arm(TimerKey { owner: self.id, slot: 0 }, next);
    }

    /// When an object that is the newest version of its key expires, and by which rule.
    pub fn expiry_of(&self, key: &str, object: &Object) -> Option<(Millis, String)> {
        let config = self.config();
        let covering = config.expiry.iter().filter(|rule| rule.covers(key, object));
        let came = |time| self.host.came(time);
        covering.filter_map(|rule| Some((rule.expires(object, &came)?, rule.id.clone()))).min()
    }

    /// Removes what has expired.
    pub(super) fn expire(&self, now: Millis) -> Result<()> {
        if self.check_present().is_err() {
            return Ok(());
        }
        let rules = self.config().expiry.clone();
        let mut after = None;
        loop {
            let keys = self.state().index.keys_after(after.as_deref(), STEP_KEYS);
            let Some((last, _)) = keys.last() else { break };
            after = Some(last.clone());
            for (key, versions) in keys {
                self.expire_key(&key, &versions, &rules, now)?;
            }
        }
        let uploads: Vec<(u64, String, Millis)> = {
            let state = self.state();
            let all = state.uploads.values();
            all.map(|upload| (upload.seq, upload.key.clone(), upload.begun)).collect()
        };
        let host = &self.host;
        for (seq, key, begun) in uploads {
            let is_over = |rule: &ExpiryRule| {
                key.starts_with(&rule.prefix)
                    && rule
                        .upload_days
                        .is_some_and(|days| expires_at(host.came(begun), days) <= now)
            };
            if rules.iter().any(is_over) {
                self.abort_number(seq)?;
            }
        }
        self.arm_lifecycle(now);
        self.host.remove_unused_bodies()
    }

    fn expire_key(
        &self,
        key: &str,
        versions: &[Arc<Object>],
        rules: &[ExpiryRule],
        now: Millis,
    ) -> Result<()> {
        let versioning = self.config().versioning;
        let came = |time| self.host.came(time);
        for expired in expired(key, versions, rules, now, &came) {
            let _changing = lock(&self.changing);
            let is_newest = |object: &Arc<Object>| {
                self.state().index.newest(key).is_some_and(|newest| newest.seq == object.seq)
            };
            match expired {
                Expired::Newest => {
                    // What was put meanwhile stays.
                    let Some(newest) = versions.last().filter(|newest| is_newest(newest)) else {
                        continue;
                    };
                    let event = match versioning {
                        Versioning::Off => "LifecycleExpiration:Delete",
                        _ => "LifecycleExpiration:DeleteMarkerCreated",
                    };
                    let named = (versioning == Versioning::Off).then(|| match newest.is_null {
                        true => VersionRef::Null,
                        false => VersionRef::Id(self.opaque_id(newest.seq)),
                    });
                    self.delete_locked(key, named.as_ref(), now, &cause(event))?;
                }
                Expired::Version(object) => {
                    let cause = cause("LifecycleExpiration:Delete");
                    self.commit(key, Change::Remove(object), now, &cause)?;
                }
            }
        }
        Ok(())
    }
}

fn cause(event: &'static str) -> Cause<'static> {
    Cause { event, principal: "s3.amazonaws.com", ..Cause::default() }
}

/// What expires of a key by `now`. `came` says when something of a time came.
fn expired(
    key: &str,
    versions: &[Arc<Object>],
    rules: &[ExpiryRule],
    now: Millis,
    came: &dyn Fn(Millis) -> Millis,
) -> Vec<Expired> {
    let mut found = Vec::new();
    let Some((newest, older)) = versions.split_last() else { return found };
    let has_expired = |rule: &ExpiryRule| {
        !newest.is_delete_marker
            && rule.covers(key, newest)
            && rule.expires(newest, came).is_some_and(|at| at <= now)
    };
    let is_lone_marker = newest.is_delete_marker && older.is_empty();
    if rules.iter().any(has_expired) {
        found.push(Expired::Newest);
    } else if is_lone_marker
        && rules.iter().any(|rule| rule.removes_lone_markers && key.starts_with(&rule.prefix))
    {
        found.push(Expired::Version(newest.clone()));
    }
    for (place, version) in older.iter().enumerate() {
        // A version is superseded when the next one is put.
        let superseded = came(versions[place + 1].modified);
        let newer = (older.len() - 1 - place) as u64;
        let is_over = |rule: &ExpiryRule| {
            rule.covers(key, version)
                && rule.noncurrent_days.is_some_and(|days| expires_at(superseded, days) <= now)
                && rule.noncurrent_kept.is_none_or(|kept| newer >= kept)
        };
        if rules.iter().any(is_over) {
            found.push(Expired::Version(version.clone()));
        }
    }
    found
}

impl ExpiryRule {
    /// When an object that it covers expires as the newest version of its key.
    fn expires(&self, object: &Object, came: &dyn Fn(Millis) -> Millis) -> Option<Millis> {
        self.days.map(|days| expires_at(came(object.modified), days)).or(self.date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_end_at_midnight() {
        assert_eq!(expires_at(0, 1), DAY);
        assert_eq!(expires_at(1, 1), 2 * DAY);
        assert_eq!(expires_at(DAY - 1, 3), 4 * DAY);
    }
}
