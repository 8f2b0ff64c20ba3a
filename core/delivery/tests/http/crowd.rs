//! Many endpoints at once: what dies must not slow what lives.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use trunkline_delivery::{Endpoint, Outcome};

use super::server::{OK, Server, attempt, begin, client_with, ended};

#[test]
fn one_host_gets_no_more_attempts_at_once_than_its_bound() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, top) = (running.clone(), most.clone());
    let server = Server::start(move |connection, _| {
        while connection.read_request() {
            top.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(5));
            now.fetch_sub(1, Ordering::SeqCst);
            connection.write(OK.as_bytes());
        }
    });
    let client = client_with(|options| options.attempts_per_host_max = 4);
    let endpoint = Endpoint::parse(&server.url()).unwrap();
    let (told, outcomes) = channel();
    for _ in 0..100 {
        let slot = loop {
            match client.slot(&endpoint) {
                Ok(slot) => break slot,
                Err(_) => std::thread::yield_now(),
            }
        };
        let told = told.clone();
        client.send(slot, attempt(&server.url()), move |outcome| drop(told.send(outcome)));
    }
    for _ in 0..100 {
        let outcome = outcomes.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!(matches!(outcome, Outcome::Delivered(_)), "{outcome:?}");
    }
    assert!((2..=4).contains(&most.load(Ordering::SeqCst)), "{most:?}");
}

#[test]
fn dead_endpoints_leave_attempts_to_a_living_one() {
    let dead: Vec<Server> =
        (0..12).map(|_| Server::start(|connection, _| connection.hang())).collect();
    let living = Server::answering(OK);
    let client = client_with(|options| {
        options.attempts_max = 8;
        options.attempts_per_host_max = 4;
    });
    // Every dead endpoint fails once, so that it is known to.
    for server in &dead {
        let mut attempt = attempt(&server.url());
        attempt.timeout = Duration::from_millis(50);
        assert!(matches!(ended(&begin(&client, attempt)), Outcome::Transient { .. }));
    }
    let endpoints: Vec<_> =
        dead.iter().map(|server| Endpoint::parse(&server.url()).unwrap()).collect();
    let kept = Mutex::new(Vec::new());
    for (endpoint, server) in endpoints.iter().zip(&dead) {
        let Ok(slot) = client.slot(endpoint) else { continue };
        let (told, outcome) = channel();
        client.send(slot, attempt(&server.url()), move |outcome| drop(told.send(outcome)));
        kept.lock().unwrap().push(outcome);
    }
    assert_eq!(kept.lock().unwrap().len(), 4, "they take half");
    let start = Instant::now();
    for _ in 0..50 {
        assert!(matches!(ended(&begin(&client, attempt(&living.url()))), Outcome::Delivered(_)));
    }
    assert!(start.elapsed() < Duration::from_secs(18), "{:?}", start.elapsed());
}

#[test]
fn connections_are_given_back_when_many_hosts_were_called() {
    let servers: Vec<Server> = (0..30).map(|_| Server::answering(OK)).collect();
    let client = client_with(|options| {
        // Eight connections for thirty hosts: those that are idle must make way.
        options.attempts_max = 4;
        options.idle_timeout = Duration::from_secs(60);
    });
    for _ in 0..3 {
        for server in &servers {
            let outcome = ended(&begin(&client, attempt(&server.url())));
            assert!(matches!(outcome, Outcome::Delivered(_)), "{outcome:?}");
        }
    }
}
