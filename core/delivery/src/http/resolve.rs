//! Names to addresses. The system's resolver blocks a thread and cannot be cancelled, so a name has
//! at most one look-up in the air, and its addresses are kept for a short while.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use trunkline_types::sync::{Mutex, lock};

/// How long addresses are kept: the system's resolver tells no time to live.
const KEPT_FOR: Duration = Duration::from_secs(30);
/// Names whose addresses are kept.
const NAMES_MAX: usize = 4_096;

/// Finds the addresses of a host. Called on a thread that may block.
pub trait Resolve: Send + Sync {
    /// The addresses of `name`, to be tried in order.
    fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((name, port).to_socket_addrs()?.collect())
    }
}

type Key = (String, u16);
/// Errors are kept as text, because every waiting attempt needs one.
type Found = Result<Arc<[SocketAddr]>, String>;

/// Look-ups in the air, and the addresses of names that were looked up lately.
pub(super) struct Resolver {
    system: Arc<dyn Resolve>,
    names: Arc<Mutex<HashMap<Key, Name>>>,
}

enum Name {
    Asked(watch::Receiver<Option<Found>>),
    Known(Arc<[SocketAddr]>, Instant),
}

impl Resolver {
    pub fn new(system: Arc<dyn Resolve>) -> Self {
        Self { system, names: Arc::default() }
    }

    /// The addresses of a host. Dropping the future leaves the look-up to others that wait for it.
    pub async fn addresses(&self, name: &str, port: u16) -> Found {
        if let Ok(address) = name.parse::<IpAddr>() {
            return Ok(Arc::new([SocketAddr::new(address, port)]));
        }
        let mut asked = match self.known_or_asked((name.to_owned(), port)) {
            Ok(addresses) => return Ok(addresses),
            Err(asked) => asked,
        };
        let found = match asked.wait_for(Option::is_some).await {
            Ok(found) => found.clone(),
            Err(_) => None,
        };
        found.unwrap_or_else(|| Err("the look-up of the name was given up".to_owned()))
    }

    fn known_or_asked(
        &self,
        key: Key,
    ) -> Result<Arc<[SocketAddr]>, watch::Receiver<Option<Found>>> {
        let mut names = lock(&self.names);
        match names.get(&key) {
            Some(Name::Known(addresses, at)) if at.elapsed() < KEPT_FOR => {
                return Ok(addresses.clone());
            }
            Some(Name::Asked(asked)) => return Err(asked.clone()),
            _ => {}
        }
        if names.len() >= NAMES_MAX {
            names.retain(|_, name| matches!(name, Name::Asked(_)));
        }
        let (answer, asked) = watch::channel(None);
        names.insert(key.clone(), Name::Asked(asked.clone()));
        let (system, names) = (self.system.clone(), self.names.clone());
        tokio::task::spawn_blocking(move || {
            let found = system.resolve(&key.0, key.1).map_err(|error| error.to_string());
            let found = found.map(Arc::<[SocketAddr]>::from);
            let mut names = lock(&names);
            match &found {
                Ok(addresses) => {
                    let known = Name::Known(addresses.clone(), Instant::now());
                    names.insert(key, known);
                }
                // The next attempt asks again.
                Err(_) => drop(names.remove(&key)),
            }
            drop(names);
            answer.send_replace(Some(found));
        });
        Err(asked)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Slow(AtomicUsize);

    impl Resolve for Slow {
        fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(50));
            match name {
                "gone" => Err(io::Error::other("no such name")),
                _ => Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))]),
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_name_has_one_look_up_in_the_air_and_its_answer_is_kept() {
        let slow = Arc::new(Slow(AtomicUsize::new(0)));
        let resolver = Arc::new(Resolver::new(slow.clone()));
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let resolver = resolver.clone();
                tokio::spawn(async move { resolver.addresses("living", 80).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap().len(), 1);
        }
        resolver.addresses("living", 80).await.unwrap();
        assert_eq!(slow.0.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_failed_look_up_is_not_kept_and_an_address_needs_none() {
        let slow = Arc::new(Slow(AtomicUsize::new(0)));
        let resolver = Resolver::new(slow.clone());
        for _ in 0..2 {
            assert_eq!(resolver.addresses("gone", 80).await, Err("no such name".to_owned()));
        }
        let literal = resolver.addresses("::1", 80).await.unwrap();
        assert_eq!(literal[0].ip().to_string(), "::1");
        assert_eq!(slow.0.load(Ordering::SeqCst), 2);
    }
}
