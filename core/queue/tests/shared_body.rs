//! Bodies that messages of several logs share.
#![cfg(not(loom))]

use trunkline_queue::{BodyRef, Counts, Extend, SharedBody, SlotRef, StandardLog};

const NOW: u64 = 1_900_000_000_000;

/// Receives one message until `NOW + 30 s`; its body and place.
fn receive(log: &StandardLog) -> Option<(Vec<u8>, SlotRef)> {
    let claimed = log.claim()?;
    let BodyRef::Bytes(bytes) = claimed.body() else { panic!("the body lies in memory") };
    let (body, place) = (bytes.to_vec(), claimed.place());
    claimed.lease(NOW + 30_000, NOW).expect("no other thread deletes it");
    Some((body, place))
}

#[test]
fn logs_share_a_body_and_the_last_message_frees_it() {
    let body = vec![7_u8; 1_000];
    let (first, second, third) = (StandardLog::new(1), StandardLog::new(1), StandardLog::new(1));
    let empty = first.memory();
    // One reference is not used, and the publisher is gone before the first message is.
    let shared = SharedBody::new(&body, 4);
    for log in [&first, &second, &third] {
        assert_eq!(log.append_shared(NOW, 3, &shared), 1);
    }
    drop(shared);
    assert_eq!(first.memory(), empty + 250, "each log counts its share");
    for log in [&first, &second] {
        let (received, place) = receive(log).expect("it was sent");
        assert_eq!(received, body);
        assert!(log.delete(place));
        assert_eq!(log.memory(), empty);
    }
    // A log that ends lets go of what is in it.
    drop(first);
    let (received, place) = receive(&third).expect("it was sent");
    assert_eq!(received, body);
    assert_eq!(third.extend(place, NOW, NOW), Extend::Visible);
    assert_eq!(receive(&third).map(|(body, _)| body), Some(body));
}

#[test]
fn a_share_of_a_few_bytes_is_not_counted() {
    let log = StandardLog::new(1);
    let empty = log.memory();
    log.append_shared(NOW, 3, &SharedBody::new(&[7; 100], 1_000));
    assert_eq!(log.memory(), empty);
    let (received, place) = receive(&log).expect("it was sent");
    assert_eq!(received, [7; 100]);
    assert!(log.delete(place));
    assert_eq!(log.memory(), empty);
}

#[test]
fn threads_end_the_messages_of_a_shared_body_at_the_same_time() {
    let logs = [StandardLog::new(1), StandardLog::new(1), StandardLog::new(1)];
    let rounds = if cfg!(miri) { 20 } else { 20_000_u32 };
    std::thread::scope(|scope| {
        for log in &logs {
            scope.spawn(move || {
                for round in 0..rounds {
                    let (body, place) = loop {
                        match receive(log) {
                            Some(found) => break found,
                            None => std::thread::yield_now(),
                        }
                    };
                    assert_eq!(body, [round as u8; 300]);
                    assert!(log.delete(place));
                }
            });
        }
        scope.spawn(|| {
            for round in 0..rounds {
                let shared = SharedBody::new(&[round as u8; 300], 3);
                logs.iter().for_each(|log| _ = log.append_shared(NOW, 0, &shared));
            }
        });
    });
    assert!(logs.iter().all(|log| log.counts() == Counts::default()));
}

#[test]
#[should_panic(expected = "more messages share a body than it was made for")]
fn a_shared_body_goes_to_no_more_messages_than_it_was_made_for() {
    let log = StandardLog::new(1);
    let shared = SharedBody::new(b"once", 1);
    log.append_shared(NOW, 0, &shared);
    log.append_shared(NOW, 0, &shared);
}
